"""`pixtrawl restore`: bring back images that were removed."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.options import add_output

_EPILOG = """\
Without FILE or option: all that was deleted by hand. Near duplicates come back from where they are
kept aside, at once; what is nowhere any more is fetched again by the next `run` or `download` of
its query, under its old number. Images that a rule of `takedown` holds: `pixtrawl takedown --undo`.

examples:
  pixtrawl restore images --list
  pixtrawl restore images "tabby cat/000012.jpg"
  pixtrawl restore images --label "tabby cat"

exit codes: 0 done, 2 nothing of this was removed, 5 a run is at work on the data set
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "restore",
        usage="%(prog)s DIR [FILE...] [--label L] [--sha256 H] [--url U] [--list]",
        help="bring back what was removed",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("files", metavar="FILE", nargs="*", help="names the files had")
    for name, metavar, sentence in (
        ("label", "L", "all deleted images of this label (repeatable)"),
        ("sha256", "H", "image with this hash; 8 digits or more will do (repeatable)"),
        ("url", "U", "image from this URL (repeatable)"),
    ):
        parser.add_argument(
            f"--{name}", metavar=metavar, action="append", default=[], help=sentence
        )
    parser.add_argument("--list", action="store_true", help="list what can be brought back")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural
    from pixtrawl.cli.by_hand import report_changes_by_hand
    from pixtrawl.cli.loop import run_loop
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.curating.restore import Wanted, removed, restore

    report_changes_by_hand(arguments.folder)
    folder = Folder(arguments.folder)
    if arguments.list:
        known = removed(folder)
        if arguments.json:
            out_json({"removed": [
                {"file_name": one.file_name, "sha256": one.sha256, "url": one.url, "how": one.how}
                for one in known
            ]})  # fmt: skip
        else:
            lines = [f"{clean(one.file_name)}  {one.how}  {clean(one.url)}" for one in known]
            out("\n".join([*lines, plural(len(known), "removed image")]))
        return EXIT_OK
    wanted = Wanted(
        tuple(arguments.files), tuple(arguments.label), tuple(arguments.sha256),
        tuple(arguments.url),
    )  # fmt: skip
    done, _ = run_loop(restore(folder, wanted))
    if arguments.json:
        fetched = [one.file_name for one in done.to_fetch]
        out_json({"files": list(done.files), "to_fetch": fetched})
        return EXIT_OK
    lines = [*map(clean, done.files), f"{plural(len(done.files), 'image')} brought back"]
    if done.to_fetch:
        lines += [f"{clean(one.file_name)}  ({clean(one.url)})" for one in done.to_fetch]
        count = plural(len(done.to_fetch), "image")
        lines.append(f"{count} will be fetched again by the next run of the query")
    out("\n".join(lines))
    return EXIT_OK
