"""The worker: which copy of a candidate is tried, and what is left in the staging."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pixtrawl.config.groups import Images
from pixtrawl.errors import FetchError
from pixtrawl.images.interface import Verdict
from pixtrawl.images.rules import Rules
from pixtrawl.model import REASONS, Alternate, Candidate, ImageInfo, Kind, Outcome, Reason, Task
from pixtrawl.net.fetcher import Fetched, FetchFailedError
from pixtrawl.net.interface import Request, Response
from pixtrawl.transform import Picture
from pixtrawl.worker import Worker

OWN, COPY, THUMB = (f"http://{n}.example/x.jpg" for n in ("own", "copy", "thumb"))


class Fetches:
    """Stages two bytes for every URL that is not in `failures`."""

    def __init__(self, staging: Path, failures: dict[str, Reason]) -> None:
        self.asked: list[Request] = []
        self._staging, self._failures = staging, failures

    async def fetch(self, request: Request, *, stage_as: str) -> Fetched:
        self.asked.append(request)
        if reason := self._failures.get(request.url):
            raise FetchFailedError(FetchError(reason), 2, request.url)
        (self._staging / stage_as).write_bytes(b"ok")
        response = Response(
            url=request.url, status=200, headers={}, staged_name=stage_as, sha256="a" * 64,
            size_bytes=2,
        )  # fmt: skip
        return Fetched(response, 1)


class Sees:
    """An inspector that finds the same in every file."""

    def __init__(self, verdict: Verdict, rights: dict[str, str | bool] | None) -> None:
        self.verdict, self.stated = verdict, rights

    async def inspect(self, name: str, size_bytes: int) -> Verdict:
        return self.verdict

    async def rights(self, name: str) -> dict[str, str | bool] | None:
        return self.stated

    async def aclose(self) -> None:
        """Holds nothing."""


GOOD = Verdict(ImageInfo(format="jpeg", width=400, height=300, measures={"entropy": 7.0}))


def work(
    staging: Path, failures: dict[str, Reason] | None = None, verdict: Verdict = GOOD, **more: Any
) -> tuple[Outcome, list[str]]:
    thumbnails = more.pop("allow_thumbnails", False)
    fetches = Fetches(staging, failures or {})
    rules = Rules(Images(allow_thumbnails=thumbnails))
    sees = Sees(verdict, more.pop("rights", {"creator": "x", "credit": ""}))
    worker = Worker(fetches, sees, rules, staging, **more)  # type: ignore[arg-type]
    candidate = Candidate(
        url=OWN, query="q", label="q", source="t", page_url="http://own.example/page",
        alternates=(Alternate(COPY, Kind.ORIGINAL), Alternate(THUMB, Kind.THUMBNAIL)),
    )  # fmt: skip
    outcome = asyncio.run(worker.work(Task(1, 1, "own.example", candidate)))
    return outcome, [request.url for request in fetches.asked]


def test_the_own_url_is_enough_when_it_is_good(tmp_path: Path) -> None:
    outcome, asked = work(tmp_path)
    assert (outcome.reason, asked) == (Reason.SAVED, [OWN])
    assert outcome.info is not None
    assert (outcome.info.sha256, outcome.info.size_bytes) == ("a" * 64, 2)
    assert (tmp_path / str(outcome.staged_name)).exists()


def test_a_failure_is_made_good_by_another_copy_and_attempts_add_up(tmp_path: Path) -> None:
    outcome, asked = work(tmp_path, {OWN: Reason.NOT_FOUND})
    assert (outcome.reason, outcome.url, asked) == (Reason.SAVED, COPY, [OWN, COPY])
    assert outcome.attempts == 3


@pytest.mark.parametrize("reason", [Reason.ROBOTS_TXT, Reason.HOST_EXCLUDED, Reason.ROBOTS_HEADER])
def test_a_refusal_is_not_got_round(tmp_path: Path, reason: Reason) -> None:
    outcome, asked = work(tmp_path, {OWN: reason})
    assert (outcome.reason, asked) == (reason, [OWN])


def test_the_first_failure_is_reported_and_thumbnails_only_count_where_allowed(
    tmp_path: Path,
) -> None:
    failures = {OWN: Reason.NOT_FOUND, COPY: Reason.FORBIDDEN}
    outcome, asked = work(tmp_path, failures)
    assert (outcome.reason, asked) == (Reason.NOT_FOUND, [OWN, COPY])
    outcome, asked = work(tmp_path, failures, allow_thumbnails=True)
    assert (outcome.reason, outcome.kind) == (Reason.SAVED, Kind.THUMBNAIL)


def test_a_file_that_is_refused_leaves_nothing_in_the_staging(tmp_path: Path) -> None:
    outcome, asked = work(tmp_path, verdict=Verdict(None, Reason.NOT_AN_IMAGE))
    assert (outcome.reason, outcome.staged_name) == (Reason.NOT_AN_IMAGE, None)
    assert asked == [OWN, COPY]
    assert not list(tmp_path.iterdir())


def test_what_was_taken_down_is_never_asked_for(tmp_path: Path) -> None:
    outcome, asked = work(tmp_path, taken_down=lambda candidate, url: "domain own.example")
    assert (outcome.reason, asked) == (Reason.TAKEN_DOWN, [])


def test_rights_without_a_value_are_left_out(tmp_path: Path) -> None:
    assert GOOD.info is not None
    outcome, _ = work(tmp_path, verdict=Verdict(GOOD.info, states_rights=True))
    assert outcome.rights == {"creator": "x"}


def test_a_file_whose_rights_could_not_be_read_is_not_kept_without_them(tmp_path: Path) -> None:
    outcome, _ = work(tmp_path, verdict=Verdict(GOOD.info, states_rights=True), rights=None)
    assert outcome.reason is Reason.DECODER_LOST
    assert REASONS[outcome.reason].transient
    assert not list(tmp_path.iterdir())


def test_a_rendition_is_kept_or_else_staged_and_named(tmp_path: Path) -> None:
    picture = Picture(b"small", "jpg", "jpeg", 64, 48)
    verdict = Verdict(GOOD.info, rendition=picture)
    kept: dict[str, Picture] = {}
    outcome, _ = work(tmp_path, verdict=verdict, keep=kept.__setitem__)
    assert (kept, outcome.rendition_name) == ({"a" * 64: picture}, None)
    outcome, _ = work(tmp_path, verdict=verdict)
    data = (tmp_path / str(outcome.rendition_name)).read_bytes()
    assert msgspec.msgpack.decode(data, type=Picture) == picture
