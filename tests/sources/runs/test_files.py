"""From the command line to files, for every source, each against its stand-in over HTTP.

`google` and its browser have runs of their own: tests/test_post_defects.py.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urldefrag

import pytest
from tests.sources import synthetic_answers as synthetic
from tests.sources.api.stand_in_parts import Reply, asked
from tests.sources.api.stand_ins import BY_NAME
from tests.sources.runs.pictures import picture

from pixtrawl import sources
from pixtrawl.cli.main import main

EACH = 2  # pictures of a source
QUERY = "tabby cat"
HOSTS = ("img.example", "pictures.test", "iiif.test")  # of the stand-ins' pictures
PAGES = {"baidu", "bing", "brave", "ecosia", "naver", "startpage", "yandex"}
OWN = {"page", "urls"}  # what they read is the user's own
NAMES = sorted({*BY_NAME, *PAGES, *OWN})


def said(name: str, base: str, target: str, headers: dict[str, str]) -> Reply:
    """The answer of a source's stand-in that has two pictures."""
    if name in BY_NAME:
        answer = BY_NAME[name].answer(asked(base, target, headers), EACH)
        if isinstance(answer, Reply):
            return answer
        return Reply(200, json.dumps(answer), "application/json")
    urls = [synthetic.number_of(at) for at in range(EACH)]
    if name == "startpage":
        front = synthetic.STARTPAGE_FRONT
        return Reply(200, synthetic.startpage(urls) if "/sp/search" in target else front)
    if name == "baidu":
        records = [synthetic.baidu_record(url) for url in urls]
        return Reply(200, synthetic.baidu(records, EACH), "application/json")
    if name == "page":
        return Reply(200, synthetic.page("".join(f"<img src='{url}'>" for url in urls)))
    made = {"bing": synthetic.bing, "brave": synthetic.brave, "ecosia": synthetic.ecosia,
            "naver": synthetic.naver, "yandex": synthetic.yandex}[name]  # fmt: skip
    return Reply(200, made(urls))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        root = f"http://{self.headers['Host']}"
        name, _, target = self.path[1:].partition("/")
        if name == "pictures" or target.startswith("download/"):  # as the Internet Archive does
            self._send(200, picture(self.path), "image/jpeg")
        elif name in NAMES:
            reply = said(name, f"{root}/{name}", f"/{target}", dict(self.headers))
            text = reply.text
            for host in HOSTS:
                for scheme in ("https", "http"):
                    text = text.replace(f"{scheme}://{host}", f"{root}/pictures/{name}")
            self._send(reply.status, text.encode(), reply.kind)
        else:
            self._send(404, b"nothing here", "text/plain")

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def root() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def settings(root: str, manifest: Path) -> Iterator[str]:
    """The words that point every source to its stand-in."""
    for name in NAMES:
        given = {"base_url": f"{root}/{name}"}
        if name in BY_NAME:
            given |= BY_NAME[name].settings
        if name == "page":
            given = {"urls": f"{root}/page/index.html", "delay_s": "0"}
        if name == "urls":
            given = {"file": str(manifest)}
        yield from ("-s", name)
        for key, value in given.items():
            yield from ("--set", f"{name}.{key}={value}")


def test_every_source_s_pictures_become_files_that_say_whose_they_are(
    root: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert {*NAMES, "google"} == {
        name
        for name in sources.available()
        if sources.load(name).__module__.startswith("pixtrawl.")
    }
    manifest = tmp_path / f"{QUERY}.txt"
    manifest.write_text("".join(f"{root}/pictures/urls/{at}.jpg\n" for at in range(EACH)))
    images = tmp_path / "images"
    code = main([
        "run", QUERY, "-n", "500", "-o", str(images), "--json", "-q", "--ignore-robots",
        "--allow-address", "127.0.0.0/8", *settings(root, manifest),
    ])  # fmt: skip
    told = capsys.readouterr()
    report = json.loads(told.out)
    outcomes = {name: one["outcome"] for name, one in report["queries"][0]["sources"].items()}
    assert outcomes == dict.fromkeys(NAMES, "ok")
    rows = [json.loads(line) for line in (images / "metadata.jsonl").read_text().splitlines()]
    assert Counter(row["source"] for row in rows) == dict.fromkeys(NAMES, EACH)
    for row in rows:
        assert (images / row["file_name"]).read_bytes() == picture(
            urldefrag(row["url"]).url.removeprefix(root)
        )
        known = sources.load(row["source"]).info.license
        assert known in {"unknown", "per image"} or row["license"]
    assert code == 3  # short of 500, and said so
    kept = b"".join(path.read_bytes() for path in images.rglob("*") if path.is_file())
    assert b"sEcr3t" not in kept
    assert "sEcr3t" not in told.out + told.err
