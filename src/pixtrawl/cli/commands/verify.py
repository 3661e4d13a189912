"""`pixtrawl verify`: check that every image is there and unaltered, and nothing else."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.pipeline.finished.verify import Verified

_EPILOG: Final = """\
Every file is read and its SHA-256 compared; --quick compares names and sizes only. Nothing is
written or deleted. A copy without the hidden files is compared with its metadata.jsonl.

--repair first makes a catalog again that is missing, empty or damaged: from metadata.jsonl, the
image files and the journal of decisions. It says what was recovered and what could not be, and
keeps the damaged file. `run` and `download` do so themselves where the catalog is missing or empty.

examples:
  pixtrawl verify images
  pixtrawl verify images --quick --json
  pixtrawl verify images --repair

exit codes: 0 all is well, 3 something is missing, altered or foreign, 2 no data set,
5 the data set is in use or cannot be read
"""
_SHOWN: Final = 20  # of each kind, on a terminal


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "verify",
        usage="%(prog)s DIR [--quick] [--repair] [--json]",
        help="check every file",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", metavar="DIR", nargs="?", default="images", help="data set folder"
    )
    parser.add_argument("--quick", action="store_true", help="compare names and sizes only")
    parser.add_argument(
        "--repair", action="store_true", help="first make a lost or damaged catalog again"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.errors import EXIT_OK, EXIT_SHORT
    from pixtrawl.pipeline.finished.verify import ADVICE, repair, verify

    if arguments.repair and not repair(arguments.folder):
        note("the catalog is sound: there is nothing to repair")
    watched = sys.stderr.isatty() and not arguments.quiet

    def show_progress(done: int, total: int) -> None:
        if watched and (done % 100 == 0 or done == total):
            sys.stderr.write(f"\r{done:,} of {total:,} files" + ("\n" if done == total else ""))
            sys.stderr.flush()

    found = verify(arguments.folder, quick=arguments.quick, on_progress=show_progress)
    if arguments.json:
        out_json(
            {
                "ok": found.ok,
                "images": found.images,
                "troubles": [
                    {"file_name": one.file_name, "state": one.state, "detail": one.detail}
                    for one in found.troubles
                ],
                "notes": list(found.notes),
            }
        )
    else:
        out("\n".join(_lines(found, arguments.folder, ADVICE)))
    return EXIT_OK if found.ok else EXIT_SHORT


def _lines(found: Verified, root: str, advice: dict[str, str]) -> list[str]:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean

    lines = []
    for state, step in advice.items():
        troubles = [one for one in found.troubles if one.state == state]
        for one in troubles[:_SHOWN]:
            detail = f"  ({clean(one.detail)})" if one.detail else ""
            lines.append(f"{state:8} {clean(one.file_name)}{detail}")
        if more := len(troubles) - _SHOWN:
            lines += [f"{state:8} … and {more:,} more (--json lists all)"] if more > 0 else []
        if troubles:
            lines.append(f"  next: {step.replace('DIR', clean(root))}")
    lines += [f"note: {clean(text)}" for text in found.notes]
    verdict = (
        "all is well" if found.ok else f"{plural(len(found.troubles), 'file')} other than recorded"
    )
    return [*lines, f"{verdict}: {plural(found.images, 'image')} in {clean(root)}"]
