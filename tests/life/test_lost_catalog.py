"""A catalog that was emptied, cut, overwritten or deleted beside images is made again.

Never is such a folder a new data set: nothing is fetched twice, and what a person decided holds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_ENVIRONMENT, EXIT_OK, EXIT_SHORT, StorageError
from pixtrawl.folder.dataset_folder import Folder
from tests.life.sets import assert_whole, labels, on_disk, pets
from tests.matrices import matrix, slow
from tests.pipeline.pictures import Host, fetch, manifest

Loss = Callable[[Path], object]


def empty(catalog: Path) -> None:
    catalog.write_bytes(b"")


def delete(catalog: Path) -> None:
    catalog.unlink()


def text(catalog: Path) -> None:
    catalog.write_text("this is no catalog\n" * 500)


def cut(size_bytes: int) -> Loss:
    return lambda catalog: catalog.write_bytes(catalog.read_bytes()[:size_bytes])


def other(catalog: Path) -> None:
    catalog.unlink()
    with closing(sqlite3.connect(catalog)) as db:
        db.execute("CREATE TABLE notes (words)")


def page(number: int) -> Loss:
    def spoil(catalog: Path) -> None:
        with catalog.open("r+b") as file:
            file.seek(4096 * number)
            file.write(b"\xa5" * 4096)

    return spoil


GONE = [empty, delete]
DAMAGED: dict[str, Loss] = {
    "text": text,
    "other database": other,
    **{f"cut to {size}": cut(size) for size in (100, 4096, 20_000)},
    **{f"page {number}": page(number) for number in (0, 1, 9, 14)},
}


def rows(root: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (root / "metadata.jsonl").read_text("utf-8").splitlines()]


def names(root: Path, label: str) -> list[str]:
    return sorted(name for name in on_disk(root) if name.startswith(f"{label}/"))


def lose(root: Path, loss: Loss) -> None:
    loss(root / ".pixtrawl-catalog.sqlite3")


@pytest.fixture
def decided(tmp_path: Path, host: Host) -> tuple[Path, set[str]]:
    """A set of four cats and four dogs, and the bytes that people took out of it."""
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    one, two, three, four = names(root, "cat")
    data = pixtrawl.open(root)
    assert main(["takedown", str(root), one]) == EXIT_OK
    data.reject([two])
    data.reject([names(root, "dog")[3]])
    data.undo()
    (root / three).unlink()
    assert len(pixtrawl.open(root)) == 5
    data.label("lynx", [four])
    pets(tmp_path, host, limit=4)
    return root, {before[name] for name in (one, two, three)}


@pytest.mark.parametrize("loss", [GONE[0], *map(slow, GONE[1:])])
def test_a_run_goes_on_with_what_was_there(
    tmp_path: Path, host: Host, decided: tuple[Path, set[str]], loss: Loss
) -> None:
    root, out = decided
    before, asked = rows(root), len(host.asked)
    lose(root, loss)
    pets(tmp_path, host, limit=4)
    assert rows(root) == before
    assert len(host.asked) == asked
    pets(tmp_path, host, limit=6)
    assert labels(root) == {"cat": 6, "dog": 6, "lynx": 1}
    assert len(set(on_disk(root).values())) == 13
    assert not out & set(on_disk(root).values())
    assert_whole(root)


@pytest.mark.parametrize("damage", matrix(DAMAGED, "text", "page 9"))
def test_a_damaged_one_is_refused_with_the_next_step_which_mends_it(
    tmp_path: Path, host: Host, decided: tuple[Path, set[str]], damage: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    root, out = decided
    before, files = rows(root), on_disk(root)
    lose(root, DAMAGED[damage])
    for words in (["report", str(root)], ["takedown", str(root), "--domain", "a.example"]):
        code = main(words)
        said = capsys.readouterr().err
        assert "Traceback" not in said
        assert "trace" not in said
        assert code == EXIT_OK or f"verify --repair {root}" in said
        assert code in {EXIT_OK, EXIT_ENVIRONMENT}  # OK: it did not need that page
    assert on_disk(root) == files
    assert main(["verify", str(root)]) == EXIT_SHORT
    assert main(["verify", str(root), "--repair"]) == EXIT_OK
    aside = list(root.glob(".pixtrawl-catalog.sqlite3.damaged-*"))
    assert len([path for path in aside if not path.name.endswith("-wal")]) == 1
    assert rows(root) == before
    pets(tmp_path, host, limit=6)
    assert labels(root) == {"cat": 6, "dog": 6, "lynx": 1}
    assert len(set(on_disk(root).values())) == 13
    assert not out & set(on_disk(root).values())
    assert_whole(root)


def test_a_sound_one_is_not_made_again(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    before = (root / ".pixtrawl-catalog.sqlite3").read_bytes()
    assert main(["verify", str(root), "--repair"]) == EXIT_OK
    assert (root / ".pixtrawl-catalog.sqlite3").read_bytes() == before


@pytest.mark.parametrize("loss", [*map(slow, GONE[:1]), *GONE[1:]])
def test_what_was_decided_can_be_taken_back_afterwards(
    tmp_path: Path, host: Host, loss: Loss
) -> None:
    root = pets(tmp_path, host, limit=4)
    first, second, *_ = names(root, "cat")
    before = on_disk(root)
    pixtrawl.open(root).reject([first])
    (root / second).unlink()
    lose(root, loss)
    pets(tmp_path, host)
    assert not {before[first], before[second]} & set(on_disk(root).values())
    assert main(["undo", str(root)]) == EXIT_OK
    assert on_disk(root)[first] == before[first]
    assert main(["restore", str(root), second]) == EXIT_OK
    pets(tmp_path, host)
    assert before[second] in set(on_disk(root).values())
    assert_whole(root)


@pytest.mark.parametrize("listed", [True, False])
def test_files_of_a_killed_run_are_adopted(
    tmp_path: Path, host: Host, caplog: pytest.LogCaptureFixture, listed: bool
) -> None:
    """metadata.jsonl is written at the end of a run; keyword_urls.txt from its beginning on."""
    root = pets(tmp_path, host, limit=4)
    before = on_disk(root)
    (root / "metadata.jsonl").unlink()
    if not listed:
        (root / "keyword_urls.txt").unlink()
    torn = root / names(root, "dog")[0]
    torn.write_bytes(b"\0" * torn.stat().st_size)
    lose(root, empty)
    pets(tmp_path, host, limit=4)
    assert "7 numbered files without a description: adopted" in caplog.text
    assert "1 file that is no whole image: set aside" in caplog.text
    assert labels(root) == {"cat": 4, "dog": 4}
    assert len(set(on_disk(root).values())) == 8
    kept = {name: digest for name, digest in before.items() if (root / name) != torn}
    assert kept.items() <= on_disk(root).items()
    assert_whole(root)


def test_a_torn_metadata_file_costs_the_lines_that_are_torn(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    before = rows(root)
    lines = (root / "metadata.jsonl").read_bytes().splitlines(keepends=True)
    (root / "metadata.jsonl").write_bytes(b"".join(lines[:5]) + lines[5][:40] + b"\0" * 300)
    lose(root, empty)
    pets(tmp_path, host, limit=4)
    assert rows(root)[:5] == before[:5]
    assert {row["sha256"] for row in rows(root)} == {row["sha256"] for row in before}
    assert_whole(root)


def test_a_renamed_label_keeps_its_query(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    assert main(["label", str(root / "cat"), "--to", "feline"]) == EXIT_OK
    (root / "dog").rename(root / "canine")
    assert len(pixtrawl.open(root)) == 8
    before = on_disk(root)
    lose(root, delete)
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == before
    assert labels(root) == {"feline": 4, "canine": 4}


def test_filters_of_a_query_are_taken_from_the_next_run(tmp_path: Path, host: Host) -> None:
    list_ = manifest(tmp_path / "a.jsonl", [("cat", f"{host.url}/{n}.png") for n in range(9)])
    fetch(list_, tmp_path / "set", limit=4, aspect="wide")
    lose(tmp_path / "set", empty)
    fetch(list_, tmp_path / "set", limit=4, aspect="wide")
    assert labels(tmp_path / "set") == {"cat": 4}


def test_a_rule_by_domain_still_keeps_the_bytes_out(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    taken = set(on_disk(root).values())
    assert main(["takedown", str(root), "--domain", "127.0.0.1"]) == EXIT_OK
    assert on_disk(root) == {}
    lose(root, empty)
    pets(tmp_path, host, limit=4)
    assert on_disk(root) == {}
    assert main(["takedown", str(root), "--undo", "--domain", "127.0.0.1"]) == EXIT_OK
    lose(root, empty)
    pets(tmp_path, host, limit=4)
    assert taken <= set(on_disk(root).values())


def test_removals_that_came_from_another_set_hold(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    first, second, *_ = names(root, "cat")
    before = on_disk(root)
    assert main(["takedown", str(root), first]) == EXIT_OK
    (root / second).unlink()
    merged = tmp_path / "merged"
    pixtrawl.merge(root, output=merged)
    lose(merged, empty)
    list_ = tmp_path / "pets.jsonl"
    fetch(list_, merged)
    assert not {before[first], before[second]} & set(on_disk(merged).values())


def test_an_old_log_beside_a_lost_catalog_is_not_replayed(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host, limit=4)
    before = rows(root)
    catalog = root / ".pixtrawl-catalog.sqlite3"
    with closing(sqlite3.connect(catalog, isolation_level=None)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE sample SET state = 4")
        log = Path(f"{catalog}-wal").read_bytes()
        assert log
    pets_log = Path(f"{catalog}-wal")
    catalog.unlink()
    pets_log.write_bytes(log)
    pets(tmp_path, host, limit=4)
    assert rows(root) == before
    assert_whole(root)


def test_a_foreign_folder_of_numbered_files_is_not_taken_over(tmp_path: Path, host: Host) -> None:
    """Other programs number files as well; without a trace of ours they are left alone."""
    root = tmp_path / "set"
    (root / "cat").mkdir(parents=True)
    (root / "cat/000001.jpg").write_bytes(b"another program's")
    assert not Folder(root).is_lost()
    pets(tmp_path, host, limit=2)
    assert (root / "cat/000001.jpg").read_bytes() == b"another program's"


def test_the_newer_catalog_is_told_by_reading_commands(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=2)
    with closing(sqlite3.connect(root / ".pixtrawl-catalog.sqlite3")) as db:
        db.execute("PRAGMA user_version = 999")
    for words in (["report"], ["verify"], ["verify", "--repair"], ["dedup"], ["restore", "--list"]):
        assert main([words[0], str(root), *words[1:]]) == EXIT_ENVIRONMENT
        assert "newer pixtrawl" in capsys.readouterr().err
    with pytest.raises(StorageError, match="newer pixtrawl"):
        len(pixtrawl.open(root))
