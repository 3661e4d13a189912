"""Decisions in the studio: counted first, undone as one step, shared with runs and commands."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.catalog import relations
from pixtrawl.folder.dataset_folder import DatasetLock, Folder
from pixtrawl.folder.derived import writing as derived
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.model import Sample
from tests.life.sets import assert_whole, labels, on_disk
from tests.studio.client import Client, studio_on


def ids(client: Client, **request: Any) -> list[str]:
    return [one["id"] for one in client.items(client.view(**request))]


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that another thread does soon."""
    for _ in range(600):
        if holds():
            return
        time.sleep(0.05)
    pytest.fail("it never came")


def test_a_rejected_image_leaves_the_set_and_comes_back_with_undo(
    client: Client, root: Path
) -> None:
    before = on_disk(root)
    chosen = ids(client, filter={"labels": ["cat"]})[:3]
    reply = client.decide("reject", chosen, reason="a dog")
    assert reply.status == 200
    assert reply.json()["changed"] == 3
    assert labels(root) == {"cat": 7, "dog": 10}
    assert client.summary()["kept"] == 17
    assert ids(client, filter={"decisions": ["rejected"]}) == chosen
    rejected = client.items(client.view(filter={"decisions": ["rejected"]}))
    assert {(one["decision"], one["detail"]) for one in rejected} == {("reject", "a dog")}
    assert client.get(client.of_set(f"/thumbs/{chosen[0]}")).status == 200  # kept aside

    undone = client.post(client.of_set("/undo"), {}).json()
    assert undone["changed"] == 3
    assert on_disk(root) == before
    assert client.post(client.of_set("/redo"), {}).status == 200
    assert client.summary()["kept"] == 17


def test_a_decision_compares_no_files_and_comes_before_the_files_that_follow_it(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 100,000 images a comparison takes seconds, and metadata.jsonl 15 s."""
    writing, row = threading.Event(), metadata_row

    def slow(sample: Sample) -> dict[str, object]:
        writing.set()
        time.sleep(0.01)
        return row(sample)

    monkeypatch.setattr("pixtrawl.studio.sets.settling._QUIET_S", 0.01)
    with studio_on(root) as client:
        chosen = ids(client)
        with monkeypatch.context() as slowly:
            slowly.setattr("pixtrawl.folder.on_disk.differences", None)
            slowly.setattr(derived, "metadata_row", slow)
            slowly.setattr("pixtrawl.batches._BATCH", 1)
            for action in ("reject", "keep"):
                assert client.decide(action, chosen[:1]).status == 200
            for which in ("undo", "redo", "undo"):
                assert client.post(client.of_set(f"/{which}"), {}).status == 200
            assert writing.wait(60)
            for at in range(1, 6):
                assert client.decide("reject", [chosen[at]]).status == 200
        until(lambda: len((root / "metadata.jsonl").read_text().splitlines()) == 14)
    assert not list(root.glob(".pixtrawl-*.tmp"))
    assert sum(labels(root).values()) == 14


def test_a_decision_looks_for_the_files_of_its_own_images_alone(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10,000 images that were refused before, each file would be looked for each time."""
    looked_for: list[int] = []
    plain = relations.withdrawn

    def counted(*given: Any) -> list[tuple[int, str, str]]:
        found = plain(*given)
        looked_for.append(len(found))
        return found

    with studio_on(root) as client:
        chosen, name = ids(client), client.items(client.view())[0]["name"]
        for at in range(6):
            client.decide("reject", [chosen[at]])
        monkeypatch.setattr(relations, "withdrawn", counted)
        client.decide("reject", [chosen[6]])
        assert max(looked_for) == 1
        for action, there in (("bring_back", True), ("reject", False), ("bring_back", True)):
            assert client.decide(action, [chosen[0]]).status == 200
            assert (root / name).exists() is there
        client.post(client.of_set("/undo"), {})
        assert not (root / name).exists()
        assert max(looked_for) == 1
    assert_whole(root)
    assert len(pixtrawl.open(root)) == 13


@pytest.mark.parametrize("expect", [0, 1, 3, 10**9])
def test_another_number_than_expected_changes_nothing(
    client: Client, root: Path, expect: int
) -> None:
    before = on_disk(root)
    reply = client.decide("reject", ids(client)[:2], expect=expect)
    assert reply.status == 409
    assert reply.json()["would_change"] == 2
    assert on_disk(root) == before
    assert not client.summary()["can_undo"]


def test_what_is_rejected_already_does_not_count_again(client: Client) -> None:
    first, second = ids(client)[:2]
    client.decide("reject", [first])
    assert client.decide("reject", [first, second]).json()["would_change"] == 1
    assert client.decide("reject", [first, second], expect=1).status == 200
    assert client.decide("reject", [first], expect=0).json()["changed"] == 0


def test_a_whole_view_and_a_range_of_it_are_decided_as_one_step(client: Client, root: Path) -> None:
    view = client.view(filter={"labels": ["cat"]})
    path = client.of_set("/decisions")
    part = {"view": view["view"], "start": 2, "count": 3}
    assert client.post(path, {"action": "reject", "on": part, "expect": 3}).status == 200
    whole = {"view": view["view"], "all": True}
    assert client.post(path, {"action": "reject", "on": whole, "expect": 7}).status == 200
    assert labels(root) == {"dog": 10}
    client.post(client.of_set("/undo"), {})
    assert labels(root) == {"cat": 7, "dog": 10}
    client.post(client.of_set("/undo"), {})
    assert labels(root) == {"cat": 10, "dog": 10}


def test_relabelled_images_move_and_keep_their_numbers(client: Client, root: Path) -> None:
    chosen = ids(client, filter={"labels": ["cat"]})[:2]
    assert client.decide("relabel", chosen, label="lynx").status == 200
    assert labels(root) == {"cat": 8, "dog": 10, "lynx": 2}
    assert client.decide("relabel", chosen, label="").status == 400
    assert client.decide("relabel", chosen, label="../out").status in {200, 400, 409}
    assert not (root.parent / "out").exists()


def test_kept_images_are_marked_and_filtered(client: Client) -> None:
    chosen = ids(client)[:2]
    assert client.decide("keep", chosen).status == 200
    assert ids(client, filter={"decisions": ["kept_by_hand"]}) == chosen
    assert len(ids(client, filter={"decisions": ["undecided"]})) == 18
    assert [one["decision"] for one in client.items(client.view())[:3]] == ["keep", "keep", None]


def test_what_was_not_kept_is_listed_with_reasons_and_brought_back(
    client: Client, root: Path
) -> None:
    (first, *_) = ids(client)
    client.decide("reject", [first])
    not_kept = client.items(client.view(kind="not_kept"))
    assert [(one["reason"], one["restorable"]) for one in not_kept] == [("refused_by_person", True)]
    assert client.get(client.of_set(f"/thumbs/{not_kept[0]['id']}")).status == 200
    assert client.decide("bring_back", [not_kept[0]["id"]]).status == 200
    assert labels(root) == {"cat": 10, "dog": 10}


def test_the_files_made_from_the_catalog_follow_after_a_quiet_time(
    client: Client, root: Path
) -> None:
    client.decide("reject", ids(client)[:3])
    until(lambda: len((root / "metadata.jsonl").read_text().splitlines()) == 17)
    assert_whole(root)


def test_they_are_written_when_the_studio_ends(root: Path) -> None:
    with studio_on(root) as client:
        client.decide("reject", ids(client)[:3])
    assert_whole(root)
    assert len(pixtrawl.open(root)) == 17


def test_a_decision_while_another_process_holds_the_set_is_recorded_and_carried_out_later(
    client: Client, root: Path
) -> None:
    chosen = ids(client, filter={"labels": ["cat"]})[:2]
    with DatasetLock(Folder(root)):
        reply = client.decide("reject", chosen)
        assert reply.json()["pending"]
        shown = {one["id"]: one["decision"] for one in client.items(client.view())}
        assert {one for one in shown if shown[one] == "reject"} == set(chosen), "decided already"
        assert labels(root) == {"cat": 10, "dog": 10}
    until(lambda: labels(root) == {"cat": 8, "dog": 10})
    assert client.post(client.of_set("/undo"), {}).json()["changed"] == 2


def test_a_decision_of_the_command_line_is_seen_at_once(client: Client, root: Path) -> None:
    revision = client.summary()["revision"]
    pixtrawl.open(root).reject(["cat"])
    found = client.summary()
    assert found["revision"] > revision
    assert found["kept"] == 10
    assert found["can_undo"]


def test_a_held_view_still_has_what_was_rejected_meanwhile(client: Client) -> None:
    view = client.view()
    first = client.items(view)[0]["id"]
    client.decide("reject", [first])
    again = client.items(view)[0]
    assert (again["id"], again["decision"]) == (first, "reject")


def test_undo_and_redo_outlive_the_studio(root: Path) -> None:
    with studio_on(root) as client:
        client.decide("reject", ids(client)[:1])
        client.decide("reject", ids(client)[:1])
    with studio_on(root) as client:
        for left in (19, 20):
            assert client.post(client.of_set("/undo"), {}).status == 200
            assert client.summary()["kept"] == left
        assert client.post(client.of_set("/undo"), {}).status == 409
        assert client.post(client.of_set("/redo"), {}).status == 200
        assert client.summary()["kept"] == 19


def test_the_quarantine_is_reported_and_emptied_as_expected_only(
    client: Client, root: Path
) -> None:
    client.decide("reject", ids(client)[:2])
    size_bytes = client.summary()["quarantine_bytes"]
    assert size_bytes > 0
    path = client.of_set("/quarantine/empty")
    assert client.post(path, {"expect_bytes": size_bytes - 1}).json()["would_free"] == size_bytes
    assert client.post(path, {"expect_bytes": size_bytes}).json()["freed_bytes"] == size_bytes
    assert client.summary()["quarantine_bytes"] == 0
    assert not list(root.glob(".pixtrawl-quarantine-*"))


@contextmanager
def events_of(client: Client, last: str | None = None) -> Iterator[EventReader]:
    reader = EventReader(client, last)
    try:
        yield reader
    finally:
        reader.close()


class EventReader:
    """Reads a stream of events in a thread."""

    def __init__(self, client: Client, last: str | None = None) -> None:
        self.events: list[tuple[str, str, Any]] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
        own = {"Cookie": client.cookie, "Sec-Fetch-Site": "same-origin"}
        headers = own | ({} if last is None else {"Last-Event-ID": last})
        self._connection.request("GET", f"/api/events?set={client.set_id}", headers=headers)
        self.response = self._connection.getresponse()
        assert self.response.status == 200
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def close(self) -> None:
        if self._connection.sock is not None:
            self._connection.sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(60)
        self.response.close()
        self._connection.close()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        for raw in self._lines():
            line = raw.decode().rstrip("\n")
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif fields.get("event"):
                self.events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
        self.ended.set()

    def _lines(self) -> Iterator[bytes]:
        with suppress(OSError, http.client.HTTPException):  # closed by either side
            yield from self.response


def test_another_window_is_told_of_a_decision_and_resumes_where_it_was(client: Client) -> None:
    with events_of(client) as reader:
        revision = client.decide("reject", ids(client)[:1]).json()["revision"]
        until(lambda: any(one[2].get("revision", 0) >= revision for one in reader.events))
        number, name, data = reader.events[0]
        assert (name, data["set"]) == ("revision", client.set_id)
        with events_of(client, str(int(number) - 1)) as later:
            until(lambda: bool(later.events))
            assert later.events[0] == reader.events[0]


def test_a_reader_of_another_process_is_reported_to_begin_anew(client: Client) -> None:
    with events_of(client, "123456") as reader:
        until(lambda: bool(reader.events))
        assert reader.events[0][1] == "reset"


def test_the_studio_ends_though_a_window_is_open(root: Path) -> None:
    with studio_on(root) as client:
        reader = EventReader(client)
    assert reader.ended.wait(60)
    reader.close()
