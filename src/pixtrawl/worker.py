"""Fetches, inspects and judges one candidate. Touches no catalog; runs on any engine.

The candidate's own URL is tried first, then its alternates (such as a search engine's cached
copy). A refusal is final: alternates are not used to get round what a host disallows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.block_lists import BlockLists
from pixtrawl.block_lists.lists import md5_of, pack_looks
from pixtrawl.claims import LICENSE_HEADER, license_link
from pixtrawl.errors import StorageError
from pixtrawl.folder.layout import staged_name
from pixtrawl.images.formats.sniff import EXTENSIONS, IMAGE_FORMATS, sniff
from pixtrawl.images.interface import Inspector, Verdict
from pixtrawl.images.rules import JUNK, Rules
from pixtrawl.model import Candidate, ContentHashes, ImageInfo, Kind, Outcome, Reason, Task
from pixtrawl.net.fetcher import Fetched, Fetcher, FetchFailedError
from pixtrawl.net.interface import Request
from pixtrawl.preferences import KEY, evidence, now_utc, statements_of
from pixtrawl.preferences.vocabulary import in_file
from pixtrawl.transform import Picture

# After these no alternate is tried: the host or its owner refuses, or the picture itself is junk.
_FINAL: Final = JUNK | {
    Reason.ROBOTS_TXT,
    Reason.ROBOTS_UNAVAILABLE,
    Reason.ROBOTS_HEADER,
    Reason.OPTED_OUT,
    Reason.HOST_EXCLUDED,
    Reason.TAKEN_DOWN,
    Reason.BLOCKED_HASH,
    Reason.UNWANTED_LICENSE,
    Reason.UNWANTED_MARK,
}
_ICONS: Final = frozenset({"ico", "cur"})

TakenDown = Callable[[Candidate, str], str | None]
"""Returns why a candidate must not be fetched from one of its URLs, or None if it may."""
KeepRendition = Callable[[str, Picture], None]
"""Takes the SHA-256 of a file and its rendition. Raises StorageError."""


def _nothing_taken_down(candidate: Candidate, url: str) -> str | None:
    return None


class Worker:
    """Turns tasks into outcomes, many at once."""

    def __init__(  # noqa: PLR0913 - what a worker is built from
        self,
        fetcher: Fetcher,
        inspector: Inspector | None,
        rules: Rules,
        staging: Path,
        *,
        taken_down: TakenDown = _nothing_taken_down,
        blocked: BlockLists | None = None,
        keep: KeepRendition | None = None,
        name: str = "",
    ) -> None:
        """Set up a worker that stages files in the folder `staging`.

        Without an `inspector` only the type of each file is checked (--check none). `keep` stores
        the renditions that the inspector makes; without it they are staged and named in the
        outcome, for workers that cannot write into the data set. `name` separates the files of
        workers that share the folder.
        """
        self._fetcher = fetcher
        self._inspector = inspector
        self._rules = rules
        self._staging = staging
        self._taken_down = taken_down
        self._blocked = blocked
        self._keep = keep
        self._name = f"{name}-" if name else ""
        self._names = count()

    async def work(self, task: Task) -> Outcome:
        """Fetch and inspect one candidate. Raise EngineError or StorageError, nothing else."""
        started = time.monotonic()
        first: Outcome | None = None
        attempts = size_bytes = 0
        for url, kind in self._copies(task.candidate):
            outcome = await self._try(task, url, kind, started)
            if first is None and outcome.reason is Reason.SAVED:
                return outcome  # the usual case: nothing to add up
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
        """Yield the URLs to try, best first; thumbnails only where the settings allow them."""
        for url, kind in (
            (candidate.url, candidate.kind),
            *((a.url, a.kind) for a in candidate.alternates),
        ):
            if kind is not Kind.THUMBNAIL or self._rules.images.allow_thumbnails:
                yield url, kind

    async def _try(self, task: Task, url: str, kind: Kind, started: float) -> Outcome:
        candidate = task.candidate
        if (why := self._taken_down(candidate, url)) is not None:
            return Outcome(reason=Reason.TAKEN_DOWN, detail=why, url=url, kind=kind)
        page_url = candidate.page_url
        referer = urls.referer(page_url, url) if page_url else None
        headers = {"Referer": referer} if referer else {}
        name = staged_name(f"{self._name}{task.id}-{next(self._names)}")
        try:
            fetched = await self._fetcher.fetch(Request(url=url, headers=headers), stage_as=name)
        except FetchFailedError as error:
            return Outcome(
                reason=error.reason, detail=error.detail, url=url, kind=kind,
                final_url=error.final_url, http_status=error.http_status, attempts=error.attempts,
            )  # fmt: skip
        try:
            outcome = await self._look(candidate, fetched, url, kind, started)
        except BaseException:  # cancelled: no outcome will name the staged file
            self._discard(fetched.response.staged_name)
            raise
        if outcome.reason is not Reason.SAVED:
            self._discard(outcome.staged_name)
            return replace(outcome, staged_name=None)
        return outcome

    def _discard(self, staged_name: str | None) -> None:
        if staged_name is not None:
            with suppress(FileNotFoundError):
                (self._staging / staged_name).unlink()

    async def _look(
        self, candidate: Candidate, fetched: Fetched, url: str, kind: Kind, started: float
    ) -> Outcome:
        """Inspect and judge a fetched file, which stays staged."""
        response = fetched.response
        content = ContentHashes()
        verdict = await self._bytes_blocked(fetched, content) or await self._inspect(fetched)
        info, reason, detail = verdict.info, verdict.reason, verdict.detail
        rights: Mapping[str, Any] = {}
        rendition_name: str | None = None
        why = self._taken_down(candidate, response.url) if response.redirects else None
        if why is not None:
            info, reason, detail = None, Reason.TAKEN_DOWN, why
        elif info is not None:
            info = replace(info, sha256=response.sha256, size_bytes=response.size_bytes)
            reason, detail = self._rules.judge(candidate, url, kind, info)
            if reason is Reason.SAVED and (hit := await self._look_blocked(fetched, content)):
                info, reason, detail = None, hit.reason or Reason.BLOCKED_HASH, hit.detail
            elif reason is Reason.SAVED:
                rights, reason, stated = await self._stated(candidate, fetched, verdict)
                detail = stated or detail
                info = None if reason is Reason.DECODER_LOST else info
                if verdict.rendition is not None and reason is Reason.SAVED:
                    rendition_name = self._hand_on(response.sha256, verdict.rendition)
        elif reason is Reason.UNSUPPORTED_FORMAT and detail in _ICONS:
            reason = Reason.ICON if self._rules.drops_junk(candidate) else reason
        assert reason is not None
        return Outcome(
            reason=reason,
            detail=detail,
            info=info,
            staged_name=response.staged_name,
            rendition_name=rendition_name,
            url=url,
            kind=kind,
            final_url=response.url,
            http_status=response.status,
            attempts=fetched.attempts,
            size_bytes=response.size_bytes,
            elapsed_s=time.monotonic() - started,
            rights=rights,
            content=content,
        )

    async def _stated(
        self, candidate: Candidate, fetched: Fetched, verdict: Verdict
    ) -> tuple[Mapping[str, Any], Reason, str]:
        """Return what is stated of a file, and the ruling on its licence and its owner's words."""
        rights: Mapping[str, Any] = {}
        statements = [*fetched.statements, *statements_of(candidate.page_said)]
        staged = fetched.response.staged_name
        if verdict.states_rights and self._inspector and staged:
            found = await self._inspector.rights(staged)
            if found is None:
                return {}, Reason.DECODER_LOST, "its rights are not known"
            rights = {key: value for key, value in found.items() if value}
            statements += in_file(rights, now_utc())
        response = fetched.response
        if link := license_link(response.headers.get("link", ""), response.url):
            rights = {**rights, LICENSE_HEADER: link}
        kept = {**rights, KEY: evidence(statements)} if statements else rights
        reason, detail = self._rules.judge_license(candidate, rights)
        if reason is Reason.SAVED:
            reason, detail = self._rules.judge_marks(kept)
        if (objection := self._rules.preferences.objection(statements)) is not None:
            reason, detail = Reason.OPTED_OUT, str(objection)
        return kept, reason, detail

    async def _bytes_blocked(self, fetched: Fetched, content: ContentHashes) -> Verdict | None:
        """Return the refusal of a file whose bytes are in a block list, before it is decoded."""
        response = fetched.response
        if self._blocked is None or response.staged_name is None:
            return None
        if self._blocked.wants_md5:
            try:
                path = self._staging / response.staged_name
                content.md5 = await asyncio.to_thread(md5_of, path)
            except OSError as error:  # not compared, so not kept
                return Verdict(None, Reason.STORE_FAILED, str(error))
        why = self._blocked.why_bytes(response.sha256, content.md5)
        return None if why is None else Verdict(None, Reason.BLOCKED_HASH, why)

    async def _look_blocked(self, fetched: Fetched, content: ContentHashes) -> Verdict | None:
        """Return the refusal of a picture that looks like a listed one, or cannot be compared."""
        response = fetched.response
        if self._blocked is None or not self._blocked.wants_pdq or self._inspector is None:
            return None
        assert response.staged_name is not None
        found = await self._inspector.pdq(response.staged_name, response.size_bytes)
        if isinstance(found, Verdict):
            return found
        if not found:
            return Verdict(None, Reason.CORRUPT, "cannot be compared with the block lists")
        content.pdq = pack_looks(found)
        # Milliseconds for a list of a million hashes: other transfers go on meanwhile.
        why = await asyncio.to_thread(self._blocked.why_look, found)
        return None if why is None else Verdict(None, Reason.BLOCKED_HASH, why)

    def _hand_on(self, sha256: str, picture: Picture) -> str | None:
        """Store a rendition through `keep`, or stage it and return its name.

        Raise StorageError where it cannot be written.
        """
        if self._keep is not None:
            self._keep(sha256, picture)
            return None
        name = staged_name(f"{self._name}rendition-{next(self._names)}-{sha256}")
        try:
            (self._staging / name).write_bytes(msgspec.msgpack.encode(picture))
        except OSError as error:
            raise StorageError(f"cannot write {self._staging / name}: {error}") from error
        return name

    async def _inspect(self, fetched: Fetched) -> Verdict:
        response = fetched.response
        if response.staged_name is None:
            return Verdict(None, Reason.EMPTY_BODY)
        if self._inspector is None:
            return _by_type(response.head)
        return await self._inspector.inspect(response.staged_name, response.size_bytes)


def _by_type(head: bytes) -> Verdict:
    """Return a verdict on the type alone, sniffed from the first bytes."""
    found = sniff(head)
    if found is None:
        return Verdict(None, Reason.NOT_AN_IMAGE)
    if found in EXTENSIONS:
        return Verdict(ImageInfo(format=found))
    if found == "html":
        return Verdict(None, Reason.HTML)
    known = found in IMAGE_FORMATS
    return Verdict(None, Reason.UNSUPPORTED_FORMAT if known else Reason.NOT_AN_IMAGE, found)
