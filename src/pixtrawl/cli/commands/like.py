"""`pixtrawl like` and `unlike`: keep or refuse images, and order the others by that."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, Final

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.pipeline.curating.deciding import Recorded
    from pixtrawl.scoring.likes.liking import Liked

_EPILOG: Final = """\
`like` marks images as wanted; `unlike` refuses them, as `pixtrawl reject` does, and a run finds
others in their place. After either, the images of their labels are ordered by likeness to what you
kept and refused, into the column `liked` (0 to 1): by embeddings where `pixtrawl score` stored
some, else by looks (light, layout, colours), which say little of the subject. Named are the
images of which the order is least certain, too: decisions on those teach it most. Without FILE the
order is made again, for decisions of the studio too. `pixtrawl undo` takes a decision back.

examples:
  pixtrawl like images "tabby cat/000001.jpg" "tabby cat/000007.jpg"
  pixtrawl unlike images "tabby cat/000004.jpg"
  pixtrawl export images --to csv -o good.csv --where 'liked>=0.5'

exit codes: 0 done, 2 no such image
"""
_SHOWN: Final = 20


def add_parser(subparsers: Any) -> None:
    """Register `like`."""
    add_named(subparsers, "like", "mark images as wanted, and order the others by them")


def add_named(subparsers: Any, name: str, sentence: str) -> None:
    """Register a command with the options of both."""
    parser = subparsers.add_parser(
        name,
        usage="%(prog)s [DIR] [FILE...] [--model NAME] [--show N]",
        help=sentence,
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("files", metavar="FILE", nargs="*", help="image files or label folders")
    parser.add_argument(
        "--model", metavar="NAME", default="", help="model whose embeddings to take, by its name"
    )
    parser.add_argument(
        "--show", metavar="N", type=int, default=_SHOWN,
        help="images of each label to show from both ends of the order, and uncertain ones (20)",
    )  # fmt: skip
    parser.add_argument("-o", "--output", metavar="DIR", help="data set folder")
    add_output(parser, progress=False)


def main(arguments: argparse.Namespace) -> int:
    """Run `like`. Return the exit code."""
    return decide(arguments, wanted=True)


def decide(arguments: argparse.Namespace, *, wanted: bool) -> int:
    """Record the decision, order the images, and print the order. Return the exit code."""
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.errors import EXIT_OK
    from pixtrawl.pipeline.curating.deciding import keep, reject
    from pixtrawl.pipeline.finished.opened import looked_at, split_root
    from pixtrawl.scoring.likeness.spaces import demand_model
    from pixtrawl.scoring.likes.liking import rank_by_likes

    command = "like" if wanted else "unlike"
    folder, names = split_root(
        arguments.files or ["images"], arguments.output, command=command
    )  # fmt: skip
    done: Recorded | None = None
    folder.require()
    if arguments.model:
        with looked_at(folder) as db:
            demand_model(db, arguments.model)
    if names:
        done = keep(folder, names, who="cli") if wanted else reject(folder, names, who="cli")
    if done is not None and done.by_run:
        note("the run at work carries it out; order the images when it is over, without FILE")
        return EXIT_OK
    found = rank_by_likes(folder, model=arguments.model)
    if arguments.json:
        out_json(_json(found, done))
    else:
        out("\n".join(_lines(found, arguments.show)))
    return EXIT_OK


def _json(found: Liked, done: Recorded | None) -> dict[str, object]:
    return {
        "by": found.by,
        "model": found.model,
        "decided": [one.file_name for one in done.records] if done is not None else [],
        "labels": [
            {
                "label": one.label, "kept": one.kept, "refused": one.refused,
                "images": [{"file_name": n, "liked": round(s, 4)} for n, s in one.files],
                "uncertain": list(one.uncertain),
            }
            for one in found.labels
        ],
    }  # fmt: skip


def _lines(found: Liked, show: int) -> list[str]:
    from pixtrawl.amounts import plural
    from pixtrawl.display.screen import clean

    if not found.labels:
        return [
            "nothing to order: no image with a look is kept or refused yet; name some with FILE"
        ]
    how = f"embeddings of {found.model}" if found.by == "embedding" else (
        "looks (light, layout, colours); `pixtrawl score DIR --model MODEL` gives embeddings, "
        "which know what is shown"
    )  # fmt: skip
    lines = [f"ordered by {how}"]
    for one in found.labels:
        lines.append(f"{clean(one.label)}: {one.kept} kept, {one.refused} refused")
        values = [f"  {value:5.3f}  {clean(name)}" for name, value in one.files]
        end = max(show // 2, 1)
        if len(values) > 2 * end:
            between = f"  ... {plural(len(values) - 2 * end, 'image')} between ..."
            values = [*values[:end], between, *values[-end:]]
        lines += values
        if one.uncertain:
            lines.append("  least certain, to decide on next:")
            lines += [f"    {clean(name)}" for name in one.uncertain[: max(show, 1)]]
    return [*lines, "column `liked`: pixtrawl export ... --where 'liked>=0.5'; unlike the worst"]
