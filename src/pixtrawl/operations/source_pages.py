"""Saved pages read with a source's own parser, without a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pixtrawl.config.groups import Config
from pixtrawl.model import SourceOutcome
from pixtrawl.secrets import masked_url

if TYPE_CHECKING:
    from pixtrawl.model import Candidate

__all__ = ["CandidateFacts", "PagesRead", "candidate_facts", "read_pages"]


class CandidateFacts(Struct, frozen=True, kw_only=True):
    """What a source read of one image; secrets in its address are masked."""

    url: str
    kind: str
    page_url: str | None
    title: str | None
    width: int | None
    height: int | None
    thumb_url: str | None
    license: str | None
    license_url: str | None
    creator: str | None


class PagesRead(Struct, frozen=True, kw_only=True):
    """What a source made of saved pages; `missing` counts the candidates that lack a field."""

    source: str
    page: str
    outcome: SourceOutcome
    results: int
    candidates: tuple[CandidateFacts, ...]
    missing: Mapping[str, int]
    detail: Mapping[str, Any]

    @property
    def well(self) -> bool:
        """Whether the source can read them."""
        return bool(self.candidates) or self.outcome is SourceOutcome.OK


async def read_pages(name: str, pages: Sequence[Path], config: Config) -> PagesRead:
    """Has a source read saved pages: a list, then what lies behind its first record.

    Raises UsageError: no such source, or a page that cannot be read.
    """
    from pixtrawl.sources.replay.reader import replay

    found = await replay(name, list(pages), config.source(name))
    return PagesRead(
        source=name,
        page=", ".join(map(str, pages)),
        outcome=found.outcome,
        results=len(found.candidates),
        candidates=tuple(map(candidate_facts, found.candidates)),
        missing=found.missing,
        detail=dict(found.detail),
    )


def candidate_facts(one: Candidate) -> CandidateFacts:
    """A candidate as it may be shown and sent."""
    return CandidateFacts(
        url=masked_url(one.url),
        kind=one.kind.value,
        page_url=one.page_url,
        title=one.title,
        width=one.width,
        height=one.height,
        thumb_url=one.thumb_url,
        license=one.license,
        license_url=one.license_url,
        creator=one.creator,
    )
