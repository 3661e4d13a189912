"""`pixtrawl unlike`: refuse images, and order the others by that; see `pixtrawl like`."""

from __future__ import annotations

import argparse
from typing import Any

from pixtrawl.cli.commands import like


def add_parser(subparsers: Any) -> None:
    """Register `unlike`."""
    like.add_named(subparsers, "unlike", "refuse images, and order the others by them")


def main(arguments: argparse.Namespace) -> int:
    """Run `unlike`. Return the exit code."""
    return like.decide(arguments, wanted=False)
