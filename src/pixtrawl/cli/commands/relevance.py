"""`pixtrawl relevance`: score how well each image fits its query, with a model on this computer."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.commands.score import add_scoring
from pixtrawl.cli.options import add_config, add_output, add_settings, load_settings

_EPILOG = """\
The same as `pixtrawl score DIR --model PATH --as relevance`. PATH is a folder with visual.onnx,
textual.onnx and tokenizer.json (docs/on-topic.md says how to make one), a known model
(`pixtrawl score --list`), or open_clip's NAME:WEIGHTS. A score is the cosine between image and
query. Scores are stored in the data set and in column `relevance` of metadata.jsonl. Nothing is
deleted: look at the flagged images, and refuse those that do not belong with
`pixtrawl reject FILE...`.
"""


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "relevance",
        usage="%(prog)s DIR --model PATH [--batch N] [--device NAME] [OPTIONS]",
        help="score images against their queries",
        description=__doc__,
        epilog=_EPILOG,
    )
    parser.add_argument("folder", metavar="DIR", help="data set folder")
    parser.add_argument("--model", metavar="PATH", required=True, help="the model; see below")
    parser.add_argument("--yes", action="store_true", help="fetch a known model without asking")
    add_scoring(parser, device="cpu")
    add_settings(parser, frozenset({"models.base_url", "models.folder"}))
    add_config(parser)
    add_output(parser)


def main(arguments: argparse.Namespace) -> int:
    """Run `score --as relevance`. Return the exit code: 0, or 4 if there is no image."""
    from pixtrawl.cli.commands.score import run_scoring

    return run_scoring(arguments, "relevance", load_settings(arguments).config)
