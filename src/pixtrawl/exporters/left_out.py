"""Formats that the loaders of an export leave out without a word, and the option that cures it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pixtrawl.exporters.base import Exporter
from pixtrawl.exporters.columns import TEXT
from pixtrawl.exporters.plan import ExportPlan
from pixtrawl.transform import Transform

__all__ = ["left_out"]

_CURE: Final = "add --caption, such as --caption 'alt,title,template:a photo of {label}'"


def left_out(kind: type[Exporter], plan: ExportPlan, transform: Transform) -> tuple[str, ...]:
    """Return a sentence for each set of images that loaders of this format do not take."""
    loaders: Mapping[str, frozenset[str]] = getattr(kind, "loaders", {})
    counts: dict[str, int] = {}
    for format_, count in plan.format_counts().items():
        extension = transform.extension(format_)
        counts[extension] = counts.get(extension, 0) + count
    sentences = tuple(_sentences(loaders, counts))
    if getattr(kind, "reads_text", False) and TEXT not in next(plan.entries()).columns:
        return (*sentences, f"{kind.name} trains on captions, and there are none: {_CURE}")
    return sentences


def _sentences(loaders: Mapping[str, frozenset[str]], counts: Mapping[str, int]) -> Iterator[str]:
    by_extensions: dict[tuple[str, ...], list[str]] = {}
    for loader, known in loaders.items():
        unknown = tuple(sorted(counts.keys() - known))
        if unknown:
            by_extensions.setdefault(unknown, []).append(loader)
    for unknown, names in by_extensions.items():
        count = sum(counts[one] for one in unknown)
        images = f"{count:,} {'image' if count == 1 else 'images'} ({', '.join(unknown)})"
        verb = "leaves" if len(names) == 1 else "leave"
        who = " and ".join(names)
        yield f"{who} {verb} out {images} without a word: --encode jpg makes them readable"
