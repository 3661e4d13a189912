"""Command-line options generated from the settings table, and the values given."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from pixtrawl.config.load import Loaded, load
from pixtrawl.config.table import Setting, shown_setting, table
from pixtrawl.errors import UsageError

# Names that users of other tools type (google-images-download's --num, for one).
ALIASES: Final = {"job.limit": ("--num",)}

# Order of the groups in `--help`: the most used first.
COMMON: Final = frozenset(
    {
        "job.limit", "job.output", "job.sources", "images.min_size", "filters.license",
        "images.dedup", "export.to", "export.resize",
    }
)  # fmt: skip
EXPERT: Final = frozenset(
    {
        "job.engine", "job.workers", "job.prefix", "job.suffix", "job.expand", "job.synonyms",
        "job.retry", "job.durability",
        "fetch.user_agent", "fetch.allow_address", "politeness.ignore_robots",
        "politeness.ignore_ai_preferences", "images.check",
        "images.junk", "images.conflict", "images.turned", "export.export_to", "filters.region",
    }
)  # fmt: skip
_LEAST, _MOST = 1e-9, 1e9  # of a number on the command line; clocks and sums end not far beyond
_COMMON_TITLE: Final = "common options"
_EXPERT_TITLE: Final = "for experts"
_CONFIG_TITLE: Final = "settings"

_TITLES: Final = {
    "job": "what to collect",
    "fetch": "transfers",
    "politeness": "politeness",
    "images": "what to keep",
    "export": "export after the run",
    "lists": "columns of a list",
    "models": "models",
    "publish": "publishing",
    "filters": "search filters (passed to each source that supports them)",
}


def add_settings(
    parser: argparse.ArgumentParser,
    keys: Collection[str],
    defaults: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Add an option for each of these settings that has one, in groups.

    `defaults` are this command's defaults where they differ from the setting's.
    """
    rows = [row for row in table() if row.flag is not None and row.key in keys]
    titles = {row.key: _title(row) for row in rows}
    order = [_COMMON_TITLE, *dict.fromkeys(t for t in titles.values() if t != _COMMON_TITLE)]
    order.sort(key=_EXPERT_TITLE.__eq__)  # the rest stays as it is
    for title in order:
        group = parser.add_argument_group(title)
        for row in rows:
            if titles[row.key] == title:
                _add(group, row, defaults.get(row.key))


def _title(row: Setting) -> str:
    if row.key in COMMON:
        return _COMMON_TITLE
    return _EXPERT_TITLE if row.key in EXPERT else _TITLES[row.group]


def _add(group: Any, row: Setting, shown: str | None) -> None:
    names = [name for name in (row.short, row.flag, *ALIASES.get(row.key, ())) if name]
    default = shown or shown_setting(row, row.default)
    tail = f" (default: {default})" if default and not row.is_switch else ""
    keywords: dict[str, Any] = {
        "dest": row.key,
        "default": argparse.SUPPRESS,
        "help": f"{row.sentence}{tail}".replace("%", "%%"),
    }
    if row.is_switch:
        group.add_argument(*names, action=argparse.BooleanOptionalAction, **keywords)
        return
    # no `choices` and no `type`: load() checks every place alike, and names the place
    if row.choices:
        keywords["metavar"] = row.metavar or "WORD"
        words = ", ".join(row.choices) + (f"; default: {default}" if default else "")
        keywords["help"] = f"{row.sentence} ({words})".replace("%", "%%")
    else:
        keywords["metavar"] = row.metavar
    group.add_argument(*names, action="append" if row.repeat else "store", **keywords)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add `--config` and `--set`."""
    group = parser.add_argument_group(f"{_CONFIG_TITLE} (see `pixtrawl config show`)")
    group.add_argument("--config", metavar="FILE", help="settings file (TOML)")
    group.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="change a setting, of a source (google.base_url=URL) or other (fetch.max_redirects=5)",
    )


def add_output(parser: argparse.ArgumentParser, *, progress: bool = True) -> None:
    """Add `--json`, `-q`, `-v` and `--no-progress`."""
    group = parser.add_argument_group("output")
    group.add_argument("--json", action="store_true", help="print one JSON object on stdout")
    if progress:
        group.add_argument("-q", "--quiet", action="store_true", help="print errors only")
        group.add_argument(
            "-v", "--verbose", action="count", default=0, help="print more (-vv: everything)"
        )
        group.add_argument("--no-progress", action="store_true", help="show no live display")
        group.add_argument(
            "--metrics", metavar="PORT",
            help="serve metrics for Prometheus at http://127.0.0.1:PORT/metrics; also HOST:PORT, "
            "or FILE.prom for a file",
        )  # fmt: skip
        group.add_argument(
            "--log", metavar="FILE", help="append each event to this file, with its time"
        )
    _experts_last(parser)


def _experts_last(parser: argparse.ArgumentParser) -> None:
    groups = parser._action_groups
    groups.sort(key=lambda group: (group.title or "").startswith((_EXPERT_TITLE, _CONFIG_TITLE)))


def number(text: str) -> float:
    """Read a number of an option, as a `type` of argparse: no NaN, and of a usual size."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not (found == 0 or _LEAST <= abs(found) <= _MOST):  # nor NaN
        raise argparse.ArgumentTypeError(f"{text!r} is no number")
    return found


def scratch_of(arguments: argparse.Namespace) -> Path | None:
    """Return the folder of `--scratch`, None where none is given. Raise UsageError."""
    if not arguments.scratch:
        return None
    folder = Path(arguments.scratch)
    if not (folder.is_dir() and os.access(folder, os.W_OK)):
        raise UsageError(f"--scratch {folder}: must be a folder that can be written to")
    return folder


def given(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given on the command line, as `load` takes them."""
    values = {name: value for name, value in vars(arguments).items() if "." in name}
    return {**values, "set": arguments.set}


def load_settings(arguments: argparse.Namespace) -> Loaded:
    """Return the settings from defaults, files, environment and command line. Raise UsageError."""
    from pixtrawl.cli.known import known_sources

    return load(
        given(arguments),
        environ=os.environ,
        config_file=arguments.config,
        known=known_sources(),
    )
