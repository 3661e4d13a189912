"""Each rule of the judge, on rows alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.dedup import Level
from pixtrawl.model import Kind, Outcome, Reason
from tests.pipeline.decide.court import Court, picture, saved


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    court = Court(tmp_path)
    yield court
    court.catalog.close()


def test_new_images_get_numbers_in_the_order_of_the_batch_and_count(court: Court) -> None:
    row = court.join()
    decisions = court.decide(
        *((t, saved(t, picture(t.id))) for t in (court.task(row), court.task(row)))
    )
    assert [d.number for d in decisions] == [1, 2]
    assert [d.file_name for d in decisions] == ["cat/000001.jpg", "cat/000002.jpg"]
    assert [d.gained for d in decisions] == [1, 1]
    assert court.open_count(row) == 0


def test_what_was_interrupted_stays_open_and_a_failure_is_settled(court: Court) -> None:
    row = court.join()
    first, second = court.task(row), court.task(row)
    court.decide((first, Outcome(reason=Reason.INTERRUPTED)))
    assert court.open_count(row) == 2
    court.decide((second, Outcome(reason=Reason.NOT_FOUND)))
    assert court.open_count(row) == 1


def test_same_bytes_are_a_duplicate_of_the_kept_image(court: Court) -> None:
    row = court.join()
    kept = court.one(court.task(row), picture(1))
    again = court.one(court.task(row), picture(1))
    assert again.outcome.reason is Reason.SAME_BYTES
    assert again.sample_id == kept.sample_id
    assert again.gained == 0


def test_the_same_look_in_a_worse_copy_is_dropped(court: Court) -> None:
    row = court.join()
    kept = court.one(court.task(row), picture(1, 1))
    worse = court.one(court.task(row), picture(1, 2, (200, 150)))
    assert worse.outcome.reason is Reason.SAME_PICTURE
    assert worse.sample_id == kept.sample_id
    assert worse.distance == 0


def test_a_better_copy_takes_the_number_and_is_no_further_image(court: Court) -> None:
    row = court.join()
    kept = court.one(court.task(row), picture(1, 1))
    court.one(court.task(row), picture(2))
    better = court.one(court.task(row), picture(1, 2, (800, 600)))
    assert better.outcome.reason is Reason.SAVED
    assert (better.number, better.gained) == (kept.number, 0)
    assert better.sample_id != kept.sample_id
    third = court.one(court.task(row), picture(1, 3, (400, 300)))
    assert third.sample_id == better.sample_id, "the index knows the better one now"


def test_a_thumbnail_does_not_replace_an_original_however_large(court: Court) -> None:
    row = court.join()
    court.one(court.task(row), picture(1, 1))
    thumb = court.one(court.task(row), picture(1, 2, (800, 600)), Kind.THUMBNAIL)
    assert thumb.outcome.reason is Reason.SAME_PICTURE


def test_of_two_in_one_batch_the_worse_is_not_put_in_place_and_one_is_gained(court: Court) -> None:
    row = court.join()
    a, b = court.task(row), court.task(row)
    first, second = court.decide(
        (a, saved(a, picture(1, 1))), (b, saved(b, picture(1, 2, (800, 600))))
    )
    assert first.outcome.reason is Reason.BETTER_COPY_KEPT
    assert (first.gained, second.gained) == (0, 1)


def test_what_comes_beyond_the_wanted_number_is_not_needed(court: Court) -> None:
    row = court.join(limit=2)
    reasons = [court.one(court.task(row), picture(n)).outcome.reason for n in range(3)]
    assert reasons == [Reason.SAVED, Reason.SAVED, Reason.NOT_NEEDED]


def test_without_deduplication_the_same_bytes_are_kept_twice(tmp_path: Path) -> None:
    court = Court(tmp_path, Level.OFF)
    row = court.join()
    assert [court.one(court.task(row), picture(1)).number for _ in range(2)] == [1, 2]
    court.catalog.close()


def test_three_urls_of_one_host_with_one_picture_are_a_placeholder(court: Court) -> None:
    row = court.join()
    tasks = [court.task(row, f"http://one.example/{n}.jpg") for n in range(3)]
    decisions = [court.one(task, picture(1)) for task in tasks]
    assert [d.outcome.reason for d in decisions] == [
        Reason.SAVED, Reason.SAME_BYTES, Reason.PLACEHOLDER,
    ]  # fmt: skip
    assert [w.sample_id for w in decisions[2].withdrawn] == [decisions[0].sample_id]
    assert court.one(court.task(row), picture(1)).outcome.reason is Reason.PLACEHOLDER


def test_three_hosts_with_one_picture_are_none(court: Court) -> None:
    row = court.join()
    decisions = [court.one(court.task(row), picture(1)) for _ in range(4)]
    assert [d.outcome.reason for d in decisions[1:]] == [Reason.SAME_BYTES] * 3


@pytest.mark.parametrize(
    ("conflict", "reason", "withdrawn"),
    [("keep", "saved", 0), ("first", "label_conflict", 0), ("drop", "label_conflict", 1)],
)
def test_the_same_picture_under_another_label_is_a_conflict(
    tmp_path: Path, conflict: str, reason: str, withdrawn: int
) -> None:
    court = Court(tmp_path, conflict=conflict)
    cats, dogs = court.join("cat"), court.join("dog")
    court.one(court.task(cats), picture(1))
    decision = court.one(court.task(dogs), picture(1))
    assert decision.outcome.reason.value == reason
    assert len(decision.withdrawn) == withdrawn
    court.catalog.close()
