"""The columns of an image in metadata.jsonl, which exports and scripts have, too. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from pixtrawl.buckets import aspect_of
from pixtrawl.catalog import own_columns
from pixtrawl.claims import claim_of
from pixtrawl.licenses import UNKNOWN
from pixtrawl.model import ImageInfo, Sample
from pixtrawl.preferences import KEY
from pixtrawl.preferences.marks import is_ai_made
from pixtrawl.secrets import masked_text, masked_url

__all__ = ["FLAGS", "INTEGERS", "NUMBERS", "metadata_row", "own_names", "row_text"]

# Measures of every image; images.record.MEASURES lists their units.
_MEASURED: Final = (
    "brightness", "contrast", "entropy", "sharpness", "edges", "gradient", "jpeg_quality",
    "upscale", "alpha_mean",
)  # fmt: skip
_MEASURED_FLAGS: Final = ("has_alpha", "is_gray", "has_exif", "animated")
NUMBERS: Final = ("aspect_ratio", *_MEASURED, "text_heavy", "relevance")
INTEGERS: Final = ("number", "rank", "width", "height", "frames", "size_bytes")
FLAGS: Final = ("ai_made", "c2pa", *_MEASURED_FLAGS, "relevance_outlier")
# Columns that not every line has, or that loaders add.
_OF_LOADERS: Final = frozenset({"relevance", "relevance_outlier", "image"})

_ADDRESSES: Final = frozenset({"url", "final_url", "page_url", "license_url", "license_evidence"})

_ENCODE: Final = msgspec.json.Encoder().encode


def row_text(row: Mapping[str, object]) -> bytes:
    """Return a row as one line of UTF-8 JSON, spaced like `json.dumps` but three times as fast."""
    return msgspec.json.format(_ENCODE(row), indent=0)


def metadata_row(sample: Sample, taken: frozenset[str] = frozenset()) -> dict[str, object]:
    """Return one line of metadata.jsonl. Hugging Face's ImageFolder requires `file_name`.

    Scores by models and the user's own columns come last; one of the latter whose name is in
    use already, or in `taken`, becomes `input_<name>`.

    An unknown text is "", never null: that loader infers column types from the first 10 MB
    (datasets, folder_based_builder), and a column of nulls there could hold no text later.
    """
    row = _found_columns(sample)
    row.update(_rights_columns(sample))
    _add_file_columns(row, sample.info)
    row["fetched_at"] = sample.fetched_at
    _add_measures(row, sample.info.measures)
    if sample.caption is not None:
        row["caption"] = masked_text(sample.caption.text)
        row["caption_origin"] = sample.caption.origin
    if sample.scores:
        row.update(sample.scores)
    if sample.own:
        shown = own_names(tuple(sample.own), frozenset(row) | _OF_LOADERS | taken)
        for name, value in sample.own.items():  # text, numbers, truth values
            row[shown[name]] = masked_text(value) if isinstance(value, str) else value
    return row


def _found_columns(sample: Sample) -> dict[str, object]:
    """Return where an image was found, and where it lies."""
    c = sample.candidate
    return {
        "file_name": sample.file_name,
        "label": sample.label,
        "number": sample.number,
        "query": masked_text(c.query),
        "url": masked_url(sample.url),
        "final_url": masked_url(sample.final_url),
        "page_url": masked_url(c.page_url) if c.page_url else "",
        "title": masked_text(c.title) if c.title else "",
        "source": masked_text(c.source),
        "rank": c.rank,
        "kind": sample.kind.value,
    }


# Where neither the source nor the file says anything of rights, as for most images of lists.
_NOTHING_SAID: Final[Mapping[str, object]] = {
    "license": "", "license_url": "", "license_id": UNKNOWN, "license_evidence": "", "creator": "",
    "copyright": "", "credit": "", "usage_terms": "", "web_statement": "", "file_source": "",
    "digital_source_type": "", "ai_made": False, "c2pa": False, "c2pa_training": "", KEY: "",
}  # fmt: skip


def _rights_columns(sample: Sample) -> Mapping[str, object]:
    """Return licence, credit and what the owner says of training."""
    c, rights = sample.candidate, sample.rights
    if not (rights or c.license or c.license_url or c.creator):
        return _NOTHING_SAID
    claim = claim_of(c, rights)
    row = {
        "license": c.license or "",
        "license_url": masked_url(c.license_url or ""),
        "license_id": claim.id,
        "license_evidence": masked_url(claim.evidence or ""),
        "creator": c.creator or rights.get("creator") or "",
        "copyright": rights.get("copyright") or "",
        "credit": rights.get("credit") or "",
        "usage_terms": rights.get("usage_terms") or "",
        "web_statement": masked_url(str(rights.get("web_statement") or "")),
        "file_source": rights.get("source") or "",
        "digital_source_type": rights.get("digital_source_type") or "",
        "ai_made": is_ai_made(rights),
        "c2pa": bool(rights.get("c2pa")),
        "c2pa_training": rights.get("training_mining") or "",
        KEY: _preferences_text(sample),
    }
    for name in [name for name, value in row.items() if type(value) is str and "://" in value]:
        if name not in _ADDRESSES:
            row[name] = masked_text(str(row[name]))
    return row


def _add_file_columns(row: dict[str, object], info: ImageInfo) -> None:
    """Add size, format and hashes of the file."""
    row["width"], row["height"] = info.width, info.height
    row["aspect_ratio"], row["aspect_bucket"] = aspect_of(*_upright(info))
    row["format"] = info.format
    row["frames"] = info.frames
    row["size_bytes"] = info.size_bytes
    row["sha256"] = info.sha256
    row["phash"] = info.phash.hex()


def _add_measures(row: dict[str, object], measures: Mapping[str, float]) -> None:
    """Add the measures of a picture; None where it was not measured."""
    found = measures.get
    for name in _MEASURED:
        row[name] = found(name)
    row["text_heavy"] = _text_heavy(measures) if measures else None
    for name in _MEASURED_FLAGS:
        value = found(name)
        row[name] = None if value is None else bool(value)


def _upright(info: ImageInfo) -> tuple[int, int]:
    """Return width and height as shown: EXIF orientations 5 to 8 swap them."""
    return (info.height, info.width) if info.orientation >= 5 else (info.width, info.height)


def _preferences_text(sample: Sample) -> str:
    """Return the owner's statements as JSON text: loaders want one type, whatever a list holds."""
    found = sample.ai_preferences
    return _ENCODE(found).decode() if found else ""


@lru_cache(maxsize=8)
def own_names(names: tuple[str, ...], ours: frozenset[str]) -> Mapping[str, str]:
    """Map own columns to names that do not clash with `ours`; cached, as rows repeat them."""
    return own_columns.shown_names(names, ours)


def _text_heavy(measures: Mapping[str, float]) -> float:
    """Return how much an image looks like a page of text, 0 to 1: fine detail on even ground.

    Text of 12 to 48 px has a Laplacian variance of 7 to 16 times its variance and is far from
    middle grey; of 26 photographs only those of gravel, grass and bricks (middle grey) and of
    stars (the one that this takes for text) have more than 2.4 times.
    """
    variance = max((255 * measures.get("contrast", 0.0)) ** 2, 64.0)
    detail = measures.get("sharpness", 0.0) / variance
    if detail <= 2:  # nearly all pictures
        return 0.0
    far_from_grey = 2 * abs(measures.get("brightness", 0.5) - 0.5)
    return round(_within((detail - 2) / 5) * _within((far_from_grey - 0.2) / 0.35), 3)


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)
