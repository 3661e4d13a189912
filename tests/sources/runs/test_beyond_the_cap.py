"""A thousand pictures from a search that never lists more than a hundred."""

from __future__ import annotations

import json
import random
import zlib
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.matrices import slow
from tests.net.conftest import Connection, Server
from tests.sources import synthetic_answers as synthetic
from tests.sources.runs.pictures import picture

from pixtrawl.cli.main import main

SIZE = (192, 144)


class Capped:
    """Answers as Bing does: a page of results, the last one without a next URL; and pictures."""

    def __init__(self, url: str, cap: int) -> None:
        self.url = url
        self.cap = cap
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

    def listing(self, words: str) -> list[int]:
        """As many as it ever lists of all there is, others for other filters; many are in several listings."""
        return random.Random(zlib.crc32(words.encode())).sample(range(50 * self.cap), self.cap)


@pytest.mark.parametrize("cap", [20, slow(100)])
def test_slices_bring_ten_times_of_where_each_listing_stops(
    server: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    cap: int,
) -> None:
    wanted = 10 * cap
    search = Capped(server.url("").rstrip("/"), cap)
    server.on("*", search)
    common = [
        "-n", str(wanted), "--json", "-q", "-s", "bing", "--set", f"bing.base_url={search.url}",
        "--allow-address", "127.0.0.0/8", "--ignore-robots",
    ]  # fmt: skip
    assert main(["discover", "tabby cat", "-o", str(tmp_path / "plain.jsonl"), *common]) == 3
    assert json.loads(capsys.readouterr().out)["queries"][0]["saved"] == cap
    assert search.longest == cap
    images = tmp_path / "images"
    assert main(["run", "tabby cat", "-o", str(images), "--expand", "filters", *common]) == 0
    (query,) = json.loads(capsys.readouterr().out)["queries"]
    rows = [json.loads(line) for line in (images / "metadata.jsonl").read_text().splitlines()]
    assert query["saved"] == len({row["sha256"] for row in rows}) == wanted
    assert len(list((images / "tabby cat").iterdir())) == wanted
    assert query["sources"]["bing"]["found"] == cap
    new = {one["slice"]: one["new"] for one in query["slices"]}
    assert len(new) >= 9
    assert all(0 < count <= cap for count in new.values())
    assert cap + sum(new.values()) >= wanted
