"""`pixtrawl search`: find images of a data set by words, or by likeness to some of them."""

from __future__ import annotations

import argparse
from typing import Any, Final

from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings

_EPILOG: Final = """\
By words: with the image-text model whose embeddings `pixtrawl score` stored. --like FILE needs no
model: without embeddings the looks are compared (light, layout, colours).

examples:
  pixtrawl search images "a cat on a sofa" --model models/clip-b32
  pixtrawl search images --like "tabby cat/000007.jpg" -n 50

exit codes: 0 found, 2 no such image or model, 4 no image has an embedding by the model
"""
_SETTINGS: Final = frozenset({"models.base_url", "models.folder"})


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "search",
        usage="%(prog)s DIR [WORDS] [--model MODEL] [--like FILE...] [-n N]",
        help="find images by words or by likeness",
        description=__doc__,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("words", metavar="WORDS", nargs="?", default="", help="what to look for")
    parser.add_argument("--model", metavar="MODEL", help="image-text model, as of `score`")
    parser.add_argument("--like", metavar="FILE", nargs="+", help="images to find similar ones of")
    parser.add_argument("-n", "--limit", metavar="N", type=int, default=20, help="images (20)")
    parser.add_argument(
        "--device", metavar="NAME", default="auto", help="auto, cpu, cuda, ... (auto)"
    )
    parser.add_argument("--yes", action="store_true", help="fetch a known model without asking")
    add_settings(parser, _SETTINGS)
    add_config(parser)
    add_output(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.cli.commands.score import ModelFetch
    from pixtrawl.display.screen import clean, out, out_json
    from pixtrawl.errors import EXIT_NOTHING, EXIT_OK, UsageError
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.scoring.likeness.searching import like_files, like_text
    from pixtrawl.scoring.models.loading import load_any

    if bool(arguments.words) == bool(arguments.like):
        raise UsageError("search wants either WORDS, or --like FILE")
    folder = Folder(arguments.folder)
    folder.require()
    if arguments.like:
        found = like_files(folder, arguments.like, arguments.limit)
    elif arguments.model is None:
        raise UsageError("searching by words wants --model MODEL, an image-text pair")
    else:
        fetching = ModelFetch(arguments, load_settings(arguments).config, folder)
        model = load_any(arguments.model, arguments.device, fetching)
        found = like_text(folder, model, arguments.words, arguments.limit)
    if arguments.json:
        rows = [{"file_name": name, "cosine": round(value, 4)} for name, value in found.images]
        out_json({"by": found.by, "model": found.model, "images": rows})
    elif found.images:
        out("\n".join(f"{value:6.3f}  {clean(name)}" for name, value in found.images))
    else:
        out(f"no image has an embedding by {clean(found.model)}: run pixtrawl score first")
    return EXIT_OK if found.images else EXIT_NOTHING
