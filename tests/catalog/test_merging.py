"""The same picture found twice is one candidate with every way to it."""

from __future__ import annotations

from msgspec.structs import replace

from pixtrawl.catalog import frontier
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.catalog.merging import picture_key
from pixtrawl.model import Alternate, Candidate, Kind
from tests.catalog.data import Data

THUMB = "https://tse1.example/th?id=OIP.abcdefgh12345678&pid=1"


def add(data: Data, row: QueryRow, *candidates: Candidate) -> int:
    return data.catalog.write_now(lambda db: frontier.add(db, row.id, candidates, thumbnails=False))


BASE = Candidate(
    url="http://a.example/small.jpg", query="cat", label="cat", source="bing", rank=3, width=600,
    height=400, thumb_url=THUMB,
)  # fmt: skip


def test_one_picture_id_under_two_sources_is_one_candidate(data: Data) -> None:
    row = data.query()
    other = replace(
        BASE, url="http://b.example/copy.jpg", source="duckduckgo", rank=1, width=None, height=None,
        thumb_url="https://tse4.example/th?id=OIP.abcdefgh12345678",
    )  # fmt: skip
    assert add(data, row, BASE, other) == 1
    (task,) = data.tasks(row)
    assert task.candidate.url == BASE.url
    assert task.candidate.alternates == (Alternate("http://b.example/copy.jpg", Kind.ORIGINAL),)


def test_the_larger_copy_is_tried_first(data: Data) -> None:
    row = data.query()
    large = replace(BASE, url="http://b.example/large.jpg", source="x", width=3000, height=2000)
    add(data, row, BASE, large)
    (task,) = data.tasks(row)
    assert task.candidate.url == "http://b.example/large.jpg"
    assert task.host == "b.example"
    assert [a.url for a in task.candidate.alternates] == [BASE.url]


def test_an_original_comes_before_a_cached_copy_however_large(data: Data) -> None:
    row = data.query()
    cached = replace(BASE, kind=Kind.CACHED, width=9000, height=9000, url="http://c.example/1")
    add(data, row, cached, replace(BASE, source="x"))
    (task,) = data.tasks(row)
    assert [task.candidate.kind, *(a.kind for a in task.candidate.alternates)] == [
        Kind.ORIGINAL,
        Kind.CACHED,
    ]


def test_an_ordinary_thumbnail_url_proves_nothing(data: Data) -> None:
    row = data.query()
    grey = "http://site.example/grey.gif"
    first, second = (
        replace(BASE, thumb_url=grey),
        replace(BASE, thumb_url=grey, url="http://b.example/"),
    )
    assert add(data, row, first, second) == 2
    assert picture_key(grey) is None


def test_every_way_by_which_it_was_found_is_kept(data: Data) -> None:
    row = data.query()
    add(data, row, BASE, replace(BASE, source="google", rank=9, page_url="http://p.example/"))
    found = data.catalog.write_now(
        lambda db: db.execute("SELECT source, rank, url, page_url FROM also_found").fetchall()
    )
    assert found == [("google", 9, None, "http://p.example/")]


def test_an_original_opens_the_thumbnail_that_was_refused(data: Data) -> None:
    row = data.query()
    thumb = replace(BASE, url=THUMB, kind=Kind.THUMBNAIL)
    assert add(data, row, thumb) == 0
    assert add(data, row, replace(BASE, source="x")) == 1
    (task,) = data.tasks(row)
    assert task.candidate.url == BASE.url
