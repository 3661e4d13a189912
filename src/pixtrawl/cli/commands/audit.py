"""`pixtrawl audit`: check the classes of a data set, and name the commands to act."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.scoring.classes.check import Audit, Doubt

_EPILOG: Final = """\
By embeddings where `pixtrawl score` stored some (an image-text or embedding model), else by looks
(light, layout, colours), which find little. Nothing is changed: look at the pictures, then use the
commands shown. Images that you kept (`pixtrawl like`, the studio) are not doubted.

  likely wrong  the nearest images have another label (or none are near: unlike its label)
  overlap       images of two labels are each other's neighbours: merge them, or word them apart
  bias          most of a label is from one host, or looks the same
  few           a label has few images beside the others

exit codes: 0 whatever is found
"""
_SHOWN: Final = 20
_MOST_COMMANDS: Final = 10  # of more overlaps the pairs alone are listed


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "audit",
        usage="%(prog)s DIR [--model NAME] [--show N] [--html FILE] [--json]",
        help="check classes: wrong labels, overlaps, bias",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument(
        "--model", metavar="NAME", default="", help="model whose embeddings to take, by its name"
    )
    parser.add_argument(
        "--show", metavar="N", type=int, default=_SHOWN, help="likely wrong images to show (20)"
    )
    parser.add_argument(
        "--html", metavar="FILE",
        help="also write one page that opens offline: the pictures in question, with the commands",
    )  # fmt: skip
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.amounts import plural, size
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.operations.audit_page import write_audit_page
    from pixtrawl.pipeline.finished.opened import looked_at
    from pixtrawl.scoring.classes.auditing import audit_of

    folder = Folder(arguments.folder)
    folder.require()
    with looked_at(folder) as db:
        found = audit_of(db, model=arguments.model)
        lines = _lines(db, found, arguments.folder, arguments.show)
        plain = as_json(found, arguments.folder)
        if arguments.html is not None:
            target = Path(arguments.html)
            page = write_audit_page(db, folder, found, arguments.folder, target)
            plain |= {"page": page.path}
            shown = f"shows {page.shown:,} of {plural(page.doubts, 'likely wrong image')}"
            shown = f"{shown}, " if page.doubts else ""
            lines.append(f"{clean(page.path)}: {shown}{size(float(page.size_bytes))}")
    if arguments.json:
        out_json(plain)
    else:
        out("\n".join(lines))
    return EXIT_OK


def as_json(found: Audit, where: str) -> dict[str, object]:
    """Return the result with the commands to act, for `--json`."""
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(found)
    return plain | {"commands": _commands(found, found.doubts, where)}


def _commands(found: Audit, doubts: Sequence[Doubt], where: str) -> list[str]:
    from pixtrawl.operations.audit_actions import doubt_actions

    return [one.command for one in doubt_actions(found.by, doubts, where) if one.command]


def _lines(db: sqlite3.Connection, found: Audit, where: str, show: int) -> list[str]:
    from pixtrawl.amounts import plural
    from pixtrawl.catalog.views import counts as look_counts
    from pixtrawl.display.screen import clean, to_copy
    from pixtrawl.operations.audit_actions import merge_command, query_texts, refill_command

    how = f"embeddings of {found.model}" if found.by == "embedding" else (
        "looks (light, layout, colours), which find little; "
        "`pixtrawl score DIR --model MODEL --as NAME` gives embeddings"
    )  # fmt: skip
    lines = [f"{plural(found.images, 'image')} checked by {how}"]
    lines += _doubt_lines(found, where, show)
    sizes = dict(look_counts.label_counts(db)) if found.overlaps else {}
    for pair in found.overlaps:
        names = " and ".join(clean(label) for label in pair.labels)
        lines.append(f"overlap: {names} ({pair.share:.0%}): {clean(', '.join(pair.files[:3]))}")
        if len(found.overlaps) <= _MOST_COMMANDS:
            lines.append(f"  if both are one: {to_copy(merge_command(pair.labels, sizes, where))}")
    for bias in found.biases:
        what = f"from {bias.what}" if bias.kind == "host" else f"looks like {bias.what}"
        lines.append(f"bias: {clean(bias.label)}: {bias.share:.0%} {clean(what)}")
    texts = query_texts(db) if found.small else {}
    for small in found.small:
        images = plural(small.images, "image")
        lines.append(f"few: {clean(small.label)} has {images}, the middle label {small.median:,}")
        lines.append(f"  for more: {to_copy(refill_command(small, texts, where))}")
    if len(lines) == 1:
        lines.append("nothing stands out")
    elif not found.doubts and found.by == "embedding":
        lines.insert(1, "likely wrong labels: none")
    return lines


def _doubt_lines(found: Audit, where: str, show: int) -> list[str]:
    from pixtrawl.display.screen import clean, to_copy

    if not found.doubts:
        return []
    what = "likely wrong labels" if found.by == "embedding" else "odd by looks in their labels"
    lines = [f"{what}: {len(found.doubts):,} (how sure, the file, what it looks like)"]
    for one in found.doubts[:show]:
        like = f"like {one.like}" if one.like else "unlike its label"
        lines.append(f"  {one.score:5.2f}  {clean(one.file_name)}  {clean(like)}")
    if len(found.doubts) > show:
        lines.append(f"  ... and {len(found.doubts) - show:,} more (--show, --html, --json)")
    commands = _commands(found, found.doubts[:show], where)
    if commands:
        lines += ["after a look at the pictures (--html FILE shows them):"]
        lines += [f"  {to_copy(one)}" for one in commands]
    return lines
