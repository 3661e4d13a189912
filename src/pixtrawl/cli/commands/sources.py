"""`pixtrawl sources`: list the sources, what each needs, and what its terms say.

`pixtrawl sources check NAME PAGE...`: read saved pages with a source's own parser, offline.
`pixtrawl sources save NAME QUERY`: ask a source once and pack its answer into a zip file.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import to_builtins

from pixtrawl.cli.commands import sources_save
from pixtrawl.cli.commands.sources_check import WORD, check
from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.operations.source_facts import Groups, SettingFacts, SourceFacts

EPILOG = """\
With NAME, show everything about a source, including its settings and terms. Groups: auto (the
default: general web images), open (licensed), species. The sources of a group are searched at the
same time, each at its own pace, and their results are mixed by rank. If the base_url of any of them
is on this computer (for practice), only those are searched.

`sources check` reads saved pages (the evidence of a run, or saved in a browser) as the source
would, without using the network, and prints the outcome, the results and what is missing. Each page
answers one request: first a list, then the page of its first record. Exit code 0: the source can
read them; 3: it cannot.

`sources save` sends one query to a source and packs its answer, and what was read from it, into one
zip file for whoever maintains the source; `sources check NAME FILE` reads it. Cookies, keys,
tokens, e-mail and network addresses are masked; look at the file before you send it.
"""


_SETTINGS: Final = frozenset(
    {"fetch.allow_address", "fetch.proxy", "fetch.cookies", "fetch.contact", "fetch.user_agent"}
)


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "sources",
        usage="%(prog)s [NAME... | check NAME PAGE... | save NAME QUERY] [OPTIONS]",
        help="where to look",
        description=__doc__,
        epilog=EPILOG,
    )
    parser.add_argument("names", metavar="NAME", nargs="*", help="show details of these sources")
    parser.add_argument(
        "-o", "--output", dest="save_to", metavar="FILE", help="for `save`: zip file to write"
    )
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.operations.source_facts import groups, source_facts

    config = load_settings(arguments).config
    if arguments.names[:1] == [WORD]:
        return check(arguments.names[1:], config, as_json=arguments.json)
    if arguments.names[:1] == [sources_save.WORD]:
        rest = arguments.names[1:]
        return sources_save.save(rest, arguments.save_to, config, as_json=arguments.json)
    if arguments.save_to:
        raise UsageError('-o FILE belongs to: pixtrawl sources save NAME "query" -o FILE')
    rows = source_facts(arguments.names, config.sources)
    if arguments.json:
        out_json({"sources": to_builtins(rows)})
    elif arguments.names:
        out("\n\n".join(_details(row) for row in rows))
    else:
        out(f"{_table(rows)}\n\n{_default_words(rows, groups(config.sources))}")
    return 0


def _default_words(rows: Sequence[SourceFacts], asked: Groups) -> str:
    """Return the default sources, and how many sources are usable now."""
    bare = sum(row.needs_nothing_of_the_user for row in rows)
    lines = [
        f"asked without -s (group auto): {', '.join(asked.auto)}",
        f"-s open: {', '.join(asked.open)}",
        f"-s species: {', '.join(asked.species)}",
    ]
    free = f"{bare} need no key and no server of yours"
    lines.append(f"{len(rows)} sources; {free}; what is in no group is asked when it is named")
    return "\n".join(lines)


def _table(rows: Sequence[SourceFacts]) -> str:
    from pixtrawl.display.screen import columns

    cells = [
        (
            row.name,
            _groups(row) or "-",
            ", ".join(row.needs) or "-",
            row.license,
            row.verified,
            row.limit or "-",
            f"{row.title}{' (see below)' if row.missing else ''}",
        )
        for row in rows
    ]
    head = ("source", "groups", "needs", "licence", "verified", "limit", "title")
    text = columns([head, *cells], widest=28)
    missing = "".join(f"\n  {sentence}" for row in rows for sentence in row.missing)
    tail = "\n\n(group): asks it only once it is switched on, with --set NAME.enabled=true"
    tail += "\n`pixtrawl sources NAME` shows its filters, settings, pace and terms"
    return text + (f"\n\nnot there yet:{missing}" if missing else "") + tail


def _details(row: SourceFacts) -> str:
    from pixtrawl.display.screen import columns

    pairs = [
        ("base URL", row.base_url),
        ("groups", _groups(row) or "none: only when named (-s)"),
        ("needs", ", ".join(row.needs) or "nothing"),
        *(("missing", sentence) for sentence in row.missing),
        ("filters", ", ".join(row.filters) or "none"),
        ("limit", row.limit or "not known"),
        ("pace", f"{row.delay_s:g} s between requests" if row.delay_s else "no pause"),
        ("licences", row.license),
        ("verified", row.verified),
        ("terms", row.terms or "not known"),
        ("settings", f"--set {row.name}.KEY=VALUE, PIXTRAWL_{row.name.upper()}_KEY"),
        *((f"  {one.key}", _setting(one)) for one in row.settings),
    ]
    return f"{row.name}: {row.title}. {row.sentence}\n" + columns(pairs)


def _groups(row: SourceFacts) -> str:
    return ", ".join([*row.groups, *(f"({group})" for group in row.groups_if_enabled)])


def _setting(one: SettingFacts) -> str:
    default = f" (default: {one.default})" if one.default else ""
    return f"{one.sentence}{default}{' (secret)' if one.secret else ''}"
