"""What a start-up finds after kill -9, deletions by hand and foreign files."""

from __future__ import annotations

from pixtrawl.catalog import frontier, samples
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.folder.layout import is_passing, staged_name, temporary_name
from pixtrawl.folder.recovery import crash
from pixtrawl.folder.recovery.crash import Recovered
from pixtrawl.folder.sample_list import Samples
from tests.catalog.data import Data


def recover(data: Data) -> Recovered:
    return data.catalog.write_now(lambda db: crash.recover(db, data.folder))


def test_a_decision_without_its_rename_is_carried_out(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1")
    name = data.accept(data.tasks(row)[0], b"one")
    assert recover(data).placed == 1
    assert (data.folder.root / name).read_bytes() == b"one"
    assert data.states() == [SampleState.PLACED]
    assert list(data.folder.root.glob(".pixtrawl-staging-*")) == []


def test_a_rename_without_its_mark_is_noticed_by_the_hash(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1")
    task = data.tasks(row)[0]
    name = data.accept(task, b"one")
    target = data.folder.root / name
    target.parent.mkdir()
    (data.folder.staging / staged_name(f"s{task.id}")).rename(target)
    assert recover(data).placed == 0
    assert data.states() == [SampleState.PLACED]
    assert target.read_bytes() == b"one"


def test_a_foreign_file_in_the_way_is_never_replaced(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1")
    name = data.accept(data.tasks(row)[0], b"one")
    target = data.folder.root / name
    target.parent.mkdir()
    target.write_bytes(b"mine")
    result = recover(data)
    assert target.read_bytes() == b"mine"
    assert (data.folder.root / "cat/000002.jpg").read_bytes() == b"one"
    assert result.unknown == ["cat/000001.jpg"]
    assert [s.file_name for s in Samples(data.folder)] == ["cat/000002.jpg"]


def test_an_accepted_row_whose_file_is_nowhere_is_open_again(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1")
    task = data.tasks(row)[0]
    data.accept(task, b"one")
    (data.folder.staging / staged_name(f"s{task.id}")).unlink()
    assert recover(data).lost == 1
    assert [t.id for t in data.tasks(row)] == [task.id]


def test_staged_files_without_a_row_are_swept(data: Data) -> None:
    (data.folder.root / staged_name("999-1")).write_bytes(b"torn")
    (data.folder.root / temporary_name("metadata.jsonl.1")).write_bytes(b"half")
    recover(data)
    assert [path.name for path in data.folder.root.iterdir() if is_passing(path.name)] == []


def test_a_file_deleted_by_hand_stays_deleted(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1")
    name = data.accept(data.tasks(row)[0], b"one")
    recover(data)
    (data.folder.root / name).unlink()
    assert recover(data).by_hand.deleted == 1
    assert data.states() == [SampleState.DELETED_BY_HAND]
    assert recover(data).by_hand.deleted == 0
    known = data.catalog.write_now(
        lambda db: samples.same_bytes(
            db, "cat", "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"
        )
    )
    assert known is not None
    assert known.state is SampleState.DELETED_BY_HAND
    assert data.catalog.write_now(lambda db: frontier.saved_count(db, row.id)) == 0


def test_a_number_is_never_given_twice(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1", "http://h.example/2")
    first, second = data.tasks(row)
    name = data.accept(first, b"one")
    recover(data)
    (data.folder.root / name).unlink()
    recover(data)
    assert data.accept(second, b"two") == "cat/000002.jpg"


def test_a_better_copy_that_was_only_decided_replaces_the_worse_one(data: Data) -> None:
    row = data.query()
    data.add(row, "http://h.example/1", "http://h.example/2")
    first, second = data.tasks(row)
    name = data.accept(first, b"small")
    recover(data)
    data.catalog.write_now(lambda db: samples.mark(db, 1, SampleState.REPLACED))
    assert data.accept(second, b"larger", number=1) == name
    recover(data)
    assert (data.folder.root / name).read_bytes() == b"larger"
    assert recover(data).unknown == []
