"""`pixtrawl config show`: show every setting, its value and where it was set."""

from __future__ import annotations

import argparse
import os
from typing import Any

from pixtrawl.cli.options import add_config, add_output, load_settings
from pixtrawl.config.load import CONFIG_VARIABLE, Loaded, user_config_path
from pixtrawl.config.table import shown_setting, table
from pixtrawl.secrets import masked_text

EPILOG = "Keys and tokens are never shown, only whether and where each is set."


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "config",
        usage="%(prog)s show [OPTIONS]",
        help="every setting",
        description=__doc__,
        epilog=EPILOG,
    )
    parser.add_argument("action", choices=("show",), metavar="show", nargs="?", default="show")
    add_config(parser)
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.cli import running
    from pixtrawl.display.screen import clean, columns, out, out_json

    loaded = load_settings(arguments)
    running.warn(loaded, quiet=False)
    rows = setting_rows(loaded)
    chosen = arguments.config or os.environ.get(CONFIG_VARIABLE)
    files = [str(user_config_path()), *([chosen] if chosen else [])]
    if arguments.json:
        shown = {name: {"value": value, "origin": where} for name, value, where in rows}
        out_json({"files": files, "settings": shown})
        return 0
    lines = [(name, clean(where), clean(value) or "-") for name, value, where in rows]
    out(columns([("setting", "from", "value"), *lines], widest=72))
    out(f"\nuser's file: {files[0]}{'' if user_config_path().is_file() else ' (not there)'}")
    return 0


def setting_rows(loaded: Loaded) -> list[tuple[str, str, str]]:
    """Return (name, value, origin) of every setting, sources' own last; secrets are hidden."""
    from pixtrawl.sources import is_secret

    rows = []
    for row in table():
        value = getattr(getattr(loaded.config, row.group), row.name)
        text = masked_text(shown_setting(row, value))
        rows.append((row.key, text, loaded.origins[row.key]))
    for source, keys in sorted(loaded.config.sources.items()):
        for key, text in sorted(keys.items()):
            shown = "set" if is_secret(source, key) else masked_text(text)
            rows.append((f"{source}.{key}", shown, loaded.origins[f"{source}.{key}"]))
    return rows
