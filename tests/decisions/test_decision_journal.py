"""The journal of decisions: any bytes can be read, and no recorded line is lost."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, strategies as st

from pixtrawl.errors import StorageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.decisions import journal
from pixtrawl.folder.decisions.journal import ACTIONS, DecisionRecord
from tests import warm_command

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
records = st.builds(
    DecisionRecord,
    id=st.uuids().map(str),
    batch=texts,
    at=texts,
    who=st.sampled_from(["cli", "web", "python", "mcp"]),
    action=st.sampled_from(sorted(ACTIONS)),
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    file_name=texts,
    reason=texts,
    limit=st.none() | st.integers(0, 10**9),
)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path / "set")
    found.create()
    return found


def one(name: str = "a/000001.jpg") -> DecisionRecord:
    return journal.record("cli", "reject", "b", file_name=name, sha256="00" * 32)


@given(st.binary(max_size=2000))
def test_any_bytes_can_be_read(data: bytes) -> None:
    found = journal.parse(data)
    assert found.end == data.rfind(b"\n") + 1
    assert found.torn == (found.end < len(data))


@given(st.lists(records, max_size=5), st.lists(st.binary(max_size=60), max_size=5), st.data())
def test_whole_lines_are_read_whatever_stands_between_them(
    known: list[DecisionRecord], junk: list[bytes], data: st.DataObject
) -> None:
    lines = [msgspec.json.encode(record) for record in known]
    places = [data.draw(st.integers(0, len(lines))) for _ in junk]
    mixed = list(lines)
    for place, text in sorted(zip(places, junk, strict=True), reverse=True):
        mixed.insert(place, b"{" + text.replace(b"\n", b""))
    found = journal.parse(b"".join(line + b"\n" for line in mixed))
    assert list(found.records) == known
    assert len(found.bad) == len(junk)


@given(st.lists(records, min_size=1, max_size=4), st.data())
def test_of_a_torn_file_all_whole_lines_are_read(
    known: list[DecisionRecord], data: st.DataObject
) -> None:
    whole = b"".join(msgspec.json.encode(record) + b"\n" for record in known)
    cut = data.draw(st.integers(0, len(whole)))
    found = journal.parse(whole[:cut])
    assert list(found.records) == known[: whole[:cut].count(b"\n")]
    again = journal.parse(whole[found.end :], found.end)
    assert [*found.records, *again.records] == known


@pytest.mark.parametrize(
    "line",
    [
        b"", b"null", b"[]", b"{}", b"\x00" * 40, b"\xff\xfe", b"[" * 5000, b'{"x":' * 5000,
        b'{"id":"","batch":"","at":"","who":"","action":"reject"}',
        b'{"id":"1","batch":"","at":"","who":"","action":"dance"}',
        b'{"id":1,"batch":"","at":"","who":"","action":"reject"}',
        b'{"id":"1","batch":"","at":"","who":"","action":"reject","limit":1e400}',
        b'{"id":"1","batch":"","at":"","who":"","action":"reject","sha256":"zz"}',
        b'{"id":"1","batch":"","at":"","who":"","action":"reject","reason":"' + b"x" * 10**5 + b'"}',
    ],
)  # fmt: skip
def test_a_line_that_is_no_decision_is_reported_and_skipped(line: bytes, folder: Folder) -> None:
    folder.decisions.write_bytes(line + b"\n")
    known = one()
    journal.append(folder, [known])
    found = journal.read(folder)
    assert found.records == (known,)
    assert len(found.bad) == (1 if line else 0)


def test_a_field_of_a_newer_version_is_no_reason_to_lose_the_decision() -> None:
    line = msgspec.json.encode(one())[:-1] + b',"mood":"sad"}\n'
    assert len(journal.parse(line).records) == 1


def test_a_line_after_a_torn_one_is_whole(folder: Folder) -> None:
    journal.append(folder, [one("a/000001.jpg")])
    with folder.decisions.open("ab") as file:
        file.write(b'{"id":"half')
    torn = journal.read(folder)
    assert torn.torn
    journal.append(folder, [one("a/000002.jpg")])
    found = journal.read(folder, torn.end)
    assert [record.file_name for record in found.records] == ["a/000002.jpg"]
    assert found.bad == ('{"id":"half',)
    assert not found.torn


def test_reading_goes_on_where_it_stopped_and_begins_anew_in_another_file(folder: Folder) -> None:
    journal.append(folder, [one(), one()])
    first = journal.read(folder)
    assert journal.read(folder, first.end).records == ()
    journal.append(folder, [one("b/000001.jpg")])
    assert len(journal.read(folder, first.end).records) == 1
    folder.decisions.unlink()
    journal.append(folder, [one("c/000001.jpg")])
    assert [r.file_name for r in journal.read(folder, first.end).records] == ["c/000001.jpg"]


def test_what_cannot_be_recorded_is_an_error_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be recorded"):
        journal.append(Folder(tmp_path / "nowhere"), [one()])


def test_threads_and_processes_that_decide_at_once_lose_no_line(folder: Folder) -> None:
    code = (
        "import sys\n"
        "from pixtrawl.folder.decisions import journal\n"
        "from pixtrawl.folder.dataset_folder import Folder\n"
        "for n in range(40):\n"
        "    journal.append(Folder(sys.argv[1]), [journal.record('cli', 'reject', 'b',"
        " file_name=f'{sys.argv[2]}/{n}', reason='x' * 3000)])\n"
    )
    processes = [
        warm_command.Popen([sys.executable, "-c", code, str(folder.root), f"p{n}"])
        for n in range(2)
    ]

    def decide(n: int) -> None:
        for i in range(40):
            journal.append(folder, [one(f"t{n}/{i}")])

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait(50) for process in processes] == [0, 0]
    found = journal.read(folder)
    assert len({record.file_name for record in found.records}) == 160
    assert not found.bad
    assert not found.torn
