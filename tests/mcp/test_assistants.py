"""An assistant collects, looks, cleans and exports over stdio, in both eras of the protocol."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pixtrawl.operations.job import find_job, state_of
from pixtrawl.playground import Playground
from tests.matrices import slow
from tests.mcp.assistant import ERAS, talk
from tests.mcp.practice import assistant, practised
from tests.optional import needs

needs("mcp", reason="the extra `mcp` is not installed")
pytestmark = pytest.mark.timeout(300)
QUERY = "tabby cat"


def practice(site: Playground) -> tuple[str, ...]:
    return ("--allow-address", "127.0.0.0/8", "--set", f"bing.base_url={site.url}")


@pytest.mark.slow
@pytest.mark.parametrize("era", ERAS)
def test_a_data_set_is_collected_looked_at_cleaned_and_exported(
    tmp_path: Path, site: Playground, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    person = assistant(tmp_path / "own", *practice(site))

    async def collect() -> None:
        async with person.talking(era) as call:
            sources = await call("sources")
            assert "bing" in {one["name"] for one in sources["sources"]}
            assert site.url not in str(sources)
            started = await call(
                "start_job", folder="cats", queries=[QUERY], number=5, sources=["bing"]
            )
            assert started["state"] == "running"
            assert "up to 5 images" in person.asked[0]
            told = await call.ended(started["job"])
            assert told["state"] == "done"
            assert told["queries"][0]["saved"] == 5
            assert person.progress == sorted(person.progress)

            answer, sheet = await call.sheet(folder="cats")
            assert answer["total"] == len(answer["images"]) == 5
            picture = Image.open(io.BytesIO(sheet))
            assert max(picture.size) < 1400
            assert len(sheet) <= 300_000
            assert len(picture.convert("L").crop((6, 6, 156, 156)).getcolors(256) or ()) > 20
            assert "title" in answer["images"][0]["untrusted"]

            worst = answer["images"][0]["n"]
            done = await call("reject", folder="cats", images=[str(worst)], reason="a drawing")
            assert done["changed"] == 1
            assert "Reject 1 image (tabby cat/" in person.asked[1]
            assert (await call("report", folder="cats"))["images"] == 4
            exported = await call("export", folder="cats", to="imagefolder", out="for-training")
            assert (exported["done"], exported["images"]) == (True, 4)

    talk(collect)
    assert len(list((tmp_path / "own/for-training").rglob("*.jpg"))) >= 1


@pytest.mark.slow  # tests/decisions/test_deciding.py has it by the command
def test_the_place_of_a_rejected_image_is_filled_by_the_next_job(
    tmp_path: Path, site: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    person = assistant(tmp_path / "own", *practice(site))
    want = {"folder": "cats", "queries": [QUERY], "number": 3, "sources": ["bing"]}

    async def collect() -> None:
        report: dict[str, Any] = {}
        async with person.talking() as call:
            for turn in range(2):
                started = await call("start_job", **want)
                assert (await call.ended(started["job"]))["state"] == "done"
                report = await call("report", folder="cats")
                assert report["images"] == 3
                if turn == 0:
                    assert (await call("reject", folder="cats", images=["1"]))["changed"] == 1
            assert {one["reason"] for one in report["not_kept"]} >= {"refused_by_person"}

    talk(collect)


@pytest.mark.parametrize(
    ("era", "over_stdio"), [*((era, False) for era in ERAS), slow("legacy", True)]
)
def test_a_no_is_an_answer_and_nothing_is_done(cats: Path, era: str, over_stdio: bool) -> None:
    person = assistant(cats.parent)
    connected = person.talking if over_stdio else person.inside
    calls: dict[str, dict[str, Any]] = {
        "start_job": {"folder": "new", "queries": [QUERY]},
        "reject": {"folder": "pets", "images": ["cat"]},
        "relabel": {"folder": "pets", "images": ["1"], "label": "lynx"},
        "export": {"folder": "pets", "to": "csv", "out": "out"},
    }

    async def ask() -> None:
        async with connected(era) as call:
            for person.answer in ("refuse", "decline", "cancel"):
                told = "cancelled" if person.answer == "cancel" else "declined"
                for tool, arguments in calls.items():
                    found = await call(tool, **arguments)
                    assert (found["done"], found["consent"]) == (False, told), tool
            assert (await call("report", folder="pets"))["images"] == 20
            assert (await call("job_status"))["jobs"] == []

    talk(ask)
    assert len(person.asked) == 12
    assert "Reject 10 images (cat/" in person.asked[1]
    assert sorted(one.name for one in cats.parent.iterdir()) == ["pets"]


@pytest.mark.parametrize("era", ERAS)
def test_a_client_that_cannot_ask_is_reported_so_unless_the_person_waived_it(
    cats: Path, era: str
) -> None:
    async def without_asking() -> None:
        async with assistant(cats.parent).inside(era, can_ask=False) as call:
            found = await call("reject", folder="pets", images=["1"])
            assert (found["done"], found["consent"]) == (False, "cannot_ask")
            assert "--no-ask" in found["next_step"]
        async with assistant(cats.parent).inside(era, can_ask=False, asks=False) as call:
            assert (await call("reject", folder="pets", images=["1"]))["changed"] == 1
            assert (await call("report", folder="pets"))["images"] == 19
            await call("keep", folder="pets", images=["1"])
            assert (await call("report", folder="pets"))["images"] == 20
            moved = await call("relabel", folder="pets", images=["1", "2"], label="lynx")
            assert moved["changed"] == 2
            assert (await call("undo", folder="pets"))["done"]
            labels = (await call("report", folder="pets"))["labels"]
            assert labels == [{"name": "cat", "n": 10}, {"name": "dog", "n": 10}]

    talk(without_asking)


@pytest.mark.slow  # tests/studio/test_jobs.py stops and resumes the same jobs
def test_a_job_outlives_its_client_and_is_found_stopped_and_gone_on_with_by_another(
    tmp_path: Path, site: Playground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    slow = ("--set", "fetch.limit_rate_bytes_s=60000")
    person = assistant(tmp_path / "own", *practice(site), *slow)
    want = {"folder": "cats", "queries": [QUERY], "number": 60, "sources": ["bing"]}

    async def begin() -> str:
        async with person.talking() as call:
            return str((await call("start_job", **want))["job"])

    jobs: list[str] = []

    async def first() -> None:
        jobs.append(await begin())

    async def second() -> None:
        (job,) = jobs
        async with person.talking("2026-07-28") as call:
            (line,) = (await call("job_status"))["jobs"]
            assert (line["job"], line["state"]) == (job, "running")
            told = await call("job_status", job=job, wait_s=0)
            assert told["state"] == "running"
            assert "at work" in await call.error("start_job", **want)
            assert (await call("stop", job=job))["done"]
            assert (await call.ended(job))["state"] == "stopped"
            again = (await call("start_job", **{**want, "number": 2}))["job"]
            assert (await call.ended(again))["state"] == "done"

    talk(first)
    record = find_job(jobs[0])
    assert record is not None
    assert state_of(record) == "running"
    talk(second)


def test_an_estimate_asks_the_sources_and_saves_nothing(tmp_path: Path, site: Playground) -> None:
    person = assistant(tmp_path / "own")

    async def ask() -> None:
        async with person.inside(config=practised(site)) as call:
            found = await call("estimate", queries=[QUERY], number=7, sources=["bing"])
            assert found["from"] == "probe"
            assert found["images"] == 7
            assert found["yield_by_source"]["bing"] > 0
            assert found["limits"]["folders"] == [str(tmp_path / "own")]

    talk(ask)
    assert list((tmp_path / "own").iterdir()) == []
