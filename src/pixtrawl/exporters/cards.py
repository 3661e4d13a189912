"""README.md and ATTRIBUTION.md of an export, from its plan."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from typing import IO

from pixtrawl.exporters.base import FinalFile, Job, Written
from pixtrawl.exporters.plan import Entry
from pixtrawl.storage.card import Credit, Summary, attribution_lines, data_card

__all__ = ["card_files", "split_word"]


def split_word(name: str) -> str:
    """Hugging Face's word for a split, as its own loaders would name a folder called so."""
    if name.lower() in {"val", "valid", "dev", "validation"}:
        return "validation"
    return name


def card_files(
    job: Job,
    parts: Sequence[Written],
    *,
    load: str,
    patterns: dict[str, Sequence[str]],
    notes: Sequence[str] = (),
) -> list[FinalFile]:
    """The two texts. `patterns` are the data files of each split, for Hugging Face."""
    bad = {position for part in parts for position in part.bad}

    def card(file: IO[bytes]) -> None:
        data_files = [(split_word(split), patterns[split]) for split in patterns]
        text = data_card(
            _summary(job, bad, sum(part.size_bytes for part in parts)),
            title=job.title,
            load=load,
            data_files=data_files,
            splits=list(_images(parts).items()),
            notes=notes,
            version=_version(job, bad),
        )
        file.write(text.encode())

    def credits_(file: IO[bytes]) -> None:
        for line in attribution_lines(map(_credit, _good(job, bad))):
            file.write(line.encode() + b"\n")

    return [("ATTRIBUTION.md", credits_), ("README.md", card)]


def _images(parts: Sequence[Written]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for part in parts:
        counts[part.split] = counts.get(part.split, 0) + part.images
    return counts


def _version(job: Job, bad: Collection[int]) -> str:
    return hashlib.sha256(f"{job.fingerprint} {sorted(bad)}".encode()).hexdigest()[:32]


def _summary(job: Job, bad: Collection[int], size_bytes: int) -> Summary:
    summary = Summary()
    for entry in _good(job, bad):
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
        )
    summary.size_bytes = size_bytes  # of what was written, not of what it was made from
    return summary


def _good(job: Job, bad: Collection[int]) -> Iterator[Entry]:
    return (entry for entry in job.plan.entries() if entry.position not in bad)


def _credit(entry: Entry) -> Credit:
    columns = {name: str(value) for name, value in entry.columns.items()}
    names = ("file_name", "title", "creator", "license", "license_url", "page_url", "url")
    return Credit(**{name: columns[name] for name in names})
