"""`--steer`: what a person liked and refused puts candidates in order before they are fetched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from tests.matrices import slow
from tests.scoring.conftest import GREEN, RED, png

COUNT = 48
FIRST = 8


class SearchedSite:
    """Serves pictures with thumbnails; every second one is green. Notes what is asked for."""

    def __init__(self, folder: Path, address: str, asked: list[str]) -> None:
        self.address = address
        self.asked = asked
        self.robots = ""
        self.folder = folder / "images"
        self.list = folder / "red.jsonl"

    def first_asked(self, count: int) -> list[int]:
        """The places of the first pictures asked for: on a slow machine some more follow."""
        return [self.place(path) for path in self.asked if path.startswith("/o/")][:count]

    @property
    def thumbs(self) -> int:
        return sum(path.startswith("/t/") for path in self.asked)

    def write_list(self, thumb: str = "{address}/t/{at}.png") -> None:
        rows = [
            {"url": f"{self.address}/o/{at}.png", "label": "red", "query": "red",
             "thumb_url": thumb.format(address=self.address, at=at)}
            for at in range(COUNT)
        ]  # fmt: skip
        self.list.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def run(self, count: int, *more: str) -> int:
        return main([
            "download", str(self.list), "-o", str(self.folder), "-n", str(count), "--dedup", "off",
            "--junk", "keep", "--allow-address", "127.0.0.0/8", "-q", *more,
        ])  # fmt: skip

    def decide(self) -> None:
        """Like the red ones of what is there, refuse the green ones."""
        there = list(pixtrawl.open(self.folder))
        names = [
            [str(self.folder / one.file_name) for one in there if self.place(one.url) % 2 == side]
            for side in (0, 1)
        ]
        assert all(names)
        assert main(["unlike", str(self.folder), *names[1]]) == 0
        assert main(["like", str(self.folder), *names[0]]) == 0

    @staticmethod
    def place(url: str | None) -> int:
        return int(str(url).rpartition("/")[2].partition(".")[0])

    def reds(self) -> tuple[int, int]:
        """The kept images that are red, and all."""
        places = [self.place(one.url) for one in pixtrawl.open(self.folder)]
        return sum(at % 2 == 0 for at in places), len(places)

    def told(self) -> dict[str, object] | None:
        report = pixtrawl.open(self.folder).report
        return None if report.steering is None else report.steering.to_dict()


@contextmanager
def served_site(folder: Path) -> Iterator[SearchedSite]:
    pictures = [png(GREEN if at % 2 else RED, at, (96, 64)) for at in range(COUNT)]
    small = [png(GREEN if at % 2 else RED, 100 + at, (48, 32)) for at in range(COUNT)]
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            asked.append(self.path)
            kind, _, name = self.path.strip("/").partition("/")
            at = name.partition(".")[0]
            body, status = b"", 404
            if kind == "robots.txt" and served.robots:
                body, status = served.robots.encode(), 200
            elif at.isdigit():
                body, status = (small if kind == "t" else pictures)[int(at)], 200
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if kind == "robots.txt" else "image/png")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    served = SearchedSite(folder, f"http://127.0.0.1:{server.server_port}", asked)
    served.write_list()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[SearchedSite]:
    with served_site(tmp_path) as found:
        yield found


def test_no_thumbnail_is_asked_for_where_nobody_decided(site: SearchedSite) -> None:
    assert site.run(FIRST) == 0
    assert site.thumbs == 0
    assert site.reds() == (FIRST // 2, FIRST)
    assert site.told() is None


def test_candidates_like_the_kept_ones_are_fetched_first(
    site: SearchedSite, capsys: pytest.CaptureFixture[str]
) -> None:
    assert site.run(FIRST) == 0
    site.decide()
    site.asked.clear()
    assert site.run(20) == 0
    first = site.first_asked(16)
    assert len(first) == 16
    assert all(at % 2 == 0 for at in first), "no green picture was fetched to find that out"
    assert site.thumbs == COUNT - FIRST
    told = site.told()
    assert told is not None
    assert (told["by"], told["ranked"], told["failed"], told["without"]) == ("look", 40, 0, 0)
    capsys.readouterr()
    assert main(["report", str(site.folder)]) == 0
    assert "40 candidates ordered by your likes, by looks" in capsys.readouterr().out


def test_the_number_of_thumbnails_is_bounded_and_0_asks_for_none(site: SearchedSite) -> None:
    assert site.run(FIRST) == 0
    site.decide()
    assert site.run(10, "--steer", "0") == 0
    assert site.thumbs == 0
    assert site.run(14, "--steer", "12") == 0
    assert site.thumbs == 12
    told = site.told()
    assert told is not None
    assert told["ranked"] == 12
    assert int(str(told["left"])) > 0


@pytest.mark.parametrize(
    ("thumb", "robots"),
    [
        ("{address}/t/{at}.png", "User-agent: *\nDisallow: /t/\n"),  # the owner says no
        slow("http://169.254.9.9/t/{at}.png", ""),  # an address inside a network
        slow("{address}/gone/x{at}.png", ""),
        ("", ""),  # the source gives none
    ],
)
def test_thumbnails_that_cannot_be_had_leave_the_order_of_the_source(
    site: SearchedSite, thumb: str, robots: str
) -> None:
    site.write_list(thumb)
    site.robots = robots
    assert site.run(FIRST) == 0
    site.decide()
    assert site.run(16) == 0
    assert site.thumbs == 0
    assert site.reds()[1] == 16
    told = site.told()
    assert told is not None
    assert told["ranked"] == 0
    assert int(str(told["failed" if thumb else "without"])) == COUNT - FIRST


def test_with_a_model_thumbnails_are_compared_by_its_embeddings(site: SearchedSite) -> None:
    tiny = pytest.importorskip("tests.scoring.tiny", reason="extra clip is not installed")
    model = str(tiny.write_model(site.folder.parent / "tiny"))
    assert site.run(FIRST) == 0
    assert main(["score", str(site.folder), "--model", model, "--as", "what", "-q"]) == 0
    site.decide()
    site.asked.clear()
    assert site.run(20, "--model", model) == 0
    assert all(at % 2 == 0 for at in site.first_asked(16))
    told = site.told()
    assert told is not None
    assert told["by"] == "embedding"
    assert told["ranked"] == 40


@pytest.mark.slow  # the tests above have the order itself
def test_worker_processes_leave_the_order_to_the_likes_too(site: SearchedSite) -> None:
    assert site.run(FIRST) == 0
    site.decide()
    site.asked.clear()
    assert site.run(20, "--engine", "processes") == 0
    assert all(at % 2 == 0 for at in site.first_asked(16))
