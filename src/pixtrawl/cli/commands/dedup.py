"""`pixtrawl dedup`: list near duplicates that were dropped, and bring some back."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_output
from pixtrawl.secrets import masked_url

if TYPE_CHECKING:
    from pixtrawl.pipeline.curating.curate import Copy

_EPILOG = """\
Without --undo, list every kept image with the copies dropped in its favour: how many bits each
differs by and where it came from; then the placeholders and conflicts that were removed.

--undo makes such a copy an image of its own, with a new number; it is not dropped again. Give its
SHA-256 (8 digits or more) or the file kept aside, or give the kept image to bring back all its
copies.
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "dedup",
        usage="%(prog)s DIR [--list] [--undo SHA256|FILE ...] [--json]",
        help="look over near duplicates",
        description=__doc__,
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("--list", action="store_true", help="groups of near duplicates (default)")
    parser.add_argument(
        "--undo", metavar="SHA256|FILE", nargs="+", action="extend", default=[],
        help="bring these back as images",
    )  # fmt: skip
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural
    from pixtrawl.cli.by_hand import report_changes_by_hand
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating import curate

    report_changes_by_hand(arguments.folder)
    folder = Folder(arguments.folder)
    if arguments.undo:
        from pixtrawl.cli.loop import run_loop

        names, _ = run_loop(curate.take_back(folder, arguments.undo))
        if arguments.json:
            out_json({"files": names})
        else:
            lines = [clean(name) for name in names]
            done = f"{plural(len(names), 'image')} brought back"
            out("\n".join([*lines, done if names else "nothing to do: brought back before"]))
        return EXIT_OK
    groups: dict[str, list[Copy]] = {}
    for one in curate.copies(folder):
        groups.setdefault(one.of, []).append(one)
    if arguments.json:
        out_json({"groups": [_group(of, found) for of, found in groups.items()]})
        return EXIT_OK
    lines = []
    for of, found in groups.items():
        lines.append(clean(of) or "(taken out)")
        lines += [f"  {_line(one)}" for one in found]
    out("\n".join([*lines, plural(len(lines) - len(groups), "near duplicate")]))
    return EXIT_OK


def _group(of: str, found: list[Copy]) -> dict[str, object]:
    return {
        "file_name": of or None,
        "copies": [
            {
                "sha256": one.sha256,
                "label": one.label,
                "reason": one.reason,
                "distance": one.distance,
                "url": masked_url(one.url),
                "kept_aside": None if one.aside is None else str(one.aside),
            }
            for one in found
        ],
    }


def _line(one: Copy) -> str:
    from pixtrawl.display.screen import clean, shorten

    bits = "" if one.distance is None else f"{one.distance} bits"
    where = "" if one.aside else " (file gone)"
    url = shorten(clean(masked_url(one.url)), 60)
    return f"{one.sha256[:12]}  {one.reason:16}  {bits:>8}  {url}{where}"
