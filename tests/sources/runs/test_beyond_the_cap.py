"""A thousand pictures from a search that never lists more than a hundred."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.net.conftest import Connection, Server
from tests.sources import synthetic_answers as synthetic
from tests.sources.runs.pictures import picture

from pixtrawl.cli.main import main

WANTED = 1000
SUPPLY = 5000  # pictures that the stand-in knows
CAP = 100  # and lists at most, whatever is asked
SIZE = (192, 144)


class Capped:
    """Answers as Bing does: a page of results, the last one without a next URL; and pictures."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.longest = 0

    def __call__(self, connection: Connection) -> None:
        parts = urlsplit(connection.target)
        if parts.path.startswith("/pictures/"):
            connection.reply(200, picture(parts.path, SIZE), Content_Type="image/jpeg")
            return
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        first, count = int(asked.get("first", 1)) - 1, int(asked.get("count", 35))
        listed = self.listing(f"{asked.get('q')} {asked.get('qft', '')}")[first:][:count]
        self.longest = max(self.longest, first + len(listed))
        body = synthetic.bing([f"{self.url}/pictures/{at}.jpg" for at in listed], SIZE)
        connection.reply(200, body.encode(), Content_Type="text/html")

    @staticmethod
    def listing(words: str) -> list[int]:
        """A hundred of all there is, others for other filters; many are in several listings."""
        return random.Random(zlib.crc32(words.encode())).sample(range(SUPPLY), CAP)


@pytest.mark.slow
def test_slices_bring_a_thousand_where_each_listing_stops_at_a_hundred(
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    search = Capped(server.url("").rstrip("/"))
    server.on("*", search)
    common = [
        "-n", str(WANTED), "--json", "-q", "-s", "bing", "--set", f"bing.base_url={search.url}",
        "--allow-address", "127.0.0.0/8", "--ignore-robots",
    ]  # fmt: skip
    assert main(["discover", "tabby cat", "-o", str(tmp_path / "plain.jsonl"), *common]) == 3
    assert json.loads(capsys.readouterr().out)["queries"][0]["saved"] == CAP
    assert search.longest == CAP
    images = tmp_path / "images"
    assert main(["run", "tabby cat", "-o", str(images), "--expand", "filters", *common]) == 0
    (query,) = json.loads(capsys.readouterr().out)["queries"]
    rows = [json.loads(line) for line in (images / "metadata.jsonl").read_text().splitlines()]
    assert query["saved"] == len({row["sha256"] for row in rows}) == WANTED
    assert len(list((images / "tabby cat").iterdir())) == WANTED
    assert query["sources"]["bing"]["found"] == CAP
    new = {one["slice"]: one["new"] for one in query["slices"]}
    assert len(new) >= 9
    assert all(0 < count <= CAP for count in new.values())
    assert CAP + sum(new.values()) >= WANTED
