"""README.md and ATTRIBUTION.md of an export, from its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import IO, Final

from pixtrawl.exporters.base import ExportJob, FinalFile, Written
from pixtrawl.exporters.plan import PlannedImage
from pixtrawl.folder.derived.card import Credit, Summary, attribution_lines, data_card
from pixtrawl.folder.derived.features import Features
from pixtrawl.preferences import KEY

__all__ = ["card_files", "split_word"]


def split_word(name: str) -> str:
    """Return Hugging Face's name for a split, as its loaders derive it from the folder's."""
    if name.lower() in {"val", "valid", "dev", "validation"}:
        return "validation"
    return name


def card_files(  # noqa: PLR0913 - the parts of a card that formats differ in
    job: ExportJob,
    parts: Sequence[Written],
    *,
    load: str,
    patterns: dict[str, Sequence[str]],
    notes: Sequence[str] = (),
    features: Features | None = None,
    by_config: bool = False,
    summary: Summary | None = None,
) -> list[FinalFile]:
    """Return both files, for Hugging Face with the data files of each split and their features.

    `summary` is what counts the images, while the first of the files is written.

    `features` are those of `ExportJob`, with what the format adds; `by_config` as of `data_card`.
    """
    bad = {position for part in parts for position in part.bad}
    summary = Summary() if summary is None else summary
    summary.features = features or {}

    def card(file: IO[bytes]) -> None:
        data_files = [(split_word(split), patterns[split]) for split in patterns]
        summary.size_bytes = sum(part.size_bytes for part in parts)  # of what was written
        text = data_card(
            summary,
            title=job.title,
            load=load,
            data_files=data_files,
            splits=list(_images(parts).items()),
            notes=notes,
            by_config=by_config,
            version=_version(job, bad),
        )
        file.write(text.encode())

    def credits_() -> Iterator[Credit]:
        for entry in job.plan.entries():
            if entry.position not in bad:
                _count(summary, job, entry)
                yield _credit(entry)

    def attribution(file: IO[bytes]) -> None:
        for line in attribution_lines(credits_()):
            file.write(line.encode() + b"\n")

    # In this order: what the card says is counted on the way through the attributions.
    return [("ATTRIBUTION.md", attribution), ("README.md", card)]


def _images(parts: Sequence[Written]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.split] = counts.get(part.split, 0) + part.images
    return counts


def _version(job: ExportJob, bad: Collection[int]) -> str:
    return hashlib.sha256(f"{job.fingerprint} {sorted(bad)}".encode()).hexdigest()[:32]


def _count(summary: Summary, job: ExportJob, entry: PlannedImage) -> None:
    columns = entry.columns
    summary.add(
        label=entry.label,
        query=str(columns["query"]),
        source=str(columns["source"]),
        format=job.transform.format(str(columns["format"])),
        size_bytes=0,
        license=str(columns["license"]),
        license_url=str(columns["license_url"]),
        fetched_at=str(columns["fetched_at"]),
        ai_preferences=columns[KEY],
    )


_CREDITED: Final = (
    "file_name", "title", "creator", "license", "license_url", "page_url", "url"
)  # fmt: skip


def _credit(entry: PlannedImage) -> Credit:
    return Credit(**{name: str(entry.columns[name]) for name in _CREDITED})
