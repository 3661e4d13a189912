"""Runs started, watched, steered and found again over HTTP, beside runs of other processes."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import UsageError
from pixtrawl.operations.job_request import require_place
from pixtrawl.playground import Playground
from pixtrawl.studio.serve import StudioServer
from tests import warm_command
from tests.studio.client import Client, client_of, token_in

pytestmark = pytest.mark.timeout(180)
QUERY = "tabby cat"


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground() as running:
        yield running


def base(site: Playground, *more: str) -> pixtrawl.Config:
    from pixtrawl.config.load import change, registered_sources

    values = {"allow_address": ["127.0.0.0/8"], "set": [f"bing.base_url={site.url}", *more]}
    return change(pixtrawl.Config.load(), values, known=registered_sources(), place="test")


@pytest.fixture
def empty(site: Playground) -> Iterator[Client]:
    """A studio without a data set."""
    with StudioServer(None, config=base(site)).start() as server:
        yield client_of(server)


@pytest.fixture
def slow(site: Playground) -> Iterator[Client]:
    """The same, with a line on which sixty images take some twenty seconds."""
    config = base(site, "fetch.limit_rate_bytes_s=100000")
    with StudioServer(None, config=config).start() as server:
        yield client_of(server)


def request(path: Path, number: int = 4, **more: Any) -> dict[str, Any]:
    return {
        "queries": [{"text": QUERY}], "sources": ["bing"], "number": number, "path": str(path),
        **more,
    }  # fmt: skip


def until(look: Callable[[], Any], seconds: float = 90) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    pytest.fail(f"not within {seconds} s")


def test_a_file_of_a_job_that_cannot_be_read_is_named(
    empty: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = user_folder("cache") / "jobs"
    place.mkdir(parents=True, exist_ok=True)
    (place / "0123.json").write_bytes(b'{"id": "0123", "pa')
    answer = empty.get("/api/jobs").json()
    assert [one for one in answer["unread"] if "0123.json cannot be read" in one]
    (place / "0123.json").unlink()
    assert empty.get("/api/jobs").json()["unread"] == []


def job_of(client: Client, job: str) -> Any:
    return next(one for one in client.get("/api/jobs").json()["jobs"] if one["id"] == job)


def kept_at_least(client: Client, n: int) -> bool:
    return bool(client.summary()["kept"] >= n)


def is_in(client: Client, job: str, state: str) -> bool:
    return bool(job_of(client, job)["state"] == state)


def start(client: Client, body: dict[str, Any]) -> Any:
    reply = client.post("/api/jobs", body)
    assert reply.status == 200, reply.body
    client.set_id = reply.json()["set"]
    return reply.json()["job"]


def events(client: Client, enough: Callable[[list[tuple[str, Any]]], bool]) -> list[Any]:
    """Read the stream from its beginning until there is enough."""
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    found: list[tuple[str, Any]] = []
    try:
        connection.request(
            "GET", f"/api/events?set={client.set_id}",
            headers={
                "Cookie": client.cookie, "Sec-Fetch-Site": "same-origin", "Last-Event-ID": "0",
            },
        )  # fmt: skip
        stream = connection.getresponse()
        name = ""
        while not enough(found):
            line = stream.readline().decode().rstrip("\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                found.append((name, json.loads(line[6:])))
    finally:
        connection.close()
    return found


def test_sources_say_what_they_need_and_never_a_setting_s_value(
    empty: Client, site: Playground
) -> None:
    reply = empty.get("/api/sources")
    found = {one["name"]: one for one in reply.json()["sources"]}
    assert found["bing"]["ready"]
    assert found["bing"].keys() >= {"needs", "may", "costs", "terms", "missing"}
    assert site.url.encode() not in reply.body


def test_a_job_makes_an_ordinary_data_set_and_tells_its_progress(
    empty: Client, tmp_path: Path
) -> None:
    job = start(empty, request(tmp_path / "cats"))
    told = events(empty, lambda found: any(n == "job" and d["state"] == "done" for n, d in found))
    last = [data for name, data in told if name == "progress"][-1]
    (row,) = last["queries"]
    assert last["job"] == job
    assert (row["text"], row["saved"], row["wanted"]) == (QUERY, 4, 4)
    assert row["by_source"]["bing"]["found"] >= 4
    assert row["id"] == empty.summary()["queries"][0]["id"]
    assert set(last["newest"]) == {one["id"] for one in empty.items(empty.view())}
    assert job_of(empty, job)["state"] == "done"
    assert len(pixtrawl.open(tmp_path / "cats")) == 4


def test_a_list_gives_queries_and_estimates_come_from_a_probe_first(
    empty: Client, tmp_path: Path
) -> None:
    body = {"csv": "query,limit\ntabby cat,3\nsteam train,2\n", "sources": ["bing"]}
    told = empty.post("/api/estimate", body).json()
    assert told["from"] == "probe"
    assert told["images"] == 5
    assert told["time_s"][0] <= told["time_s"][1]
    assert 0 < told["bytes"][0] < told["bytes"][1]
    assert told["yield_by_source"]["bing"] > 0
    assert sum(told["requests_by_host"].values()) > 0
    job = start(empty, {**body, "path": str(tmp_path / "both")})
    until(lambda: job_of(empty, job)["state"] == "done")
    assert {one["label"]: one["saved"] for one in empty.summary()["queries"]} == {
        "tabby cat": 3, "steam train": 2,
    }  # fmt: skip
    again = empty.post("/api/estimate", {**body, "path": str(tmp_path / "both")}).json()
    assert (again["from"], again["images"]) == ("earlier runs", 0)


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"queries": []}, 400),
        ({"queries": [{"text": "cat", "base_url": "http://127.0.0.1"}]}, 400),
        ({"sources": ["nowhere"]}, 400),
        ({"sources": ["bing", "x.base_url=1"]}, 400),
        ({"filters": {"allow_address": "0.0.0.0/0"}}, 400),
        ({"filters": {"bing.base_url": "http://127.0.0.1"}}, 400),
        ({"filters": {"cookies": "/etc/passwd"}}, 400),
        ({"filters": {"size": "enormous"}}, 400),
        ({"settings": {"bing": {"base_url": "x"}}}, 400),
        ({"number": 0}, 400),
        ({"number": 10**9}, 400),
        ({"purpose": "sell"}, 400),
        ({"path": ""}, 400),
        ({"path": "/etc/cron.d/cats"}, 400),
        ({"path": "/usr"}, 400),
        ({"path": "a\0b"}, 400),
    ],
)
def test_requests_that_ask_too_much_are_refused(
    empty: Client, tmp_path: Path, changed: dict[str, Any], status: int
) -> None:
    reply = empty.post("/api/jobs", {**request(tmp_path / "cats"), **changed})
    assert reply.status == status, reply.body
    assert reply.json()["error"]
    assert not (tmp_path / "cats").exists()


def test_a_query_is_never_read_as_a_file(empty: Client, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("password\n")
    queries = [{"text": str(secret)}]
    job = start(empty, {**request(tmp_path / "cats"), "queries": queries})
    until(lambda: job_of(empty, job)["state"] not in {"running", "paused"})
    assert [one["text"] for one in empty.summary()["queries"]] == [str(secret)]


def test_data_sets_go_below_the_named_places_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "full").mkdir(parents=True)
    (own / "full" / "letter.txt").write_text("dear")
    require_place(own / "new" / "deep", [own])
    for bad in (tmp_path / "other", own, own / ".ssh", own / "full", own / ".." / "x"):
        with pytest.raises(UsageError):
            require_place(bad, [own])


def test_a_job_is_paused_resumed_enlarged_and_stopped(slow: Client, tmp_path: Path) -> None:
    job = start(slow, request(tmp_path / "cats", 60))

    def steer(action: str, **body: object) -> Any:
        return slow.post(f"/api/jobs/{job}/{action}", body)

    until(lambda: steer("pause").status == 200)  # the run takes the folder's lock first
    until(lambda: job_of(slow, job)["state"] == "paused" and slow.summary()["run"]["paused"])
    assert slow.summary()["run"]["holder"] == "studio"
    assert slow.post("/api/jobs", request(tmp_path / "cats")).status == 409
    assert steer("more", number=10).status == 409, "fewer than now"
    assert steer("more", number=70, query=slow.summary()["queries"][0]["id"]).status == 200
    until(lambda: slow.summary()["queries"][0]["wanted"] == 70)
    assert steer("pause", query=slow.summary()["queries"][0]["id"]).status == 200
    until(lambda: slow.summary()["run"]["paused_queries"] == [QUERY])
    assert steer("resume").status == 200
    until(lambda: job_of(slow, job)["state"] == "running")
    assert slow.summary()["run"]["paused_queries"] == []
    assert steer("stop").status == 200
    until(lambda: job_of(slow, job)["state"] == "stopped")
    assert steer("pause").status == 409
    assert steer("more", number=6).status == 200, "goes on, with another number"
    until(lambda: job_of(slow, job)["state"] == "done")
    assert slow.post("/api/jobs/nothing/pause", {}).status == 404


def test_a_job_whose_process_was_killed_goes_on(tmp_path: Path, site: Playground) -> None:
    words = [
        sys.executable, "-m", "pixtrawl", "studio", "--no-open", "--allow-address", "127.0.0.0/8",
        "--set", f"bing.base_url={site.url}", "--set", "fetch.limit_rate_bytes_s=100000",
    ]  # fmt: skip
    job, path = "", tmp_path / "cats"
    for kills in (True, False):
        with warm_command.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
            assert process.stdout is not None
            try:
                line = process.stdout.readline()
                port, token = int(line.split(":")[2].partition("/")[0]), token_in(line)
                client = Client(port, token)
                opened = client.get(f"/?token={token}")
                client.cookie = opened.headers["set-cookie"].partition(";")[0]
                if kills:
                    job = start(client, request(path, 12))
                    until(partial(kept_at_least, client, 3))
                    process.send_signal(signal.SIGKILL)
                    continue
                assert job_of(client, job)["state"] == "resumable"
                (line_,) = client.get("/api/state").json()["sets"]
                assert line_["open_jobs"] == 1
                assert client.post(f"/api/jobs/{job}/resume", {}).status == 200
                until(partial(is_in, client, job, "done"))
            finally:
                process.kill()
    assert len(pixtrawl.open(path)) == 12


def test_a_run_at_the_shell_is_listed_and_steered(
    empty: Client, tmp_path: Path, site: Playground
) -> None:
    words = [
        sys.executable, "-m", "pixtrawl", "run", QUERY, "-s", "bing", "-n", "80", "-q",
        "--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8", "-o", "cats",
        "--limit-rate", "60K",
    ]  # fmt: skip
    with warm_command.Popen(words, cwd=tmp_path) as process:
        try:
            until(lambda: empty.post("/api/sets", {"path": str(tmp_path / "cats")}).status == 200)
            (line,) = empty.get("/api/state").json()["sets"]
            empty.set_id = line["id"]
            job = until(
                lambda: [one for one in empty.get("/api/jobs").json()["jobs"] if one["holder"]]
            )[0]
            assert (job["holder"], job["set"]) == ("shell", line["id"])
            told = events(empty, lambda found: any(name == "progress" for name, _ in found))
            progress = next(data for name, data in told if name == "progress")
            assert progress["job"] == job["id"]
            assert progress["queries"][0]["wanted"] == 80
            assert empty.post(f"/api/jobs/{job['id']}/stop", {}).status == 200
            assert process.wait(60) in {0, 3, 130}
        finally:
            process.kill()


def test_a_blocked_source_is_explained_with_what_it_answered(
    tmp_path: Path, site: Playground
) -> None:
    from pixtrawl.config.load import change, registered_sources

    dead = {"set": [f"bing.base_url={site.url}/no-such-place"]}
    config = change(base(site), dead, known=registered_sources(), place="test")
    with StudioServer(None, config=config).start() as server:
        client = client_of(server)
        job = start(client, request(tmp_path / "cats"))
        told = events(client, lambda found: any(name == "blocked" for name, _ in found))
        one = next(data for name, data in told if name == "blocked")
        assert (one["source"], one["job"]) == ("bing", job)
        assert one["why"]
        assert one["next_step"]
        page = client.get(one["evidence"])
        assert page.status == 200
        assert page.headers["content-type"].startswith("text/plain")
        assert "sandbox" in page.headers["content-security-policy"]
        ended = until(lambda: [j for j in [job_of(client, job)] if j["state"] == "done"])[0]
        assert ended["short"][0]["next_step"]
        for bad in (".pixtrawl-catalog.sqlite3", "..%2Fx", "nothing"):
            assert client.get(f"/api/sets/{client.set_id}/evidence/{bad}").status == 404
