"""`pixtrawl audit`: check the classes of a data set, and name the commands to act."""

from __future__ import annotations

import argparse
import shlex
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.scoring.class_check import Audit, Doubt

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
_MOST_FILES: Final = 12  # in one command


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "audit",
        usage="%(prog)s DIR [--model NAME] [--show N] [--json]",
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
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.display.screen import out, out_json
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.pipeline.opened import looked_at
    from pixtrawl.scoring.auditing import audit_of

    folder = Folder(arguments.folder)
    folder.require()
    with looked_at(folder) as db:
        found = audit_of(db, model=arguments.model)
    if arguments.json:
        out_json(as_json(found, arguments.folder))
    else:
        out("\n".join(_lines(found, arguments.folder, arguments.show)))
    return EXIT_OK


def as_json(found: Audit, where: str) -> dict[str, object]:
    """Return the result with the commands to act, for `--json`."""
    import msgspec

    plain: dict[str, object] = msgspec.to_builtins(found)
    return plain | {"commands": _commands(found, found.doubts, where)}


def _commands(found_by: Audit, doubts: tuple[Doubt, ...], where: str) -> list[str]:
    """Return commands that act on doubts; none by looks, of which most are mistaken."""
    if found_by.by != "embedding":
        return []
    by_like: dict[str, list[str]] = defaultdict(list)
    for one in doubts:
        by_like[one.like].append(one.file_name)
    found = []
    for like, files in sorted(by_like.items()):
        for at in range(0, len(files), _MOST_FILES):
            names = " ".join(shlex.quote(name) for name in files[at : at + _MOST_FILES])
            command = f"label {shlex.quote(where)} {names} --to {shlex.quote(like)}"
            found.append(
                f"pixtrawl {command}" if like else f"pixtrawl reject {shlex.quote(where)} {names}"
            )
    return found


def _lines(found: Audit, where: str, show: int) -> list[str]:
    from pixtrawl.display.screen import clean, plural

    how = f"embeddings of {found.model}" if found.by == "embedding" else (
        "looks (light, layout, colours), which find little; "
        "`pixtrawl score DIR --model MODEL --as NAME` gives embeddings"
    )  # fmt: skip
    lines = [f"{plural(found.images, 'image')} checked by {how}"]
    if found.doubts:
        what = "likely wrong labels" if found.by == "embedding" else "odd by looks in their labels"
        lines.append(f"{what}: {len(found.doubts):,}")
    for one in found.doubts[:show]:
        like = f"like {one.like}" if one.like else "unlike its label"
        lines.append(f"  {one.score:5.2f}  {clean(one.file_name)}  {clean(like)}")
    if len(found.doubts) > show:
        lines.append(f"  ... and {len(found.doubts) - show:,} more (--show, --json)")
    for pair in found.overlaps:
        names = " and ".join(clean(label) for label in pair.labels)
        lines.append(f"overlap: {names} ({pair.share:.0%}): {clean(', '.join(pair.files[:3]))}")
    for bias in found.biases:
        what = f"from {bias.what}" if bias.kind == "host" else f"looks like {bias.what}"
        lines.append(f"bias: {clean(bias.label)}: {bias.share:.0%} {clean(what)}")
    for small in found.small:
        images = plural(small.images, "image")
        lines.append(
            f"few: {clean(small.label)} has {images}, the middle label {small.median:,}; "
            f"pixtrawl run {clean(shlex.quote(small.label))} -o {clean(shlex.quote(where))}"
        )
    commands = _commands(found, found.doubts[:show], where)
    if commands:
        lines += ["after a look at the pictures:", *(f"  {clean(one)}" for one in commands)]
    if len(lines) == 1:
        lines.append("nothing stands out")
    return lines
