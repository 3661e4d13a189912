"""The header of a data card: the YAML that Hugging Face's Hub and `datasets` read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pixtrawl.folder.derived.features import Features
from pixtrawl.licenses import normalise

if TYPE_CHECKING:
    from pixtrawl.folder.derived.card import Summary

__all__ = ["header", "yaml_text"]

_SIZES: Final = (
    (1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"), (100_000_000, "10M<n<100M"), (1_000_000_000, "100M<n<1B"),
)  # fmt: skip
# Our licence ids to those of https://huggingface.co/docs/hub/repositories-licenses.
_LICENSE_IDS: Final = {
    "cc0": "cc0-1.0", "gfdl": "gfdl", "mit": "mit", "apache-2.0": "apache-2.0",
    **{
        name: name
        for name in (
            "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
            "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-3.0",
            "cc-by-nc-nd-4.0", "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
        )
    },
}  # fmt: skip


def yaml_text(text: str) -> str:
    """Return text as a double-quoted YAML 1.2 scalar on one line."""
    out = []
    for char in text.encode("utf-8", "replace").decode():
        if char in '"\\':
            out.append("\\" + char)
        elif char.isprintable():
            out.append(char)
        else:
            out.append(f"\\U{ord(char):08X}")
    return '"' + "".join(out) + '"'


def header(
    summary: Summary,
    title: str,
    data_files: Sequence[tuple[str, Sequence[str]]],
    version: str,
    *,
    by_config: bool,
) -> Iterator[str]:
    """Yield the lines of the header; the arguments are those of `card.data_card`."""
    yield from ("---", f"pretty_name: {yaml_text(title)}", f"license: {_license_id(summary)}")
    yield from ("task_categories:", "- image-classification", "size_categories:")
    yield f"- {next((word for limit, word in _SIZES if summary.images < limit), 'n>1T')}"
    yield from ("tags:", "- image", "- web")
    if data_files:
        yield from ("configs:", "- config_name: default")
        # `datasets` keys its cache by folder name and this header only: without a version in it,
        # changed content would still be served from the old cache.
        yield from (f"  description: {yaml_text(version)}", "  data_files:")
        for split, patterns in data_files:
            yield f"  - split: {split}"
            yield "    path:"
            yield from (f"    - {yaml_text(pattern)}" for pattern in patterns)
        if summary.features:
            if by_config:
                yield "  features:"
                yield from _feature_lines(summary.features, "  ")
            yield from ("dataset_info:", "  config_name: default", "  features:")
            yield from _feature_lines(summary.features, "  ")
    yield from ("---", "")


def _feature_lines(features: Features, indent: str) -> Iterator[str]:
    """Yield the YAML list of `Features._to_yaml_list`."""
    for name, feature in features.items():
        yield f"{indent}- name: {yaml_text(name)}"
        kind = feature.get("_type")
        if kind == "ClassLabel":
            yield from (f"{indent}  dtype:", f"{indent}    class_label:", f"{indent}      names:")
            for number, label in enumerate(feature["names"]):
                yield f'{indent}        "{number}": {yaml_text(label)}'
        elif kind == "Sequence":
            yield f"{indent}  sequence: {feature['feature']['dtype']}"
        elif kind is None:
            yield f"{indent}  struct:"
            yield from _feature_lines(feature, f"{indent}  ")
        else:
            yield f"{indent}  dtype: {'image' if kind == 'Image' else feature['dtype']}"


def _license_id(summary: Summary) -> str:
    """Return Hugging Face's id of the licence that all images claim, "other" or "unknown"."""
    if not any(claim.strip() for claim, _ in summary.licenses):
        return "unknown"
    ids = {normalise(claim, url) for claim, url in summary.licenses}
    return _LICENSE_IDS.get(ids.pop(), "other") if len(ids) == 1 else "other"
