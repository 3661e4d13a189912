"""`pixtrawl relevance`: score how well each image fits its query, with a model on this computer."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from pixtrawl.cli.options import add_output

if TYPE_CHECKING:
    from pixtrawl.relevance.score import ScoreResult

_EPILOG = """\
PATH is a folder with visual.onnx, textual.onnx and tokenizer.json (docs/relevance.md says how to
make one), or open_clip's NAME:WEIGHTS. A score is the cosine between image and query. Scores are
stored in the data set and in column `relevance` of metadata.jsonl. Nothing is deleted: look at the
flagged images, and refuse those that do not belong with `pixtrawl reject FILE...`.
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "relevance",
        usage="%(prog)s DIR --model PATH [--batch N] [--device cpu|cuda] [OPTIONS]",
        help="score images against their queries",
        description=__doc__,
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("--model", metavar="PATH", required=True, help="the model; see below")
    parser.add_argument("--batch", metavar="N", type=int, default=32, help="images at a time (32)")
    parser.add_argument(
        "--device", metavar="{cpu,cuda}", default="cpu", help="device to run it on (cpu)"
    )
    parser.add_argument(
        "--prompt", metavar="TEXT", default="a photo of {}",
        help="text to compare with, {} standing for the query (default: 'a photo of {}')",
    )  # fmt: skip
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--outliers", action="store_true",
        help="flag images that score far lower than the rest of their query (default)",
    )  # fmt: skip
    which.add_argument(
        "--flag-below", metavar="X", type=float, help="flag images that score below X"
    )
    parser.add_argument(
        "--duplicates", metavar="COSINE", type=float,
        help="list images of a label whose embeddings have at least this cosine, such as 0.95",
    )  # fmt: skip
    add_output(parser)


def main(arguments: argparse.Namespace) -> int:
    """Runs it. Returns the exit code: 0, or 4 where there is no image to score."""
    from pixtrawl.display.screen import note, out, out_json
    from pixtrawl.errors import EXIT_NOTHING, EXIT_OK
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.relevance.loading import load_model
    from pixtrawl.relevance.score import ScoreOptions, score

    options = ScoreOptions(
        batch=arguments.batch,
        prompt=arguments.prompt,
        flag_below=arguments.flag_below,
        duplicates=arguments.duplicates,
    )
    model = load_model(arguments.model, arguments.device)
    folder = Folder(arguments.folder)
    quiet = arguments.quiet or arguments.no_progress or not sys.stderr.isatty()
    found = score(folder, model, options, None if quiet else _show)
    if not quiet:
        sys.stderr.write("\n")
    if not arguments.quiet:
        for one in found.unreadable:
            note(f"{one.file_name}: {one.why}")
    if arguments.json:
        out_json(_json(found))
    else:
        out("\n".join(_lines(found)))
    return EXIT_OK if found.queries else EXIT_NOTHING


def _show(done: int) -> None:
    sys.stderr.write(f"\r{done:,} images embedded")
    sys.stderr.flush()


def _json(found: ScoreResult) -> dict[str, object]:
    return {
        "model": found.model,
        "embedded": found.embedded,
        "queries": [
            {
                "query": one.text,
                "label": one.label,
                "images": one.images,
                "median": round(one.median, 4),
                "flagged_below": None if one.limit is None else round(one.limit, 4),
                "flagged": [{"file_name": n, "score": round(s, 4)} for n, s in one.flagged],
            }
            for one in found.queries
        ],
        "duplicates": [
            {"file_name": d.file_name, "of": d.of, "cosine": round(d.cosine, 4)}
            for d in found.duplicates
        ],
        "unreadable": [{"file_name": u.file_name, "why": u.why} for u in found.unreadable],
    }


def _lines(found: ScoreResult) -> list[str]:
    from pixtrawl.display.screen import clean, columns, plural

    if not found.queries:
        return ["no image to score"]
    rows = [("query", "images", "median", "flagged")]
    rows += [
        (clean(one.text), f"{one.images:,}", f"{one.median:.3f}", f"{len(one.flagged):,}")
        for one in found.queries
    ]
    lines = [columns(rows, right=(1, 2, 3))]
    flagged = [pair for one in found.queries for pair in one.flagged]
    lines += [f"{value:6.3f}  {clean(name)}" for name, value in flagged]
    lines += [
        f"{d.cosine:6.3f}  {clean(d.file_name)}  like {clean(d.of)}" for d in found.duplicates
    ]
    total = sum(one.images for one in found.queries)
    return [*lines, f"{plural(total, 'image')} scored, {len(flagged):,} flagged (none deleted)"]
