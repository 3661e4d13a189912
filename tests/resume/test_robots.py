"""A host in trouble is not one that opts out: its pictures come when its robots.txt does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.net.conftest import Server
from tests.pipeline.pictures import jpeg, scene

import pixtrawl


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.mark.timeout(90)
@pytest.mark.filterwarnings("ignore")  # that it is short is told
def test_a_robots_txt_that_stays_5xx_is_asked_for_again_by_the_next_run(
    server: Server, tmp_path: Path
) -> None:
    server.route("/robots.txt", 503, Retry_After="0")
    server.route("/1.jpg", body=jpeg(scene(1)), Content_Type="image/jpeg")

    def reasons() -> dict[str, Any]:
        done = pixtrawl.download(
            [server.url("/1.jpg")], output=tmp_path / "set", allow_address="127.0.0.0/24",
            progress=False,
        )  # fmt: skip
        found: dict[str, Any] = done.report["reasons"]
        return found

    assert reasons() == {"robots_unavailable": 1}
    assert "/1.jpg" not in server.paths()
    server.route("/robots.txt", 404)
    assert reasons() == {"saved": 1}
