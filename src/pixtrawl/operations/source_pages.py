"""Parse saved pages with a source's own parser, without network access."""

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
    """The fields that a source parsed for one image; secrets in its URL are masked."""

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
    """The result of parsing saved pages; `missing` counts the candidates that lack a field."""

    source: str
    page: str
    outcome: SourceOutcome
    results: int
    candidates: tuple[CandidateFacts, ...]
    missing: Mapping[str, int]
    detail: Mapping[str, Any]

    @property
    def well(self) -> bool:
        """Whether the source can parse the pages."""
        return bool(self.candidates) or self.outcome is SourceOutcome.OK


async def read_pages(name: str, pages: Sequence[Path], config: Config) -> PagesRead:
    """Parse saved pages: the list of results, then the pages that its first record leads to.

    Raises:
        UsageError: no such source, an unreadable page, or a wrong setting.
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
    """Return the facts of a candidate, with secrets in its URL masked."""
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
