"""`pixtrawl doctor --sources`: one question to each source, its answer, and the exit code."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from tests import warm_command

from pixtrawl import sources
from pixtrawl.config.groups import Config, Job
from pixtrawl.operations import checks
from pixtrawl.operations.check import FAIL, OK
from pixtrawl.playground import Playground

LOOPBACK = ("--allow-address", "127.0.0.0/8")


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(patience=0.01) as running:
        yield running


def pixtrawl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PIXTRAWL_")}
    return warm_command.run(
        [sys.executable, "-m", "pixtrawl", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=50,
        cwd=folder,
        env={
            **kept, "PYTHONUTF8": "1", "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"),
            "XDG_CONFIG_HOME": str(folder / "config"),
        },
    )  # fmt: skip


def bases(**urls: str) -> list[str]:
    return [word for name, url in urls.items() for word in ("--set", f"{name}.base_url={url}")]


@pytest.fixture
def closed() -> str:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return f"http://127.0.0.1:{held.getsockname()[1]}"


def test_all_well_ends_with_0(site: Playground, tmp_path: Path) -> None:
    done = pixtrawl(
        tmp_path, "doctor", "--sources", "bing", "--json", *LOOPBACK,
        *bases(bing=site.url.rstrip("/")),
    )  # fmt: skip
    found = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert found["ok"] is True
    (bing,) = found["sources"]
    assert (bing["name"], bing["status"]) == ("bing", "ok")
    assert bing["found"] > 0


def test_each_kind_of_answer_is_reported_with_evidence_that_is_there(
    site: Playground, tmp_path: Path, closed: str
) -> None:
    url = site.url.rstrip("/")
    done = pixtrawl(
        tmp_path, "doctor", "--sources", "bing", "ecosia", "yandex", "brave", "pexels", "--json",
        *LOOPBACK,
        *bases(bing=url, ecosia=f"{url}/captcha", yandex=f"{url}/nowhere", brave=closed),
    )  # fmt: skip
    rows = {row["name"]: row for row in json.loads(done.stdout)["sources"]}
    assert done.returncode == 3
    assert {name: row["status"] for name, row in rows.items()} == {
        "bing": "ok", "ecosia": "blocked", "yandex": "changed", "brave": "network_error",
        "pexels": "unsupported",
    }  # fmt: skip
    assert rows["ecosia"]["kind"] == "captcha"
    for name in ("ecosia", "yandex"):
        assert rows[name]["next_step"]
        (path,) = rows[name]["evidence"]
        assert Path(path).stat().st_size > 0
    assert "key" in rows["pexels"]["message"]


def test_without_a_name_what_lacks_something_or_is_switched_off_is_left_alone(
    tmp_path: Path, closed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    from pixtrawl import sources

    names = [name for name in sources.available() if name not in {"google", "urls"}]
    own = [name for name in names if sources.load(name).info.base_url]
    switched_off = ["--set", "brave.enabled=false"]
    done = pixtrawl(
        tmp_path, "doctor", "--sources", *LOOPBACK, *bases(**dict.fromkeys(own, closed)),
        *switched_off,
    )  # fmt: skip
    assert done.returncode == 3
    said = {
        line.split()[0]: line.split()[1] for line in done.stdout.splitlines() if line[:1].strip()
    }
    assert said["google"] == said["urls"] == said["pexels"] == said["brave"] == "not_asked"
    assert said["bing"] == said["ecosia"] == said["wikimedia"] == "network_error"
    assert "0 of " in done.stdout.splitlines()[-1]


def test_a_server_that_never_answers_costs_its_own_time_only(
    site: Playground, tmp_path: Path
) -> None:
    over = Event()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        thread = Thread(target=_hold, args=(silent, over), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = pixtrawl(
            tmp_path, "doctor", "--sources", "bing", "naver", "--json", *LOOPBACK,
            "--set", "fetch.first_byte_timeout_s=1",
            *bases(bing=site.url.rstrip("/"), naver=url),
        )  # fmt: skip
        over.set()
        thread.join(60)
    rows = {row["name"]: row["status"] for row in json.loads(done.stdout)["sources"]}
    assert rows == {"bing": "ok", "naver": "network_error"}


def _hold(listener: socket.socket, over: Event) -> None:
    listener.settimeout(0.1)
    held = []
    while not over.is_set():
        try:
            held.append(listener.accept()[0])
        except TimeoutError:
            continue
    for sock in held:
        sock.close()


def test_a_name_that_nobody_has_is_an_error_of_use(tmp_path: Path) -> None:
    done = pixtrawl(tmp_path, "doctor", "--sources", "bnig")
    assert done.returncode == 2
    assert "did you mean 'bing'?" in done.stderr


def test_a_run_with_every_engine_but_one_broken_delivers_and_says_what_broke(
    site: Playground, tmp_path: Path, closed: str
) -> None:
    url = site.url.rstrip("/")
    broken = {
        "ecosia": f"{url}/captcha", "yandex": f"{url}/nowhere", "naver": f"{url}/broken",
        "brave": closed, "startpage": f"{url}/captcha", "baidu": f"{url}/nowhere",
    }  # fmt: skip
    chosen = [word for name in ("bing", *broken) for word in ("-s", name)]
    done = pixtrawl(
        tmp_path, "run", "tabby cat", "-n", "6", "--json", *chosen, *LOOPBACK,
        *bases(bing=url, **broken), "-o", "images",
    )  # fmt: skip
    assert done.stdout, done.stderr
    report = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    (query,) = report["queries"]
    assert query["saved"] == 6
    outcomes = {name: one["outcome"] for name, one in query["sources"].items()}
    assert outcomes["bing"] == "ok"
    bad = {"blocked", "changed", "network_error"}
    assert {name for name in broken if outcomes[name] in bad} == set(broken)
    assert outcomes["ecosia"] == "blocked"
    assert outcomes["brave"] == "network_error"
    for name in broken:
        assert query["sources"][name]["detail"]["message"]
    evidence = {path.name for path in (tmp_path / "images").glob(".pixtrawl-evidence-*")}
    assert ".pixtrawl-evidence-ecosia-blocked.html" in evidence
    assert len(list((tmp_path / "images" / "tabby cat").iterdir())) == 6


@pytest.mark.parametrize(("alone", "status"), [(True, OK), (False, FAIL)])
def test_playwright_is_asked_for_only_where_nothing_else_drives_a_browser(
    monkeypatch: pytest.MonkeyPatch, alone: bool, status: str
) -> None:
    monkeypatch.setattr("pixtrawl.browser.executable.can_drive", lambda: alone)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    config = Config(job=Job(sources=("google",)))
    (found,) = (one for one in checks.browser(config) if one.name == "playwright")
    assert found.status == status
    assert bool(sources.missing("google", {})) == (not alone)
