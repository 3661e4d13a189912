"""Options of `Dataset.export`, by the names of the command's options."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

from pixtrawl.config import parse
from pixtrawl.errors import UsageError
from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.export import Options
from pixtrawl.exporters.plan import Selection
from pixtrawl.exporters.splits import EVERYTHING, Splitting, parse_shares
from pixtrawl.transform import Transform, parse_encode, parse_resize

__all__ = ["export_options"]

_NAMES: Final = (
    "resize", "resize_mode", "upscale", "encode", "quality", "flatten", "split", "split_by",
    "seed", "balance", "label", "license", "min_size", "shard_size", "shard_images", "skip_bad",
    "title",
)  # fmt: skip


def export_options(given: Mapping[str, Any]) -> Options:
    """What the keywords ask for. Raises UsageError."""
    for name in given:
        if name not in _NAMES:
            near = get_close_matches(name, _NAMES, 1)
            hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(_NAMES)}"
            raise UsageError(f"export: no option {name!r} ({hint})")
    size = given.get("resize")
    mode, size_px = parse_resize(None if size is None else str(size), given.get("resize_mode"))
    split, balance = given.get("split"), given.get("balance")
    return Options(
        selection=Selection(
            labels=_words(given.get("label")),
            licenses=_words(given.get("license")),
            min_size=_read("min_size", given.get("min_size"), parse.size_px),
            balance=balance if balance == "min" else _read("balance", balance, parse.positive),
        ),
        splitting=Splitting(
            shares=_shares(split) if split else EVERYTHING,
            by=given.get("split_by", "label"),
            seed=int(given.get("seed", 0)),
        ),
        transform=Transform(
            mode=mode,
            size=size_px,
            upscale=given.get("upscale", True),
            encode=parse_encode(given.get("encode")),
            quality=_read("quality", given.get("quality"), parse.positive),
            flatten=given.get("flatten"),
        ),
        sharding=Sharding(
            max_bytes=_read("shard_size", given.get("shard_size"), parse.size_bytes),
            max_images=_read("shard_images", given.get("shard_images"), parse.positive),
        ),
        skip_bad=bool(given.get("skip_bad", False)),
        title=given.get("title"),
    )


def _words(value: str | Iterable[str] | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset([value] if isinstance(value, str) else value)


def _shares(split: str | Mapping[str, float]) -> Any:
    if isinstance(split, str):
        return parse_shares(split)
    return parse_shares(",".join(f"{name}={share}" for name, share in split.items()))


def _read(name: str, value: Any, read: Callable[[str], Any]) -> Any:
    if value is None or (isinstance(value, tuple) and name == "min_size"):
        return value
    try:
        return read(str(value))
    except ValueError as error:
        raise UsageError(f"export: {name}: {error}") from None
