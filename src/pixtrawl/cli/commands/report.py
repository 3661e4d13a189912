"""`pixtrawl report`: show the outcome of every query and URL of a data set."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.folder.dataset_folder import Folder

FORMATS: Final = ("jsonl", "csv")

EPILOG = """\
  pixtrawl report images                             counts, by reason and by query
  pixtrawl report images --urls > outcomes.jsonl     one line for each URL
  pixtrawl report images --urls --status failed --format csv
  pixtrawl report images --html report.html          one file to send: charts, licences, thumbnails
  pixtrawl report images --evidence OUT              copies pages and screenshots of failing sources
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "report",
        usage="%(prog)s DIR [--json | --html FILE | --evidence OUT | --urls [--reason R] ...]",
        help="what happened",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--evidence", metavar="OUT",
        help="copy the pages and screenshots kept of failing sources into the folder OUT",
    )  # fmt: skip
    parser.add_argument(
        "--html", metavar="FILE",
        help="write one page that opens offline, thumbnails included (under 20 MB)",
    )  # fmt: skip
    parser.add_argument(
        "folder",
        metavar="DIR",
        nargs="?",
        default="images",
        help="data set folder, or folder or URL of a set of shards",
    )
    group = parser.add_argument_group("outcomes by address")
    group.add_argument("--urls", action="store_true", help="one line for each URL, on stdout")
    for name, what in (
        ("reason", "only this reason, such as not_found (repeatable)"),
        ("status", "only saved, duplicate, near_duplicate, rejected, failed, skipped (repeatable)"),
        ("query", "only this query, by its text or label (repeatable)"),
    ):
        metavar = name[0].upper()
        group.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=f"{what}; with --urls"
        )
    group.add_argument(
        "--format", choices=FORMATS, default=None, help="form of the lines (default: jsonl)"
    )
    group.add_argument(
        "--withheld", action="store_true",
        help="also give the URLs of pictures that a block list refused; with --urls",
    )  # fmt: skip
    group.add_argument(
        "--junk", action="store_true",
        help="only images that look like junk and were kept, as your list names them; with --urls",
    )  # fmt: skip
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0 when there is a report, whatever it says."""
    from pixtrawl.cli import running
    from pixtrawl.cli.by_hand import report_changes_by_hand, show_changes_by_hand
    from pixtrawl.cli.commands.shard_sets import report_shards
    from pixtrawl.display.screen import note
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.folder.layout import is_shards
    from pixtrawl.pipeline.report import report

    if is_shards(arguments.folder):
        return report_shards(arguments, lines_of)
    folder = Folder(arguments.folder)
    if arguments.evidence is not None:
        report_changes_by_hand(folder.shown)
        return _copy_evidence(folder, Path(arguments.evidence), as_json=arguments.json)
    if arguments.html is not None:
        report_changes_by_hand(folder.shown)
        return _html(folder, Path(arguments.html), as_json=arguments.json)
    chosen = arguments.reason or arguments.status or arguments.query or arguments.format
    chosen = chosen or arguments.withheld or arguments.junk
    if arguments.urls or chosen:
        report_changes_by_hand(folder.shown)
        return _urls(arguments)
    where = running.shown_folder(arguments.folder)
    found = report(Path(arguments.folder), notify=show_changes_by_hand)
    if any("evidence" in s.detail for q in found.queries for s in q.sources.values()):
        found.evidence_command = f"pixtrawl report {where} --evidence OUT"
    if found.read_only:
        note(f"{where} is a copy without its hidden files: only what was kept is known")
    running.show_report(found, where=where, as_json=arguments.json)
    return 0


def _copy_evidence(folder: Folder, target: Path, *, as_json: bool) -> int:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.folder.evidence import copy_out

    files = [str(path) for path in copy_out(folder, target)]
    if as_json:
        out_json({"files": files})
    else:
        out("\n".join([*map(clean, files), f"{plural(len(files), 'file')} of evidence"]))
    return 0


def _html(folder: Folder, target: Path, *, as_json: bool) -> int:
    from msgspec import to_builtins

    from pixtrawl.amounts import size
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.operations.html_report import write_html_report

    done = write_html_report(folder, target)
    if as_json:
        out_json(to_builtins(done))
    else:
        shown = f"{done.shown:,} of {done.images:,} images"
        out(f"{clean(done.path)}: {shown}, {size(float(done.size_bytes))}")
    return 0


def _urls(arguments: argparse.Namespace) -> int:
    from pixtrawl.display.screen import out_stream
    from pixtrawl.pipeline.outcomes import Outcomes

    outcomes = Outcomes(
        arguments.folder, reason=arguments.reason, status=arguments.status,
        query=arguments.query, withheld=arguments.withheld,
        junk=arguments.junk,
    )  # fmt: skip
    rows = (one.row() for one in outcomes)
    out_stream(lines_of(rows, arguments.format))
    return 0


def lines_of(rows: Iterable[dict[str, Any]], form: str | None) -> Iterator[str]:
    """Return outcomes as lines, of CSV or JSON."""
    return _csv(rows) if form == "csv" else _json_lines(rows)


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    from pixtrawl.display.screen import json_line

    yield from map(json_line, rows)


def _csv(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    from pixtrawl.lines import csv_lines
    from pixtrawl.pipeline.outcomes import UrlOutcome

    yield from csv_lines([UrlOutcome.__struct_fields__])
    yield from csv_lines(row.values() for row in rows)
