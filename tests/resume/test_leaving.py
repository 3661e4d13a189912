"""A user who stops a command waits seconds for its end, whatever is silent or large."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from tests.pipeline.pictures import fetch, jpeg, manifest, scene, serving

import pixtrawl
from pixtrawl.config.groups import Config
from pixtrawl.events import Event, Notice
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.net.curl.loop import CurlLoop
from pixtrawl.pipeline.opening import open_session

pytestmark = [pytest.mark.timeout(90), pytest.mark.filterwarnings("ignore")]


def _lines(folder: Path) -> list[str]:
    rows = (folder / "metadata.jsonl").read_text().splitlines()
    return [json.loads(row)["file_name"] for row in rows]


def test_files_made_from_the_catalog_wait_for_the_next_command_where_a_stop_has_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "set"
    with serving({f"/{n}.jpg": jpeg(scene(n)) for n in range(2)}) as host:
        rows = [("cat", f"{host.url}/{n}.jpg") for n in range(2)]
        fetch(manifest(tmp_path / "urls.csv", rows), output)
    whole = _lines(output)
    assert len(whole) == 2
    (output / "metadata.jsonl").write_text("")
    monkeypatch.setattr("pixtrawl.pipeline.session._FILES_S", -1.0)
    heard: list[Event] = []

    async def stopped() -> None:
        async with open_session(Config(), Folder(output), heard.append):
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(stopped())
    assert _lines(output) == []
    assert any("metadata.jsonl" in one.message for one in heard if isinstance(one, Notice))
    assert len(pixtrawl.open(output)) == 2
    assert _lines(output) == whole


def test_a_client_is_closed_within_seconds_while_libcurl_waits_for_a_silent_name_server() -> None:
    answered, called = threading.Event(), threading.Event()

    class SlowMulti:
        """Closes as libcurl does: only once the name server has answered, or is given up."""

        def __init__(self, loop: CurlLoop) -> None:
            self._loop = loop

        def close(self) -> None:
            answered.wait(60)
            self._loop._on_socket(0, 5, self, None)  # as it ends its last connections
            called.set()

    async def close() -> float:
        loop: Any = CurlLoop(connections=4)
        loop._multi.close()
        loop._multi = SlowMulti(loop)
        began = time.monotonic()
        loop.close()
        return time.monotonic() - began

    assert asyncio.run(close()) < 30
    answered.set()
    assert called.wait(30)
