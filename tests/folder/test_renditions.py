"""The pack of renditions: what was put is got, whatever a kill or a power cut left behind it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from pixtrawl.errors import StorageError
from pixtrawl.folder.renditions import RenditionReader, RenditionWriter, remove_all
from pixtrawl.transform import Picture, Transform
from tests.matrices import examples

SMALL = Transform(mode="border", size=32, encode="jpg")


def picture(number: int, size_bytes: int = 100) -> tuple[str, Picture]:
    data = bytes([number % 256]) * size_bytes
    sha256 = hashlib.sha256(str(number).encode()).hexdigest()
    return sha256, Picture(data, "jpg", "jpeg", 32 + number % 7, 32)


def filled(folder: Path, numbers: range, transform: Transform = SMALL) -> Path:
    writer = RenditionWriter(folder, transform)
    for number in numbers:
        writer.put(*picture(number))
    writer.close()
    (pack,) = folder.glob("*.pack")
    return pack


def test_what_was_put_is_got_by_its_hash(tmp_path: Path) -> None:
    filled(tmp_path, range(300))
    with RenditionReader(tmp_path, SMALL) as reader:
        assert len(reader) == 300
        for number in range(300):
            sha256, wanted = picture(number)
            assert reader.get(sha256, "jpeg") == wanted
        assert reader.get("0" * 64, "jpeg") is None
        assert reader.get("f" * 64, "jpeg") is None


def test_another_transform_finds_nothing(tmp_path: Path) -> None:
    filled(tmp_path, range(3))
    with RenditionReader(tmp_path, Transform(mode="border", size=33, encode="jpg")) as reader:
        assert len(reader) == 0
        assert reader.get(picture(1)[0], "jpeg") is None


def test_nothing_is_found_where_there_is_no_folder(tmp_path: Path) -> None:
    with RenditionReader(tmp_path / "none", SMALL) as reader:
        assert reader.get(picture(1)[0], "jpeg") is None
    remove_all(tmp_path / "none")


def test_the_same_file_is_kept_once(tmp_path: Path) -> None:
    writer = RenditionWriter(tmp_path, SMALL)
    for _ in range(5):
        writer.put(*picture(1))
    writer.close()
    with RenditionReader(tmp_path, SMALL) as reader:
        assert len(reader) == 1


@settings(max_examples=examples(40), deadline=None)
@given(cut=st.integers(1, 400))
def test_a_record_that_was_cut_off_is_dropped_and_the_next_follows_whole_ones(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    folder = tmp_path_factory.mktemp("renditions")
    pack = filled(folder, range(4))
    pack.write_bytes(pack.read_bytes()[:-cut])
    filled(folder, range(10, 12))
    with RenditionReader(folder, SMALL) as reader:
        found = [n for n in (*range(4), 10, 11) if reader.get(picture(n)[0], "jpeg")]
    assert found[-2:] == [10, 11]
    assert found[:-2] == list(range(len(found) - 2))
    assert len(reader) == len(found)


def test_a_garbled_picture_is_not_got(tmp_path: Path) -> None:
    pack = filled(tmp_path, range(3))
    data = bytearray(pack.read_bytes())
    data[-1] ^= 1
    pack.write_bytes(bytes(data))
    with RenditionReader(tmp_path, SMALL) as reader:
        assert reader.get(picture(2)[0], "jpeg") is None
        assert reader.get(picture(1)[0], "jpeg") == picture(1)[1]


@given(st.binary(max_size=300))
@settings(max_examples=examples(100), deadline=None)
def test_a_pack_of_any_bytes_is_read_without_harm(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    folder = tmp_path_factory.mktemp("renditions")
    pack = filled(folder, range(1))
    pack.write_bytes(b"pxr1" + data)
    with RenditionReader(folder, SMALL) as reader:
        reader.get(picture(0)[0], "jpeg")
    filled(folder, range(1))


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        RenditionWriter(tmp_path / "file", SMALL)
