"""Pages of real software: sigal's galleries, copyparty's listings, a post of WordPress."""

from __future__ import annotations

import asyncio
import importlib.util
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote

import pytest
from PIL import Image
from tests.realparts import wordpress

from pixtrawl.config.groups import Fetch, Politeness
from pixtrawl.model import Kind, Query
from pixtrawl.net.client import Client
from pixtrawl.net.crawl_http import CrawlHttp
from pixtrawl.net.hosts.accounts import HostAccounts
from pixtrawl.sources.contract import Ending, ask
from pixtrawl.sources.page.source import WebPage

pytestmark = [pytest.mark.realparts]
NAMES = ["cat one.jpg", "größe & co.jpg", "tail+x.png"]
EXPECTED = {*(f"album one/{name}" for name in NAMES), "album two/deep.jpg"}


def needs(package: str) -> None:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the package {package} is not installed")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    (folder / "album one").mkdir(parents=True)
    (folder / "album two").mkdir()
    for number, name in enumerate(NAMES):
        Image.effect_noise((900, 700), 40 + number).convert("RGB").save(folder / "album one" / name)
    Image.effect_noise((800, 800), 90).convert("RGB").save(folder / "album two" / "deep.jpg")
    return folder


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served(folder: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def crawl(url: str, **given: str) -> Ending:
    async def main() -> Ending:
        fetch = Fetch(allow_address=("127.0.0.0/8",))
        client = Client(fetch)
        hosts = HostAccounts(client, Politeness(), fetch)
        try:
            return await ask(WebPage(given), CrawlHttp(hosts), Query(url, "x"))
        finally:
            await hosts.aclose()
            await client.aclose()

    return asyncio.run(main())


def originals(ending: Ending, base: str) -> set[str]:
    own = (one for one in ending.candidates if one.kind is Kind.ORIGINAL)
    return {unquote(one.url.removeprefix(base)) for one in own}


@pytest.mark.slow
@pytest.mark.parametrize("theme", ["galleria", "colorbox", "photoswipe"])
def test_a_gallery_of_sigal_gives_the_large_pictures(
    theme: str, pictures: Path, tmp_path: Path
) -> None:
    needs("sigal")
    settings = tmp_path / "sigal.conf.py"
    settings.write_text(
        f"source = {str(pictures)!r}\ntheme = {theme!r}\nuse_orig = True\ntitle = 'Test'\n"
    )
    command = [
        sys.executable,
        "-m",
        "sigal",
        "build",
        "-q",
        "-n",
        "1",
        "-c",
        str(settings),
        str(pictures),
        str(tmp_path / "site"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    with served(tmp_path / "site") as base:
        ending = crawl(base, depth="1", sitemap="false")
    found = originals(ending, base)
    assert found >= EXPECTED
    assert not any("thumbnails/" in name for name in found)


def test_a_listing_of_copyparty_gives_every_file(pictures: Path, tmp_path: Path) -> None:
    needs("copyparty")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "copyparty", "-q", "-i", "127.0.0.1", "-p", str(port), "-nih",
               "--no-thumb", "--no-ansi", "-v", f"{pictures}::r"]  # fmt: skip
    environment = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path), "PATH": ""}
    server = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(port)
        base = f"http://127.0.0.1:{port}/"
        ending = crawl(base, depth="1", sitemap="false")
    finally:
        server.terminate()
        server.wait(10)
    assert {name.partition("?")[0] for name in originals(ending, base)} >= EXPECTED


@pytest.mark.slow  # tests/sources/page/test_links.py has such markup
def test_a_post_of_wordpress_gives_the_uploads_and_their_copies_as_fall_backs(
    pictures: Path, tmp_path: Path
) -> None:
    if reason := wordpress.missing():
        pytest.skip(reason)
    files = sorted((pictures / "album one").iterdir())
    with wordpress.wordpress(tmp_path / "blog", files) as blog:
        ending = crawl(blog.post)
        listed = crawl(blog.url, depth="1")  # robots.txt, the sitemap and the front page are real
    found = [one for one in ending.candidates if "/uploads/" in one.url]
    uploads = {one.url.rpartition("/")[2] for one in found}
    assert len(uploads) == len(files) == len(found)
    assert not any(re.search(r"-[0-9]+x[0-9]+\.", name) for name in uploads)
    for one in found:
        assert any(re.search(r"-300x[0-9]+\.", other.url) for other in one.alternates)
        assert one.title in {"A cat", "Alone"}
    assert {one.url for one in found} <= {one.url for one in listed.candidates}


def wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError("the server does not listen")
