"""Convert the arguments of `Dataset.export` to the options of an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import Struct

from pixtrawl.captions import read_chain
from pixtrawl.config import parse
from pixtrawl.config.groups import Config, Export
from pixtrawl.errors import UsageError
from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.export import ExportOptions
from pixtrawl.exporters.plan import Selection
from pixtrawl.exporters.splits import EVERYTHING, Splitting, parse_shares
from pixtrawl.preferences.marks import read_marks
from pixtrawl.transform import Transform, parse_encode, parse_resize

__all__ = ["ExportChoice", "export_options"]


class ExportChoice(Struct, frozen=True, kw_only=True):
    """The arguments of `Dataset.export`, unparsed."""

    resize: int | str | None
    resize_mode: str | None
    upscale: bool
    encode: str | None
    quality: int | None
    flatten: str | None
    split: str | Mapping[str, float] | None
    split_by: str
    seed: int
    balance: int | str | None
    label: str | Iterable[str] | None
    license: str | Iterable[str] | None
    exclude: str | Iterable[str] | None
    min_size: str | int | tuple[int, int] | None
    caption: str | None
    repeats: int
    shard_size: int | str | None
    shard_images: int | None
    skip_bad: bool
    embedding: str | None
    formulas: str | None
    title: str | None


def export_options(given: ExportChoice, config: Config | None = None) -> ExportOptions:
    """Parse and check the arguments of an export.

    `resize`, `encode`, `quality`, `split`, `formulas` come from `config.export` if not given.

    Raises:
        UsageError: a value cannot be used.
    """
    base = Export() if config is None else config.export
    size = base.resize if given.resize is None else str(given.resize)
    mode, size_px = parse_resize(size, given.resize_mode)
    split, balance = given.split or base.split, given.balance
    quality = base.quality if given.quality is None else given.quality
    if given.split_by not in {"label", "host"}:
        raise UsageError(f"export: split_by: {given.split_by!r} is neither label nor host")
    return ExportOptions(
        selection=Selection(
            labels=_words(given.label),
            licenses=_words(given.license),
            exclude=read_marks("export: exclude", _words(given.exclude)),
            min_size=_read("min_size", given.min_size, parse.size_px),
            balance="min" if balance == "min" else _read("balance", balance, parse.positive),
        ),
        splitting=Splitting(
            shares=_shares(split) if split else EVERYTHING,
            by=given.split_by,
            seed=int(given.seed),
        ),
        transform=Transform(
            mode=mode,
            size=size_px,
            upscale=given.upscale,
            encode=parse_encode(base.encode if given.encode is None else given.encode),
            quality=_read("quality", quality, parse.positive),
            flatten=given.flatten,
        ),
        sharding=Sharding(
            max_bytes=_read("shard_size", given.shard_size, parse.size_bytes),
            max_images=_read("shard_images", given.shard_images, parse.positive),
        ),
        skip_bad=bool(given.skip_bad),
        embedding=given.embedding,
        captions=read_chain("export: caption", given.caption),
        repeats=_read("repeats", given.repeats, parse.positive) or 1,
        formulas=_formulas(given.formulas or base.formulas),
        title=given.title,
    )


def _formulas(text: str) -> str:
    if text not in {"keep", "escape"}:
        raise UsageError(f"export: formulas: {text!r} is neither keep nor escape")
    return text


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
