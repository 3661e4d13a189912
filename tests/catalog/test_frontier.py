"""The frontier keeps each URL once per query, in order, and forgets nothing."""

from __future__ import annotations

import sqlite3
from functools import partial

from msgspec.structs import replace

from pixtrawl.catalog import frontier
from pixtrawl.model import Candidate, Kind, Outcome, Query, Reason
from tests.catalog.data import Data


def test_a_url_is_kept_once_however_it_is_spelled(data: Data) -> None:
    row = data.query()
    assert data.add(row, "http://h.example/a.jpg", "HTTP://H.example:80/a.jpg#x") == 1
    assert [t.candidate.url for t in data.tasks(row)] == ["http://h.example/a.jpg"]


def test_the_same_url_under_another_source_joins_its_provenance(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/a.jpg")
    again = Candidate(
        url="http://h.example/a.jpg", query="cat", label="cat", source="other", rank=7,
        page_url="http://p.example/",
    )  # fmt: skip
    data.catalog.write_now(lambda db: frontier.add(db, row.id, [again], thumbnails=False))
    found = data.catalog.write_now(
        lambda db: db.execute("SELECT source, rank, page_url FROM also_found").fetchall()
    )
    assert found == [("other", 7, "http://p.example/")]


def test_a_thumbnail_is_settled_at_once_unless_thumbnails_count(data: Data) -> None:
    row = data.query()
    thumb = Candidate(
        url="http://t.example/1", query="cat", label="cat", source="t", kind=Kind.THUMBNAIL
    )
    other = replace(thumb, url="http://t.example/2")
    assert (
        data.catalog.write_now(lambda db: frontier.add(db, row.id, [thumb], thumbnails=False)) == 0
    )
    assert (
        data.catalog.write_now(lambda db: frontier.add(db, row.id, [other], thumbnails=True)) == 1
    )
    assert data.catalog.write_now(lambda db: frontier.open_count(db, row.id)) == 1


def test_the_url_stays_byte_for_byte_as_found(data: Data) -> None:
    row = data.query()
    url = "http://h.example/ä b/%7e?q=1&amp;x#frag"
    data.add(row, url)
    assert data.tasks(row)[0].candidate.url == url


def test_a_transient_failure_is_reopened_and_a_refusal_is_not(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/slow", "http://h.example/gone", "http://h.example/robots")
    reasons = [Reason.CONNECT_TIMEOUT, Reason.NOT_FOUND, Reason.ROBOTS_TXT]
    for task, reason in zip(data.tasks(row), reasons, strict=True):
        settle = partial(
            frontier.settle, task_id=task.id, outcome=Outcome(reason=reason), run_id=data.run_id
        )
        data.catalog.write_now(settle)
    assert data.tasks(row) == []
    data.catalog.write_now(lambda db: frontier.reopen(db, row.id, "transient", thumbnails=False))
    assert [t.candidate.url for t in data.tasks(row)] == ["http://h.example/slow"]
    data.catalog.write_now(lambda db: frontier.reopen(db, row.id, "failed", thumbnails=False))
    assert len(data.tasks(row)) == 3


def test_a_query_is_known_by_text_label_and_filters(data: Data) -> None:
    first = data.query("cat", 5)
    assert data.query("cat", 50).id == first.id
    other = replace(Query("cat", "cat", 5), filters=replace(Query("", "").filters, size="large"))
    row = data.catalog.write_now(lambda db: frontier.ensure_query(db, other, data.run_id))
    assert row.id != first.id


def test_candidates_of_a_crowded_host_come_back_in_order(data: Data) -> None:
    row = data.query()
    data.add(row, *(f"http://busy.example/{i}" for i in range(5)))
    tasks = data.tasks(row)
    data.catalog.write_now(lambda db: frontier.set_aside(db, tasks[2:]))
    assert len(data.tasks(row)) == 2
    back = data.catalog.write_now(lambda db: frontier.claim_set_aside(db, row, "busy.example", 2))
    assert [t.id for t in back] == [tasks[2].id, tasks[3].id]


def test_a_claim_looks_through_open_candidates_only(data: Data) -> None:
    row = data.query()
    asked: list[str] = []

    def plan(db: sqlite3.Connection) -> list[str]:
        db.set_trace_callback(asked.append)
        frontier.claim(db, row, after=0, count=10)
        db.set_trace_callback(None)
        (claim,) = (text for text in asked if text.startswith("SELECT"))
        return [step[3] for step in db.execute(f"EXPLAIN QUERY PLAN {claim}")]

    (step,) = data.catalog.write_now(plan)
    assert "candidate_open" in step
