"""Collected texts: kept with each image, chosen by a run or an export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE
from tests.captions.sets import AI, foxes, rows, xmp
from tests.pipeline.pictures import Answer, fetch, jpeg, manifest, scene, serving

CHAIN = "alt,title,page,file,template:a photo of {label}"


def captions(path: Path) -> dict[str, tuple[object, object]]:
    return {name: (row["caption"], row["caption_origin"]) for name, row in rows(path).items()}


EXPECTED = {
    "alt": ("a red fox", "alt"),
    "title": ("Two foxes at play", "title"),
    "page": ("The fox sleeps in its den.", "page"),
    "file": ("A fox in deep snow", "file"),
    "bare": ("a photo of arctic fox", "template"),
    "ai": ("A fox in deep snow", "file"),
}


def test_a_run_keeps_each_caption_with_its_origin(tmp_path: Path) -> None:
    ds = foxes(tmp_path, caption=CHAIN)
    assert captions(ds.root / "metadata.jsonl") == EXPECTED
    assert {one.caption.origin for one in ds if one.caption} == {
        "alt", "title", "page", "file", "template",
    }  # fmt: skip


def test_without_captions_nothing_is_said_and_an_export_may_choose_later(tmp_path: Path) -> None:
    ds = foxes(tmp_path)
    assert all("caption" not in row for row in rows(ds.root / "metadata.jsonl").values())
    out = tmp_path / "out.jsonl"
    command = ["export", str(ds.root), "--to", "jsonl", "-o", str(out), "--caption", CHAIN]
    assert main(command) == EXIT_OK
    assert captions(out) == EXPECTED
    assert {row["text"] == row["caption"] for row in rows(out).values()} == {True}


def test_an_export_may_do_without_the_captions_of_its_set(tmp_path: Path) -> None:
    ds = foxes(tmp_path, caption=CHAIN)
    ds.export("jsonl", tmp_path / "out.jsonl", caption="none")
    assert all("text" not in row for row in rows(tmp_path / "out.jsonl").values())


def test_another_run_may_choose_otherwise_or_none(tmp_path: Path) -> None:
    root = foxes(tmp_path, caption="alt").root
    assert main(["caption", str(root), "--caption", "query"]) == EXIT_OK
    assert set(captions(root / "metadata.jsonl").values()) == {
        ("red fox", "query"), ("arctic fox", "query"),
    }  # fmt: skip
    assert main(["caption", str(root), "--caption", "none"]) == EXIT_OK
    assert all("caption" not in row for row in rows(root / "metadata.jsonl").values())


def test_a_copy_without_its_hidden_files_has_its_captions(tmp_path: Path) -> None:
    ds = foxes(tmp_path, caption=CHAIN)
    ignore = shutil.ignore_patterns(".pixtrawl*")
    shutil.copytree(ds.root, tmp_path / "copy", ignore=ignore)
    pixtrawl.open(tmp_path / "copy").export("jsonl", tmp_path / "out.jsonl", caption=CHAIN)
    assert captions(tmp_path / "out.jsonl") == EXPECTED


def test_own_columns_called_caption_stay_their_owners(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/a.jpg": jpeg(scene(1))}
    with serving(answers) as host:
        file = manifest(tmp_path / "m.jsonl", [("cat", host.url + "/a.jpg")], caption="my words")
        ds = fetch(file, tmp_path / "set")
        (row,) = rows(ds.root / "metadata.jsonl").values()
        assert row["caption"] == "my words"
        ds = fetch(file, tmp_path / "set", caption="title")
    (row,) = rows(ds.root / "metadata.jsonl").values()
    assert (row["caption"], row["input_caption"]) == ("my words", "my words")
    assert row["caption_origin"] == "title"


@pytest.mark.parametrize("option", [["--caption", "titel"], ["--exclude", "ai"]])
def test_a_wrong_word_is_reported_with_what_there_is(
    tmp_path: Path, option: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    root = foxes(tmp_path).root
    command = ["export", str(root), "--to", "csv", "-o", str(tmp_path / "out.csv"), *option]
    assert main(command) == EXIT_USAGE
    assert option[1] in capsys.readouterr().err


# -- what files say of themselves


def test_marks_are_columns_and_filters_of_run_and_export(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    ds = foxes(tmp_path / "all")
    found = rows(ds.root / "metadata.jsonl")
    assert {name for name, row in found.items() if row["ai_made"]} == {"ai"}
    assert str(found["ai"]["digital_source_type"]).endswith("trainedAlgorithmicMedia")
    out = tmp_path / "out.jsonl"
    command = ["export", str(ds.root), "--to", "jsonl", "-o", str(out), "--exclude", "ai-made"]
    assert main(command) == EXIT_OK
    assert set(rows(out)) == {"alt", "title", "page", "file", "bare"}
    assert len(ds.filter(ai_made=True)) == 1
    (tmp_path / "some").mkdir()
    some = foxes(tmp_path / "some", exclude="ai-made")
    assert set(rows(some.root / "metadata.jsonl")) == {"alt", "title", "page", "file", "bare"}
    assert some.report["reasons"]["unwanted_mark"] == 1


def test_a_licence_in_the_link_header_is_a_claim(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/a.jpg": jpeg(scene(1)), "/b.jpg": jpeg(scene(2))}
    deed = "https://creativecommons.org/licenses/by/4.0/"
    with serving(answers) as host:
        host.more["/a.jpg"] = {"Link": f'</x>; rel="next", <{deed}>; rel="license"; title="CC"'}
        host.more["/b.jpg"] = {"Link": f"<{deed}>; rel=license, </other>; rel=license"}
        listed = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", listed), tmp_path / "set")
    found = rows(ds.root / "metadata.jsonl")
    assert (found["a"]["license_id"], found["a"]["license_evidence"]) == (
        "cc-by-4.0", "header: Link",
    )  # fmt: skip
    assert found["b"]["license_id"] == "unknown", "two licences are none"


def test_descriptions_are_read_from_exif_iptc_and_xmp(tmp_path: Path) -> None:
    from PIL import Image

    exif = Image.Exif()
    exif[0x010E] = "A fox by EXIF"
    said = b"A fox by IPTC"
    iim = b"\x1c\x02\x78" + len(said).to_bytes(2) + said
    resource = b"8BIM\x04\x04\x00\x00" + len(iim).to_bytes(4) + iim + b"\x00" * (len(iim) % 2)
    body = b"Photoshop 3.0\x00" + resource
    plain = jpeg(scene(3))
    with_iptc = plain[:2] + b"\xff\xed" + (len(body) + 2).to_bytes(2) + body + plain[2:]
    answers: dict[str, Answer] = {
        "/exif.jpg": jpeg(scene(1), exif=exif), "/xmp.jpg": jpeg(scene(2), xmp=xmp(AI)),
        "/iptc.jpg": with_iptc,
    }  # fmt: skip
    with serving(answers) as host:
        listed = [("cat", host.url + path) for path in answers]
        ds = fetch(manifest(tmp_path / "m.jsonl", listed), tmp_path / "set", caption="file")
    assert captions(ds.root / "metadata.jsonl") == {
        "exif": ("A fox by EXIF", "file"), "xmp": ("A fox in deep snow", "file"),
        "iptc": ("A fox by IPTC", "file"),
    }  # fmt: skip


def test_a_manifest_carries_the_texts(tmp_path: Path) -> None:
    from pixtrawl.manifests.reader import row_of
    from pixtrawl.model import Candidate

    one = Candidate(url="u", query="q", label="q", source="page", alt="A fox", page_text="It runs.")
    row = json.loads(json.dumps(row_of(one)))
    assert (row["alt"], row["page_text"]) == ("A fox", "It runs.")
    assert "alt" not in row_of(Candidate(url="u", query="q", label="q", source="page"))
