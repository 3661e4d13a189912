"""Junk by the command: told with what shows it where a list names it, dropped on request."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from random import Random

import pytest
from bench import junk_pictures as drawn
from tests import warm_command
from tests.images.test_junk import encoded, info, judged, scenery
from tests.loopback import answered_by

from pixtrawl.model import Reason

pytestmark = pytest.mark.timeout(180)

JUNK = {
    "/letters.jpg": ("captcha: letters", Reason.HUMAN_CHECK),
    "/grid.jpg": ("captcha: grid", Reason.HUMAN_CHECK),
    "/slider.jpg": ("captcha: slider", Reason.HUMAN_CHECK),
    "/logo.jpg": ("logo", Reason.ICON),
}


def junk_of(kind: str, reason: Reason) -> bytes:
    """Return the first drawn picture of a kind that the rules know; how many they do is measured."""
    drawings = (drawn.JUNK[kind](Random(f"{kind} {seed}"), scenery()) for seed in range(30))
    return next(encoded(one) for one in drawings if judged(info(one)) is reason)


@cache
def pictures() -> dict[str, bytes]:
    photos = {f"/photo-{at}.jpg": encoded(one) for at, one in enumerate(scenery())}
    return photos | {path: junk_of(*kind) for path, kind in JUNK.items()}


@pytest.fixture(scope="module")
def web() -> Iterator[str]:
    files = pictures()
    page = "".join(f'<p><img src="{path}" alt="a"></p>' for path in files)

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = files.get(self.path, page.encode() if self.path == "/" else b"")
            self.send_response(200 if body else 404)
            kind = "image/jpeg" if self.path.endswith(".jpg") else "text/html"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing: the test reads the command's output."""

    with answered_by(Site) as address:
        yield address


def pixtrawl(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    return warm_command.run(
        [sys.executable, "-m", "pixtrawl", *arguments],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"),
             "XDG_STATE_HOME": str(home / "state"), "PYTHONUTF8": "1"},
    )  # fmt: skip


def outcomes(text: str) -> dict[str, tuple[str, str]]:
    rows = [json.loads(line) for line in text.splitlines()]
    return {"/" + row["url"].rpartition("/")[2]: (row["reason"], row["detail"]) for row in rows}


def test_junk_of_a_list_is_kept_told_shown_and_dropped_on_request(web: str, tmp_path: Path) -> None:
    listed = tmp_path / "urls.txt"
    listed.write_text("".join(f"{web}{path}\n" for path in pictures()))
    place = str(tmp_path / "kept")
    again = ("--allow-address", "127.0.0.0/8", "--dedup", "off")
    done = pixtrawl("download", str(listed), "-o", place, *again, home=tmp_path)
    told = done.stdout + done.stderr
    assert "4 images look like junk (3 human_check, 1 icon)" in told, told
    assert f"pixtrawl report {place} --junk" in told

    shown = outcomes(pixtrawl("report", place, "--junk", home=tmp_path).stdout)
    assert set(shown) == set(JUNK)
    assert all(reason == "saved" and "looks like" in why for reason, why in shown.values())

    place = str(tmp_path / "dropped")
    pixtrawl("download", str(listed), "-o", place, "--junk", "drop", *again, home=tmp_path)
    found = outcomes(pixtrawl("report", place, "--urls", home=tmp_path).stdout)
    assert Counter(reason for reason, _ in found.values()) == {
        "saved": 2, "human_check": 3, "icon": 1,
    }  # fmt: skip
    assert found["/photo-0.jpg"][0] == found["/photo-1.jpg"][0] == "saved"


def test_junk_of_a_page_is_dropped_unless_told_otherwise(web: str, tmp_path: Path) -> None:
    place = str(tmp_path / "set")
    done = pixtrawl(
        "run", f"{web}/", "-s", "page", "-o", place, "--allow-address", "127.0.0.0/8",
        "--dedup", "off", home=tmp_path,
    )  # fmt: skip
    found = outcomes(pixtrawl("report", place, "--urls", home=tmp_path).stdout)
    assert {path for path, (reason, _) in found.items() if reason == "saved"} == {
        "/photo-0.jpg", "/photo-1.jpg",
    }, done.stderr  # fmt: skip
    assert found["/grid.jpg"][0] == found["/slider.jpg"][0] == "human_check"
