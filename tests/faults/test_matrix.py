"""Every misbehaviour of the playground through `pixtrawl download`, in one run.

Each fault is about a picture of its own, so that none is a duplicate of another; what it should end
as stands beside the fault itself.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests import warm_command

import pixtrawl
from pixtrawl.config.groups import Config, Fetch
from pixtrawl.events import CandidateSettled, Event
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.playground import Playground
from pixtrawl.playground.faults.faultline import FAULTS, FaultTruth
from pixtrawl.playground.faults.link import LINK_FAULTS

NAMES = (*FAULTS, *(fault.name for fault in LINK_FAULTS))
PATIENCE = 0.05

pytestmark = pytest.mark.timeout(120)


@dataclass(frozen=True, slots=True)
class Ended:
    """How one URL ended, from the catalog."""

    reason: str
    detail: str
    elapsed_s: float
    file_name: str | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The run: the truth and the outcome by name of the fault."""

    folder: Path
    report: dict[str, Any]
    truths: dict[str, FaultTruth]
    ended: dict[str, Ended]
    inner_requests: int


def _ended(folder: Path) -> dict[str, Ended]:
    with sqlite3.connect(folder / ".pixtrawl-catalog.sqlite3") as db:
        rows = db.execute(
            "SELECT c.url, c.reason, c.detail, c.elapsed_s, s.file_name FROM candidate c "
            "LEFT JOIN sample s ON s.id = c.sample_id"
        ).fetchall()
    return {row[0]: Ended(row[1], row[2] or "", row[3] or 0.0, row[4]) for row in rows}


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    work = tmp_path_factory.mktemp("matrix")
    with Playground(patience=PATIENCE) as site:
        truths = {name: site.fault(name, index) for index, name in enumerate(NAMES)}
        for index in range(len(NAMES)):  # drawn beforehand: drawing would hold up every host
            site.store.get(f"/sound/fault.pictures/{index}.jpg")
        urls = [truth.url for truth in truths.values()]
        rows = [{"url": url, "query": "faults", "page_url": f"{site.url}/page"} for url in urls]
        manifest = work / "faults.jsonl"
        manifest.write_text("".join(json.dumps(row) + "\n" for row in rows))
        folder = work / "images"
        done = warm_command.run(
            [
                *(sys.executable, "-m", "pixtrawl", "download", str(manifest), "-o", str(folder)),
                *("--allow-address", "127.0.0.0/24", "--timeout", "15", "--max-bytes", "8M"),
                *("--junk", "drop", "--json", "-q"),
                *("--set", "fetch.first_byte_timeout_s=4"),
                *("--set", "fetch.connect_timeout_s=4", "--set", "fetch.min_speed_window_s=2"),
            ],
            capture_output=True,
            text=True,
            timeout=50,
        )
        assert done.returncode == 0, done.stderr
        assert site.errors == []
        ended = _ended(folder)
        yield Matrix(
            folder,
            json.loads(done.stdout),
            truths,
            {name: ended[truth.url] for name, truth in truths.items()},
            len(site.requests_to("/inner/")),
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_fault_ends_with_its_reason(matrix: Matrix, name: str) -> None:
    truth, ended = matrix.truths[name], matrix.ended[name]
    assert ended.reason in {truth.reason, *truth.also}, f"{truth.sentence} ({ended.detail})"
    if ended.reason == Reason.SAVED:
        assert ended.file_name is not None
        assert (matrix.folder / ended.file_name).is_file()


def test_the_totals_add_up_over_all_faults(matrix: Matrix) -> None:
    totals, reasons = matrix.report["totals"], matrix.report["reasons"]
    assert totals["candidates"] == len(NAMES)
    assert sum(totals[status] for status in Status) == totals["candidates"]
    assert sum(reasons.values()) == totals["candidates"]
    by_status = Counter[str]()
    for reason, count in reasons.items():
        by_status[REASONS[Reason(reason)].status] += count
    assert by_status == {status: totals[status] for status in Status if totals[status]}


def test_nothing_is_left_in_staging_and_every_file_has_a_row(matrix: Matrix) -> None:
    assert list(matrix.folder.glob(".pixtrawl-staging-*")) == []
    lines = (matrix.folder / "metadata.jsonl").read_text("utf-8").splitlines()
    rows = {json.loads(line)["file_name"] for line in lines}
    files = {str(file.relative_to(matrix.folder)) for file in matrix.folder.glob("faults/*")}
    assert files == rows
    assert len(files) == matrix.report["totals"]["saved"]


def test_a_host_that_never_answers_costs_its_own_slots_only(tmp_path: Path) -> None:
    """The others, behind it in the list, are all there while it is still waited for."""
    settled: list[tuple[str, str]] = []

    patient = Config(fetch=Fetch(first_byte_timeout_s=100.0))

    async def run(urls: Path, count: int) -> None:
        enough = asyncio.Event()

        def listen(event: Event) -> None:
            if isinstance(event, CandidateSettled):
                settled.append((event.candidate.url, event.outcome.reason))
                if len(settled) == count:
                    enough.set()

        running = asyncio.create_task(
            pixtrawl.download_async(
                urls, output=tmp_path / "images", allow_address="127.0.0.0/24", concurrency=6,
                retries=0, timeout=100, listener=listen, config=patient,
            )
        )  # fmt: skip
        await asyncio.wait_for(enough.wait(), 90)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with Playground() as site:
        silent = [site.fault("silent", index).url for index in range(8)]
        sound = site.image_urls(8, "sound")
        site.render(sound)
        urls = tmp_path / "urls.txt"
        urls.write_text("".join(f"{url}\n" for url in silent + sound))
        asyncio.run(run(urls, len(sound)))
    assert sorted(settled[: len(sound)]) == sorted((url, Reason.SAVED) for url in sound)


def test_an_inner_address_is_never_asked(matrix: Matrix) -> None:
    assert matrix.ended["redirect-inner"].reason == Reason.ADDRESS_REFUSED
    assert matrix.inner_requests == 0


def test_names_follow_the_content_and_not_the_url(matrix: Matrix) -> None:
    endings = {
        name: (matrix.ended[name].file_name or "").rpartition(".")[2]
        for name in ("png-as-jpg", "webp-no-extension", "wrong-type", "unicode-url")
    }
    assert endings == {
        "png-as-jpg": "png",
        "webp-no-extension": "webp",
        "wrong-type": "jpg",
        "unicode-url": "jpg",
    }
