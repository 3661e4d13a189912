"""Writes the files derived from the catalog: metadata.jsonl, ATTRIBUTION.md and the others.

The catalog is the source of truth; these files can be regenerated at any time. Each is written to
a temporary file that is then renamed over it.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

import msgspec

from pixtrawl import durable
from pixtrawl.buckets import aspect_of
from pixtrawl.catalog import keyword_urls, outcomes, own_columns, run_log, samples
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.files import derived_mark
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.claims import claim_of
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.card import Credit, Summary, attribution_lines, credit_of, data_card
from pixtrawl.folder.derived.features import IMAGE, Features, features_of
from pixtrawl.folder.files import write_whole
from pixtrawl.model import ImageInfo, Reason, Sample
from pixtrawl.preferences import KEY
from pixtrawl.preferences.marks import is_ai_made
from pixtrawl.secrets import masked_text, masked_url

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
    row = {**_found_columns(sample), **_rights_columns(sample), **_file_columns(sample.info)}
    row["fetched_at"] = sample.fetched_at
    row.update(_measure_columns(sample.info))
    for name in [name for name, value in row.items() if type(value) is str and "://" in value]:
        if name not in _ADDRESSES:
            row[name] = masked_text(str(row[name]))
    if sample.caption is not None:
        row["caption"] = masked_text(sample.caption.text)
        row["caption_origin"] = sample.caption.origin
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
        "query": c.query,
        "url": masked_url(sample.url),
        "final_url": masked_url(sample.final_url),
        "page_url": masked_url(c.page_url or ""),
        "title": c.title or "",
        "source": c.source,
        "rank": c.rank,
        "kind": sample.kind.value,
    }


def _rights_columns(sample: Sample) -> dict[str, object]:
    """Return licence, credit and what the owner says of training."""
    c, rights = sample.candidate, sample.rights
    claim = claim_of(c, rights)
    return {
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


def _file_columns(info: ImageInfo) -> dict[str, object]:
    """Return size, format and hashes of the file."""
    ratio, bucket = aspect_of(*_upright(info))
    return {
        "width": info.width,
        "height": info.height,
        "aspect_ratio": ratio,
        "aspect_bucket": bucket,
        "format": info.format,
        "frames": info.frames,
        "size_bytes": info.size_bytes,
        "sha256": info.sha256,
        "phash": info.phash.hex(),
    }


def _measure_columns(info: ImageInfo) -> dict[str, object]:
    """Return the measures of a picture; None where it was not measured."""
    measures = info.measures
    found: dict[str, object] = {name: measures.get(name) for name in _MEASURED}
    found["text_heavy"] = _text_heavy(measures) if measures else None
    for name in _MEASURED_FLAGS:
        found[name] = bool(measures[name]) if name in measures else None
    return found


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
    far_from_grey = 2 * abs(measures.get("brightness", 0.5) - 0.5)
    return round(_within((detail - 2) / 5) * _within((far_from_grey - 0.2) / 0.35), 3)


def _within(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def write_metadata(
    db: sqlite3.Connection, folder: Folder, go_on: Callable[[], None] = lambda: None
) -> Summary:
    """Write metadata.jsonl and ATTRIBUTION.md: one line per kept image whose file exists.

    All lines of metadata.jsonl have the same keys, which loaders rely on; the columns of
    scores are among them once any image has one. `go_on` is called for each image. Return the
    counts for the data card. Raise StorageError if a file cannot be written.
    """
    summary = Summary()
    last: tuple[Sample, dict[str, object]] | None = None

    def credits_(path: Path) -> Iterator[Credit]:
        nonlocal last
        with path.open("wb") as file:
            for sample in samples.read(db, folder.root):
                go_on()
                if not os.path.lexists(f"{folder.root}/{sample.file_name}"):
                    continue  # its rename failed, or a person removed it meanwhile
                row = metadata_row(sample)
                last = sample, row
                file.write(row_text(row) + b"\n")
                summary.count(sample)
                yield credit_of(sample)

    def both(path: Path) -> None:
        write_whole(
            folder.attribution, lambda other: _write_lines(other, credits_(path)),
            synced=folder.durable,
        )  # fmt: skip

    write_whole(folder.metadata, both, synced=folder.durable)
    if last is not None:
        summary.features = _features(db, summary, *last)
    return summary


_TYPES: Final = {
    **dict.fromkeys(INTEGERS, "int64"),
    **dict.fromkeys(NUMBERS, "float64"),
    **dict.fromkeys(FLAGS, "bool"),
}


def _features(
    db: sqlite3.Connection, summary: Summary, sample: Sample, row: Mapping[str, object]
) -> Features:
    """Return the features of metadata.jsonl as Hugging Face's ImageFolder reads it."""
    names = list(row)
    kinds = own_columns.types(db)
    own = zip(names[len(names) - len(sample.own) :], sample.own, strict=True)
    types = {shown: kinds.get(name, "text") for shown, name in own}
    types |= {column.name: column.type for column in scores.columns(db)}
    labels = sorted({label for label, _ in summary.labels})
    found = features_of(names, labels, types=_TYPES, own=types)
    del found["file_name"]  # the loader turns it into the image
    return {"image": dict(IMAGE), **found}


def _write_lines(path: Path, credits_: Iterator[Credit]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for line in attribution_lines(credits_):
            file.write(line + "\n")


def write_card(db: sqlite3.Connection, folder: Folder, summary: Summary) -> None:
    """Write README.md, the data card. Raise StorageError if it cannot be written."""
    name = folder.root.absolute().name
    load = f'load_dataset("imagefolder", data_files={{"train": "{_glob(name)}/**"}})'
    text = data_card(summary, title=name, load=load, notes=list(_notes(db)))
    write_whole(folder.card, lambda path: _write_text(path, text), synced=folder.durable)


_OPT_OUTS: Final = {
    Reason.ROBOTS_TXT: "their hosts' robots.txt",
    Reason.ROBOTS_HEADER: "an opt-out in the answer (X-Robots-Tag or meta robots)",
    Reason.OPTED_OUT: "an AI preference of their owners",
}


def _notes(db: sqlite3.Connection) -> Iterator[str]:
    """Yield sentences on opt-outs heard and overridden, takedowns, and runs without durability."""
    yield from _purposes(db)
    counts = outcomes.opt_outs(db)
    heard = [
        f"{counts[reason]:,} for {why}" for reason, why in _OPT_OUTS.items() if reason in counts
    ]
    if heard:
        yield f"Opt-outs were honoured; images were left out: {', '.join(heard)}."
    down = takedown.count_removed(db)
    if down:
        yield f"{down:,} images were taken down on request and are not fetched again."
    unsafe = run_log.runs_without_durability(db)
    if unsafe:
        yield (
            f"{unsafe:,} {'run' if unsafe == 1 else 'runs'} wrote with `--durability none`: after "
            "a power cut check the files (`pixtrawl verify`)."
        )


def _purposes(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the purpose that runs stated; settings of earlier versions name none."""
    groups = [run.get("politeness", {}) for run in run_log.every_settings(db)]
    known = [group for group in groups if "purpose" in group]
    if known:
        purposes = " and ".join(dict.fromkeys(str(group["purpose"]) for group in known))
        yield f"Images were fetched for the purpose: {purposes}."
    ignored = sum(bool(group.get("ignore_ai_preferences")) for group in known)
    if ignored:
        runs = f"{ignored:,} of {len(groups):,} runs"
        yield f"**AI preferences of owners were ignored in {runs} (`--ignore-ai-preferences`).**"


def _glob(name: str) -> str:
    """Escape a folder name for an fsspec pattern, in which *, ? and [ are wildcards."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name).replace('"', '\\"')


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def write_keyword_urls(db: sqlite3.Connection, folder: Folder, *, synced: bool = False) -> None:
    """Write `keyword_urls.txt`: a dict literal of each query's kept URLs, then of untried ones.

    During a run it is not `synced`, since the end of the run writes it again.
    """
    elsewhere = keyword_urls.moved(db)

    def write(path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.write("{")
            separator = ""
            for text in dict.fromkeys([*keyword_urls.texts(db), *sorted(elsewhere)]):
                file.write(f"{separator}{masked_text(text)!r}: [")
                comma = ""
                for *_, url in heapq.merge(keyword_urls.urls(db, text), elsewhere.get(text, ())):
                    file.write(f"{comma}{masked_url(url)!r}")
                    comma = ", "
                file.write("]")
                separator = ", "
            file.write("}\n")

    write_whole(folder.keyword_urls, write, synced=synced)


def write_all(
    db: sqlite3.Connection, folder: Folder, go_on: Callable[[], None] = lambda: None
) -> None:
    """Regenerate metadata.jsonl, ATTRIBUTION.md, README.md and keyword_urls.txt.

    They are on the disk when this returns, unless the folder is not durable. `go_on` is called for
    each image; what it raises ends the work, and leaves the files as they were.
    """
    summary = write_metadata(db, folder, go_on)
    write_keyword_urls(db, folder, synced=folder.durable)
    write_card(db, folder, summary)
    if folder.durable:
        durable.sync_directories([folder.root])
    derived_mark.clear(db)
