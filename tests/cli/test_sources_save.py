"""`pixtrawl sources save`: one real answer in a file that can be sent, and read again."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from tests.net.conftest import Connection, Server

from pixtrawl.cli.main import main
from pixtrawl.playground import Playground
from pixtrawl.sources.replay.recording import mask

LOOPBACK = ("--allow-address", "127.0.0.0/8")
KEY = "sEcr3t-Key-12345"


@pytest.fixture
def server() -> Any:
    made = Server()
    yield made
    made.close()


def save(folder: Path, name: str, url: str, *more: str) -> tuple[int, Path]:
    path = folder / f"{name}.zip"
    words = ["sources", "save", name, "tabby cat", "-o", str(path), *LOOPBACK]
    return main([*words, "--set", f"{name}.base_url={url.rstrip('/')}", *more]), path


def unpacked(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


@pytest.mark.parametrize("name", ["bing", "openverse", "wikimedia"])
def test_a_saved_answer_is_read_again_as_it_was_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    with Playground(patience=0.01) as site:
        code, path = save(tmp_path, name, site.url, "--json")
    told = json.loads(capsys.readouterr().out)
    verdict = json.loads(unpacked(path)["verdict.json"])
    assert code == 0
    assert (verdict["source"], verdict["query"], verdict["outcome"]) == (name, "tabby cat", "ok")
    assert verdict["results"] == told["results"] > 5
    assert verdict["read_again"] == {"outcome": "ok", "results": verdict["results"]}
    assert verdict["candidates"][0]["url"]
    assert main(["sources", "check", name, str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["results"] == verdict["results"]


def test_nothing_of_the_user_s_own_is_in_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, server: Server
) -> None:
    photo = {
        "url": f"https://site.test/1?api_key={KEY}", "alt": "asked from 203.0.113.77",
        "src": {"original": "https://img.test/1.jpg"}, "photographer": "me@home.example",
    }  # fmt: skip
    body = {"total_results": 1, "photos": [photo], "next_page": f"https://x.test/?key={KEY}&p=2",
            "session_id": "abcdefgh12345678", "asked_by": "2001:db8:85a3::8a2e:370:7334"}  # fmt: skip

    def handle(connection: Connection) -> None:
        text = json.dumps({**body, "echo": "visitor-cookie-77", "note": KEY}).encode()
        connection.reply(
            200, text, Content_Type="application/json", X_Ratelimit_Remaining="7",
            Set_Cookie="visit=visitor-cookie-77; Path=/", X_Client_Ip="203.0.113.77",
        )  # fmt: skip

    server.on("*", handle)
    code, path = save(tmp_path, "pexels", server.url(""), "--set", f"pexels.key={KEY}")
    assert code == 0
    told = capsys.readouterr().out
    everything = b"".join(unpacked(path).values()) + told.encode()
    for secret in (KEY, "203.0.113.77", "visitor-cookie-77", "me@home.example",
                   "abcdefgh12345678", "2001:db8:85a3", "127.0.0.1"):  # fmt: skip
        assert secret.encode() not in everything, secret
    verdict = json.loads(unpacked(path)["verdict.json"])
    (answer,) = verdict["answers"]
    assert answer["headers"]["x-ratelimit-remaining"] == "7"
    assert verdict["candidates"][0]["url"] == "https://img.test/1.jpg"
    assert verdict["read_again"] == {"outcome": "ok", "results": 1}


def test_a_refusal_is_saved_too_and_ends_with_3(tmp_path: Path, server: Server) -> None:
    page = b"<h1>Please confirm you are a human</h1><p>Your address: 203.0.113.9</p>"
    server.route("*", 403, page, Content_Type="text/html")
    code, path = save(tmp_path, "ecosia", server.url(""))
    assert code == 3
    files = unpacked(path)
    verdict = json.loads(files["verdict.json"])
    assert verdict["outcome"] == "blocked"
    assert b"203.0.113.9" not in files["answer-1.html"]
    assert b"confirm you are a human" in files["answer-1.html"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["google", "cat"], "read inside a browser"),
        (["urls", "cat"], "asks nobody"),
        (["bing"], "say which source and which words"),
        (["bing", " "], "say which source and which words"),
        (["bingo", "cat"], "did you mean 'bing'"),
        (["pexels", "cat"], "needs a key"),
    ],
)
def test_what_cannot_be_saved_is_said_with_the_next_step(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.delenv("PEXELS_API_KEY", raising=False)
    assert main(["sources", "save", *words]) == 2
    assert said in capsys.readouterr().err


def test_a_file_that_is_there_is_not_written_over(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "bing.zip").write_text("mine", "utf-8")
    assert save(tmp_path, "bing", "http://127.0.0.1:9")[0] == 2
    assert "is there already" in capsys.readouterr().err
    assert (tmp_path / "bing.zip").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("https://x.test/a.jpg?w=3&X-Amz-Signature=abcdef", "https://x.test/a.jpg?w=3&X-Amz-Signature=MASKED"),
        ("?access_token=abcdefgh&q=cat", "?access_token=MASKED&q=cat"),
        (r'"next": "/x?p=2\u0026api_key=abcdefgh"', r'"next": "/x?p=2\u0026api_key=MASKED"'),
        ("&quot;session_id&quot;:&quot;abcdefgh1&quot;", "&quot;session_id&quot;:&quot;MASKED&quot;"),
        ('vqd="4-123456789"', 'vqd="MASKED"'),
        ('{"license_code": "cc-by-nc", "key": "title words"}', '{"license_code": "cc-by-nc", "key": "title words"}'),
        ("<input type='hidden' name='sc' value='AbCdEf123'>", "<input type='hidden' name='sc' value='MASKED'>"),
        ("at 12:34:56 on 2026-11-28, version 1.2.3", "at 12:34:56 on 2026-11-28, version 1.2.3"),
        ("from 10.0.0.7 and fe80::1", "from 192.0.2.1 and 2001:db8::1"),
        ("300.1.2.3 is none", "300.1.2.3 is none"),
    ],
)  # fmt: skip
def test_masking_changes_what_is_secret_and_nothing_else(text: str, masked: str) -> None:
    assert mask(text) == masked


def test_a_zip_of_something_else_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as packed:
        packed.writestr("x.txt", "x")
    assert main(["sources", "check", "bing", str(tmp_path / "other.zip")]) == 2
    assert "holds no answers" in capsys.readouterr().err
