"""One candidate to one outcome: fetch, inspect, judge. Touches no catalog; runs on any engine.

The candidate's own URL is tried first, then its alternates (a search engine's cached copy), but
never to get round a refusal: what a host disallows is not taken from somewhere else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Final

from pixtrawl.config.groups import Images
from pixtrawl.images.interface import Inspector, Verdict
from pixtrawl.images.sniff import EXTENSIONS, IMAGE_FORMATS, sniff
from pixtrawl.model import Candidate, ImageInfo, Kind, Outcome, Reason, Task
from pixtrawl.net.fetcher import Fetched, Fetcher, FetchFailedError
from pixtrawl.net.interface import Request

_FINAL: Final = frozenset(
    {Reason.ROBOTS_TXT, Reason.ROBOTS_HEADER, Reason.HOST_EXCLUDED, Reason.TAKEN_DOWN}
)


class Worker:
    """Turns tasks into outcomes, many at once."""

    def __init__(
        self, fetcher: Fetcher, inspector: Inspector | None, rules: Images, staging: Path
    ) -> None:
        """Without an `inspector` files are kept unchecked but for their type (--check none)."""
        self._fetcher = fetcher
        self._inspector = inspector
        self._rules = rules
        self._staging = staging
        self._names = count()

    async def work(self, task: Task) -> Outcome:
        """Fetches and inspects one candidate. Raises EngineError or StorageError, nothing else."""
        started = time.monotonic()
        first: Outcome | None = None
        attempts = size_bytes = 0
        for url, kind in self._copies(task.candidate):
            outcome = await self._try(task, url, kind)
            attempts += outcome.attempts
            size_bytes += outcome.size_bytes
            if outcome.reason is Reason.SAVED:
                first = outcome
                break
            first = first or outcome
            if outcome.reason in _FINAL:
                break
        if first is None:
            first = Outcome(reason=Reason.THUMBNAIL, url=task.candidate.url)
        elapsed_s = time.monotonic() - started
        return replace(first, attempts=attempts, size_bytes=size_bytes, elapsed_s=elapsed_s)

    def _copies(self, candidate: Candidate) -> Iterator[tuple[str, Kind]]:
        """The URLs to try, best first; thumbnails only where they count."""
        for url, kind in (
            (candidate.url, candidate.kind),
            *((a.url, a.kind) for a in candidate.alternates),
        ):
            if kind is not Kind.THUMBNAIL or self._rules.allow_thumbnails:
                yield url, kind

    async def _try(self, task: Task, url: str, kind: Kind) -> Outcome:
        page_url = task.candidate.page_url
        headers = {"Referer": page_url} if page_url and _plain(page_url) else {}
        name = f"{task.id}-{next(self._names)}"
        try:
            fetched = await self._fetcher.fetch(Request(url=url, headers=headers), stage_as=name)
        except FetchFailedError as error:
            return Outcome(
                reason=error.reason, detail=error.detail, url=url, kind=kind,
                final_url=error.final_url, http_status=error.http_status, attempts=error.attempts,
            )  # fmt: skip
        verdict = await self._inspect(fetched)
        return self._outcome(fetched, verdict, url, kind)

    async def _inspect(self, fetched: Fetched) -> Verdict:
        response = fetched.response
        if response.staged_name is None:
            return Verdict(None, Reason.EMPTY_BODY)
        if self._inspector is None:
            return _by_type(response.head)
        return await self._inspector.inspect(response.staged_name, response.size_bytes)

    def _outcome(self, fetched: Fetched, verdict: Verdict, url: str, kind: Kind) -> Outcome:
        response = fetched.response
        info, reason, detail = verdict.info, verdict.reason, verdict.detail
        if info is not None:
            info = replace(info, sha256=response.sha256, size_bytes=response.size_bytes)
            reason, detail = self._judge(info)
        assert reason is not None
        if reason is not Reason.SAVED and response.staged_name is not None:
            with suppress(FileNotFoundError):
                (self._staging / response.staged_name).unlink()
        return Outcome(
            reason=reason,
            detail=detail,
            info=info,
            staged_name=response.staged_name if reason is Reason.SAVED else None,
            url=url,
            kind=kind,
            final_url=response.url,
            http_status=response.status,
            attempts=fetched.attempts,
            size_bytes=response.size_bytes,
        )

    def _judge(self, info: ImageInfo) -> tuple[Reason, str]:
        """What the user's rules say of a whole image."""
        least = self._rules.min_size
        if least is not None and info.width:
            width, height = upright(info)
            if width < least[0] or height < least[1]:
                return Reason.TOO_SMALL, f"{width}x{height}"
        return Reason.SAVED, ""


def upright(info: ImageInfo) -> tuple[int, int]:
    """Width and height as a viewer shows them: EXIF orientations 5 to 8 lie on their side."""
    if info.orientation >= 5:
        return info.height, info.width
    return info.width, info.height


def _by_type(head: bytes) -> Verdict:
    """The type by content, nothing more."""
    found = sniff(head)
    if found is None:
        return Verdict(None, Reason.NOT_AN_IMAGE)
    if found in EXTENSIONS:
        return Verdict(ImageInfo(format=found))
    if found == "html":
        return Verdict(None, Reason.HTML)
    known = found in IMAGE_FORMATS
    return Verdict(None, Reason.UNSUPPORTED_FORMAT if known else Reason.NOT_AN_IMAGE, found)


def _plain(url: str) -> bool:
    """Fit for a header: no line break or other control can be smuggled in."""
    return url.isascii() and url.isprintable() and " " not in url
