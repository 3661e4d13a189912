"""Where the body of one request goes: staged files, and what is left of them."""

from __future__ import annotations

import asyncio
import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
import uvloop
from tests.net.clients import PICTURE, get, reason_of, with_client

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response


@pytest.mark.parametrize("runner", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def test_a_body_is_staged_and_hashed_on_both_loops(
    server: Any, settings: Any, staging: Path, runner: Any
) -> None:
    url = server.route("/a", body=PICTURE)

    async def main() -> Response:
        client = Client(settings(), staging=staging)
        response = await client.transfer(Request(url=url), stage_as="a.part")
        await client.aclose()
        return response

    response = runner(main())
    assert (staging / "a.part").read_bytes() == PICTURE
    assert response.staged_name == "a.part"
    assert response.sha256 == hashlib.sha256(PICTURE).hexdigest()
    assert response.head == PICTURE[:2048]
    assert response.body == b""
    assert response.size_bytes == len(PICTURE)


def test_a_refusal_is_never_staged_and_read_only_so_far(
    server: Any, settings: Any, staging: Path
) -> None:
    url = server.route("/a", 404, body=b"n" * 200_000)
    response = get(settings(), url, staging)
    assert response.status == 404
    assert response.body == b"n" * 65_536
    assert list(staging.iterdir()) == []


def test_an_empty_body_leaves_no_file(server: Any, settings: Any, staging: Path) -> None:
    response = get(settings(), server.route("/a"), staging)
    assert (response.status, response.staged_name, response.size_bytes) == (200, None, 0)
    assert list(staging.iterdir()) == []


def test_a_data_url_is_staged_like_any_other(settings: Any, staging: Path) -> None:
    response = get(settings(), "data:image/png;base64,AAEC", staging)
    assert (staging / "a").read_bytes() == b"\0\1\2"
    assert response.sha256 == hashlib.sha256(b"\0\1\2").hexdigest()
    assert response.headers == {"content-type": "image/png"}


@pytest.mark.parametrize("name", ["../a", "a/b", "", "..", "a\\b"])
def test_a_staged_name_stays_inside(server: Any, settings: Any, staging: Path, name: str) -> None:
    url = server.route("/a", body=b"x")

    async def use(client: Client) -> None:
        await client.transfer(Request(url=url), stage_as=name)

    with pytest.raises(FetchError) as caught:
        with_client(settings(), use, staging)
    assert caught.value.reason is Reason.STORE_FAILED


def test_an_existing_file_or_link_is_never_written_to(
    server: Any, settings: Any, staging: Path, tmp_path: Path
) -> None:
    url = server.route("/a", body=b"x")
    (tmp_path / "precious").write_text("gold")
    (staging / "a").symlink_to(tmp_path / "precious")
    assert reason_of(settings(), url, staging).reason is Reason.STORE_FAILED
    assert (tmp_path / "precious").read_text() == "gold"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_a_failure_of_the_store(
    server: Any, settings: Any, staging: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.route("/a", body=PICTURE)
    monkeypatch.setattr(
        "pixtrawl.net.body.Staging.create", lambda *_: os.open("/dev/full", os.O_WRONLY)
    )
    error = reason_of(settings(), url, staging)
    assert error.reason is Reason.STORE_FAILED
    assert "space" in error.detail


def test_a_cancelled_transfer_leaves_no_file_and_no_connection(
    server: Any, settings: Any, staging: Path
) -> None:
    def handler(connection: Any) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" + b"x" * 600_000)
        connection.stop.wait(20)

    url = server.on("/a", handler)

    async def use(client: Client) -> Response:
        task = asyncio.create_task(client.transfer(Request(url=url), stage_as="a"))
        while not (staging / "a").exists():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(staging.iterdir()) == []
        server.route("/b", body=b"still works")
        return await client.transfer(Request(url=server.url("/b")))

    assert with_client(settings(), use, staging).body == b"still works"


def test_closing_ends_what_is_under_way(server: Any, settings: Any, staging: Path) -> None:
    url = server.on("/a", lambda connection: connection.stop.wait(20))

    async def main() -> FetchError:
        client = Client(settings(), staging=staging)
        task = asyncio.create_task(client.transfer(Request(url=url), stage_as="a"))
        while not server.seen:
            await asyncio.sleep(0.005)
        await client.aclose()
        with pytest.raises(FetchError) as caught:
            await task
        return caught.value

    assert asyncio.run(main()).reason is Reason.INTERRUPTED
