"""`pixtrawl takedown`: remove images of a data set and never fetch them again."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating.curate import Remembered

_EPILOG = """\
The image files are deleted. Their rows stay, marked as taken down, so that neither the number nor
the bytes come back. A rule for a domain or URL covers the image's URL, its redirects and the page
it appears on; these are not requested again. Exports leave out everything that was taken down.

--undo forgets rules: the next run fetches again whatever only those rules removed. To bring back
files that you deleted by hand, use `pixtrawl restore`.

examples:
  pixtrawl takedown images --domain example.org
  pixtrawl takedown images --block-hashes list.csv
  pixtrawl takedown images --list
  pixtrawl takedown images --undo --domain example.org
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "takedown",
        usage="%(prog)s DIR [FILE...] [--domain D] [--url U] [--sha256 H] [--phash HEX[:BITS]] "
        "[--block-hashes FILE]",
        help="remove images for good",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("files", metavar="FILE", nargs="*", help="image files in it")
    for name, metavar, sentence in (
        ("domain", "D", "everything from this domain and its subdomains (repeatable)"),
        ("url", "U", "the image at this URL, or all images of this page (repeatable)"),
        ("sha256", "H", "the image with this hash (repeatable)"),
        ("phash", "HEX[:BITS]", "images that look like this, within BITS (default 31; repeatable)"),
    ):
        parser.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=sentence
        )
    parser.add_argument(
        "--block-hashes", metavar="FILE", action="append", default=[],
        help="what this list of SHA-256, MD5 or PDQ hashes holds, copies held back included "
        "(repeatable)",
    )  # fmt: skip
    parser.add_argument("--list", action="store_true", help="list what was taken down so far")
    parser.add_argument("--undo", action="store_true", help="forget these rules or files")
    parser.add_argument("--dry-run", action="store_true", help="only show what would be removed")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code: 0, whether or not there was an image to remove."""
    from pixtrawl.amounts import plural
    from pixtrawl.catalog.decisions.takedown import KINDS, parse_rule
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating import curate

    folder = Folder(arguments.folder)
    rules = [parse_rule(kind, text) for kind in KINDS for text in getattr(arguments, kind)]
    if arguments.list:
        known = curate.rules_of(folder)
        if arguments.json:
            out_json({"rules": [
                {"kind": one.rule.kind, "value": one.rule.value, "at": one.rule.at,
                 "removed": one.removed, "because": list(one.because)}
                for one in known
            ]})  # fmt: skip
        else:
            out("\n".join(_rule_lines(known)) or "nothing yet")
        return EXIT_OK
    if arguments.block_hashes:
        return _block(folder, arguments)
    if not rules and not arguments.files:
        raise UsageError(
            "nothing to take down: give FILE, --domain, --url, --sha256, --phash or --block-hashes"
        )
    if arguments.undo:
        from pixtrawl.pipeline.curating.restore import undo_takedown

        back = undo_takedown(folder, rules, arguments.files)
        if arguments.json:
            out_json({"to_fetch": [one.file_name for one in back]})
        else:
            lines = [f"{clean(one.file_name)}  ({clean(one.url)})" for one in back]
            tail = "the next run of their queries fetches them again"
            out("\n".join([*lines, f"forgotten; {plural(len(back), 'image')} free: {tail}"]))
        return EXIT_OK
    taken = curate.take_down(folder, rules, arguments.files, dry_run=arguments.dry_run)
    if arguments.json:
        removed = [{"file_name": t.file_name, "sha256": t.sha256, "why": t.why} for t in taken]
        out_json({"removed": removed, "dry_run": arguments.dry_run})
        return EXIT_OK
    lines = [f"{clean(one.file_name)}  ({clean(one.why)})" for one in taken]
    word = "would be removed" if arguments.dry_run else "removed"
    kept = ""
    if rules and not arguments.dry_run:
        kept = "; the rule is kept: nothing of it is fetched in the future (--undo forgets it)"
    out("\n".join([*lines, f"{plural(len(taken), 'image')} {word}{kept}"]))
    return EXIT_OK


def _block(folder: Folder, arguments: argparse.Namespace) -> int:
    """Hold block lists against the data set; say how many files they hold, and not their URLs."""
    from pixtrawl.amounts import plural
    from pixtrawl.config.load import load
    from pixtrawl.display.screen import clean, note, out, out_json
    from pixtrawl.errors import EXIT_OK, UsageError
    from pixtrawl.pipeline.curating import block_check

    names = ("files", "domain", "url", "sha256", "phash", "undo")
    if any(getattr(arguments, name) for name in names):
        raise UsageError("--block-hashes goes alone; take down by other rules in a call of its own")
    given = {"images.block_hashes": arguments.block_hashes, "set": []}
    images = load(given, environ=os.environ).config.images
    hits, remark = block_check.check_stored(folder, images, dry_run=arguments.dry_run)
    if remark is not None:
        note(remark)
    if arguments.json:
        removed = [{"file_name": h.file_name, "sha256": h.sha256, "why": h.why} for h in hits]
        out_json({"removed": removed, "dry_run": arguments.dry_run})
        return EXIT_OK
    word = "would be removed" if arguments.dry_run else "removed"
    lines = [f"{clean(h.file_name) or 'a copy held back'}  ({clean(h.why)})" for h in hits]
    tail = "" if arguments.dry_run else "; give the list to runs, too: --block-hashes"
    out("\n".join([*lines, f"{plural(len(hits), 'file')} {word}{tail}"]))
    return EXIT_OK


def _rule_lines(known: Sequence[Remembered]) -> Iterator[str]:
    """Return a line for each rule and file of the command line, not for images they removed too."""
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean

    for one in known:
        names = [cause for cause in one.because if cause.startswith("file ")]
        if one.because and not names:
            continue
        what = names[0] if names else f"{one.rule.kind} {one.rule.value}"
        yield f"{one.rule.at}  {clean(what)}  ({plural(one.removed, 'image')} removed)"
