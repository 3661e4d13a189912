"""What is passed on carries no secrets."""

from __future__ import annotations

import io
import json
import sqlite3
import threading
import time
import zlib
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

import pixtrawl
from pixtrawl import secrets
from pixtrawl.cli.main import main
from pixtrawl.config.groups import Config
from pixtrawl.labels import Labels
from pixtrawl.pipeline.run_settings import plain_settings
from pixtrawl.secrets import masked_text, masked_url
from pixtrawl.sources import is_secret

DOCS = Path(__file__).parents[1] / "docs"


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("http://bob:S@h/1.jpg", "http://***@h/1.jpg"),
        ("http://bob@h/1.jpg", "http://***@h/1.jpg"),
        ("http://b%40b:S%3A@h/1.jpg", "http://***@h/1.jpg"),
        ("https://h/2.jpg?X-Amz-Credential=S&X-Amz-Date=2&X-Amz-Signature=S",
         "https://h/2.jpg?X-Amz-Credential=***&X-Amz-Date=2&X-Amz-Signature=***"),
        ("https://h/2.jpg?AWSAccessKeyId=S&Expires=5&Signature=S%3D",
         "https://h/2.jpg?AWSAccessKeyId=***&Expires=***&Signature=***"),
        ("https://h/a?GoogleAccessId=S&Expires=5&Signature=S",
         "https://h/a?GoogleAccessId=***&Expires=***&Signature=***"),
        ("https://a.blob.core.windows.net/c/x.jpg?sv=2020&se=S&sr=b&sp=r&sig=S",
         "https://a.blob.core.windows.net/c/x.jpg?sv=***&se=***&sr=***&sp=***&sig=***"),
        ("https://h/a?Policy=S&Signature=S&Key-Pair-Id=S",
         "https://h/a?Policy=***&Signature=***&Key-Pair-Id=***"),
        ("https://h/a?hdnea=exp=1~acl=/*~hmac=S&w=2", "https://h/a?hdnea=***&w=2"),
        ("https://h/3.jpg?w=1&API-key=S&h=2", "https://h/3.jpg?w=1&API-key=***&h=2"),
        ("https://h/3.jpg?api%5Fkey=S", "https://h/3.jpg?api%5Fkey=***"),
        ("https://h/3.jpg?upload_token=S", "https://h/3.jpg?upload_token=***"),
        ("https://h/x#access_token=S&state=1", "https://h/x#access_token=***&state=1"),
        ("https://h/x;jsessionid=S?p=1", "https://h/x;jsessionid=***?p=1"),
        ("https://h/x?u=https://bob:S@i/y?token=S&w=1", "https://h/x?u=https://***@i/y?token=***&w=1"),
        ("https://h/x?u=https%3A%2F%2Fbob%3AS%40i%2Fy%3Ftoken%3DS%26w%3D1",
         "https://h/x?u=https%3A%2F%2F***%40i%2Fy%3Ftoken%3D***%26w%3D1"),
        # What is none stays byte for byte.
        ("https://h/a?se=1&sp=2&st=3&policy=x&expires=4", None),
        ("https://h/@user/x@2x.jpg?at=me@home", None),
        ("https://h/a?keyword=cat&monkey=1&assign=2&tokens=3&design=4&size=5", None),
        ("https://h/tokens/key=1/secret.jpg", None),
        ("https://h/Caf%C3%A9?q=%20x&&=&a", None),
        ("data:image/png;base64,iVBORw0KGgo?token=x", None),
        ("no address", None),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_its_secrets(url: str, masked: str | None) -> None:
    assert masked_url(url) == (url if masked is None else masked)
    assert masked_url(masked_url(url)) == masked_url(url)


@given(
    st.sampled_from(sorted(name for names in secrets.PARAMETERS.values() for name in names)),
    st.text(st.characters(exclude_characters="\ud800"), min_size=1, max_size=30),
    st.booleans(),
    st.integers(0, 2),
)
def test_the_value_of_a_listed_parameter_is_never_left(
    name: str, value: str, upper: bool, place: int
) -> None:
    secret = "SEC" + quote(value, safe="") + "RET"
    pairs = [f"{name.upper() if upper else name}={secret}", "w=100", "x=cat"]
    pairs.insert(place, pairs.pop(0))
    shown = masked_url(f"https://h.example/a/b.jpg?{'&'.join(pairs)}")
    assert secret not in shown
    assert "w=100" in shown
    inside = masked_url(f"https://h.example/x?u={quote(f'https://i.example/?{pairs[place]}', '')}")
    assert quote(secret, safe="") not in inside


def test_addresses_are_masked_wherever_a_text_holds_them() -> None:
    text = "cannot read 'https://bob:S@h/x?token=S' (see http://h/?sig=S), http://h/ok?w=1"
    shown = masked_text(text)
    assert "S" not in shown
    assert shown.endswith("http://h/ok?w=1")


def test_no_address_takes_long() -> None:
    for url in (
        "http://h/?" + "token&" * 25_000,
        "http://h/?" + "token" * 50_000 + "=",
        "http://h/" + "%3A%2F%2F" * 25_000 + "token=%40",
        "http://h/?" + "%26token%3D" * 12_500,
        "http://" + "token@" * 25_000,
    ):
        started = time.process_time()
        masked_text(url)
        assert time.process_time() - started < 1  # 2.5 s where it grows with the square


def test_settings_are_kept_without_secrets() -> None:
    kept = plain_settings(
        Config(
            sources={
                "mine": {"bearer": "S", "pin": "S", "url": "http://me:S@host/x"},
                "searxng": {"url": "http://me:S@host/", "delay_s": "2"},
                "flickr": {"key": "S", "base_url": "http://h/?api_key=S"},
            }
        )
    )
    assert kept["sources"] == {
        "mine": {"bearer": "set", "pin": "set", "url": "http://***@host/x"},
        "searxng": {"url": "http://***@host/", "delay_s": "2"},
        "flickr": {"key": "set", "base_url": "http://h/?api_key=***"},
    }


class Pictures(BaseHTTPRequestHandler):
    """Another picture at every address."""

    def do_GET(self) -> None:
        if self.path == "/robots.txt":
            self.send_error(404)
            return
        small = np.random.default_rng(zlib.crc32(self.path.encode())).integers(
            0, 256, (9, 12, 3), dtype=np.uint8
        )
        buffer = io.BytesIO()
        Image.fromarray(small).resize((320, 240), Image.Resampling.BICUBIC).save(buffer, "JPEG")
        self.send_response(200)
        self.send_header("Content-Length", str(len(buffer.getvalue())))
        self.end_headers()
        self.wfile.write(buffer.getvalue())

    def log_message(self, *_: object) -> None:
        """Silent."""


def test_nothing_that_is_passed_on_holds_a_secret(tmp_path: Path) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host = f"127.0.0.1:{server.server_address[1]}"
    page = "https://me:SECRET@page.example/?token=SECRET"
    rows = [
        f"http://bob:SECRET@{host}/1.jpg,{page}",
        f"http://{host}/2.jpg?w=2&X-Amz-Signature=SECRET,{page}",
        f"http://{host}/3.jpg?api_key=SECRET,",
    ]
    (tmp_path / "cat.csv").write_text("url,page_url\n" + "\n".join(rows) + "\n")
    root = tmp_path / "images"
    try:
        found = pixtrawl.download(tmp_path / "cat.csv", output=root, allow_address=["127.0.0.0/8"])
    finally:
        server.shutdown()
        server.server_close()
    assert len(found) == 3
    for to in ("imagefolder", "csv", "parquet"):
        found.export(to, tmp_path / to)
    assert main(["lock", str(root), "-o", str(tmp_path / "set.lock")]) == 0
    written = [
        path
        for path in tmp_path.rglob("*")
        if path.is_file() and ".sqlite3" not in path.name and path.name != "cat.csv"
    ]
    assert len(written) > 8
    assert [path for path in written if b"SECRET" in path.read_bytes()] == []
    assert "SECRET" not in found.to_pandas().to_csv()
    assert "SECRET" not in json.dumps(found.report, default=str)
    # What a run needs to go on is still there.
    catalog = next(path for path in root.rglob("*.sqlite3"))
    with closing(sqlite3.connect(catalog)) as db:
        kept = [url for (url,) in db.execute("SELECT url FROM candidate")]
    assert all("SECRET" in url for url in kept)


def test_a_source_says_itself_what_is_secret() -> None:
    assert is_secret("flickr", "key")
    assert not is_secret("searxng", "url")
    assert not is_secret("bing", "base_url")
    assert is_secret("no such source", "anything")


def test_a_label_made_of_an_address_holds_no_secret() -> None:
    (label,) = Labels().assign(["https://bob:SECRET@h/gallery?token=SECRET"])
    assert "secret" not in label.lower()


def test_every_parameter_is_published() -> None:
    text = (DOCS / "secrets.md").read_text("utf-8")
    for names in (*secrets.PARAMETERS.values(), secrets.SUFFIXES, *secrets.SIGNED_WITH.values()):
        for name in names:
            assert f"`{name}`" in text, name
