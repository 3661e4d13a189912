"""Pictures of block lists: neither kept nor shown, however they come and whenever the list does."""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.images.appearance.pdq import pdq_of
from pixtrawl.images.phash import thumbnail
from pixtrawl.pipeline.outcomes import Outcomes
from tests.matrices import crossed, matrix, slow
from tests.pipeline.pictures import Answer, Host, jpeg, png, scene, serving

pytestmark = pytest.mark.timeout(120)

BAD = scene(7)
BAD_PNG, BAD_JPEG = png(BAD), jpeg(BAD.resize((200, 150)), quality=70)


@pytest.fixture
def host() -> Iterator[Host]:
    answers: dict[str, Answer] = {f"/{n}.png": png(scene(n)) for n in range(3)}
    answers |= {"/bad.png": BAD_PNG, "/small.jpg": BAD_JPEG, "/to-bad": "/bad.png"}
    answers["/mirrored.jpg"] = jpeg(BAD.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=80)
    with serving(answers) as running:
        yield running


def pdq(data: bytes) -> str:
    return pdq_of(data, 10**8)[0][1][0].hex()


HASHES = {
    "sha256": hashlib.sha256(BAD_PNG).hexdigest(),
    "md5": hashlib.md5(BAD_PNG, usedforsecurity=False).hexdigest(),
    "pdq": pdq(BAD_PNG),
}


def download(folder: Path, host: Host, *names: str, block: str = "", **more: Any) -> Any:
    (folder / "cats.txt").write_text("".join(f"{host.url}/{name}\n" for name in names))
    if block:
        (folder / "list.csv").write_text(block)
        more["block_hashes"] = folder / "list.csv"
    return pixtrawl.download(
        folder / "cats.txt", output=folder / "set", allow_address="127.0.0.0/8", **more
    )


def traces(root: Path, picture: Image.Image = BAD) -> list[str]:
    """Files of a data set, hidden ones included, that hold the picture or its thumbnail."""
    small = np.asarray(picture.convert("L").resize((64, 64), Image.Resampling.BOX), np.int16)
    found = []
    for path in (p for p in root.rglob("*") if p.is_file()):
        data = path.read_bytes()
        if any(one in data for one in (BAD_PNG[40:200], BAD_JPEG[-200:])):
            found.append(path.name)
    file = root / ".pixtrawl-catalog.sqlite3"
    grey = thumbnail(np.asarray(picture.convert("L")))
    if grey.tobytes()[64:128] in file.read_bytes():
        found.append("bytes of a thumbnail")
    with sqlite3.connect(file) as db:
        for (thumb,) in db.execute("SELECT thumb FROM sample WHERE thumb <> X''"):
            own = np.frombuffer(thumb, np.uint8).reshape(64, 64).astype(np.int16)
            if float(np.abs(own - small).mean()) < 6:
                found.append("a thumbnail")
    db.close()
    return found


@pytest.mark.parametrize(
    ("kind", "more"),
    crossed(HASHES, [{}, {"to": "imagefolder", "resize": 64}, {"dedup": "off"}]),
)
def test_a_listed_picture_is_refused_and_no_trace_of_it_stays(
    host: Host, tmp_path: Path, kind: str, more: dict[str, Any]
) -> None:
    names = ("0.png", "bad.png", "to-bad", "1.png")
    ds = download(tmp_path, host, *names, block=f"{kind}\n{HASHES[kind]}\n", **more)
    assert len(ds) == 2
    assert ds.report["reasons"]["blocked_hash"] == 2
    assert sum(ds.report["reasons"].values()) == 4
    assert traces(tmp_path / "set") == []


def test_a_listed_look_is_refused_smaller_recoded_and_mirrored(host: Host, tmp_path: Path) -> None:
    names = ("small.jpg", "mirrored.jpg", "2.png")
    ds = download(tmp_path, host, *names, block=f"pdq\n{HASHES['pdq']}\n")
    assert ds.report["reasons"] == {"blocked_hash": 2, "saved": 1}


def test_the_url_stays_in_the_catalog_and_is_reported_on_request_only(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.jsonl"
    (tmp_path / "list.txt").write_text(HASHES["sha256"])
    (tmp_path / "cats.txt").write_text(f"{host.url}/0.png\n{host.url}/bad.png\n")
    words = ["download", str(tmp_path / "cats.txt"), "-o", str(tmp_path / "set"), "-vv"]
    words += ["--allow-address", "127.0.0.0/8", "--block-hashes", str(tmp_path / "list.txt")]
    assert main([*words, "--log", str(log)]) == 0
    told = "".join(capsys.readouterr())
    assert "blocked_hash" in told
    assert "/bad.png" not in told + log.read_text()
    assert main(["report", str(tmp_path / "set")]) == 0
    assert main(["report", str(tmp_path / "set"), "--json"]) == 0
    assert main(["report", str(tmp_path / "set"), "--urls"]) == 0
    assert "/bad.png" not in capsys.readouterr().out
    for path in (tmp_path / "set").rglob("*"):
        if path.is_file() and "catalog" not in path.name:
            assert b"/bad.png" not in path.read_bytes(), path
    again = ["report", str(tmp_path / "set"), "--reason", "blocked_hash", "--withheld"]
    assert main(again) == 0
    (row,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert row["url"].endswith("/bad.png")
    assert row["detail"] == "sha256, list list.txt"


def test_nothing_but_listed_pictures_ends_with_the_code_for_nothing_saved(
    host: Host, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text(HASHES["md5"])
    (tmp_path / "cats.txt").write_text(f"{host.url}/bad.png\n")
    words = ["download", str(tmp_path / "cats.txt"), "-o", str(tmp_path / "set"), "-q"]
    words += ["--allow-address", "127.0.0.0/8"]
    assert main([*words, "--block-hashes", str(tmp_path / "list.txt")]) == 4


@pytest.mark.parametrize("kind", matrix(HASHES, "pdq"))
def test_a_new_list_takes_out_what_was_kept_before_it(
    host: Host, tmp_path: Path, kind: str
) -> None:
    assert len(download(tmp_path, host, "0.png", "bad.png", "1.png")) == 3
    assert traces(tmp_path / "set") != []
    ds = download(tmp_path, host, "0.png", "bad.png", "2.png", block=f"{kind}\n{HASHES[kind]}\n")
    assert len(ds) == 3
    assert traces(tmp_path / "set") == []
    assert [one.reason for one in Outcomes(tmp_path / "set", reason="blocked_hash")]
    asked = host.asked.count("/bad.png")
    assert len(download(tmp_path, host, "bad.png")) == 3  # without the list: it is remembered
    assert host.asked.count("/bad.png") == asked
    assert traces(tmp_path / "set") == []


@pytest.mark.parametrize("kind", [slow("sha256"), "md5", slow("pdq")])
def test_the_command_takes_out_copies_that_are_held_back_too(
    host: Host, tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    download(tmp_path, host, "bad.png", "small.jpg", "0.png")
    root = tmp_path / "set"
    assert [*root.glob(".pixtrawl-quarantine-*")]
    hashes = {pdq(BAD_PNG)} if kind == "pdq" else {
        hashlib.new(kind, one, usedforsecurity=False).hexdigest() for one in (BAD_PNG, BAD_JPEG)
    }  # fmt: skip
    (tmp_path / "l.txt").write_text("\n".join([kind, *hashes]))
    words = ["takedown", str(root), "--block-hashes", str(tmp_path / "l.txt")]
    assert main([*words, "--dry-run"]) == 0
    assert traces(root) != []
    assert "2 files would be removed" in capsys.readouterr().out
    assert main(words) == 0
    assert "2 files removed" in capsys.readouterr().out
    assert traces(root) == []
    assert main(words) == 0
    assert "0 files removed" in capsys.readouterr().out
    assert main(["verify", str(root)]) == 0
    assert main(["report", str(root), "--json"]) == 0
    text = capsys.readouterr().out
    report = json.loads(text[text.index("{") :])
    assert report["reasons"] == {"blocked_hash": 2, "saved": 1}
    assert sum(v for k, v in report["totals"].items() if k != "candidates") == 3


def test_a_data_url_of_a_listed_picture_is_not_kept_as_an_address(tmp_path: Path) -> None:
    text = "data:image/png;base64," + base64.b64encode(BAD_PNG).decode()
    (tmp_path / "cats.txt").write_text(text + "\n")
    (tmp_path / "list.txt").write_text(HASHES["sha256"])
    ds = pixtrawl.download(
        tmp_path / "cats.txt", output=tmp_path / "set", block_hashes=tmp_path / "list.txt"
    )
    assert ds.report["reasons"] == {"blocked_hash": 1}
    files = [p for p in (tmp_path / "set").rglob("*") if p.is_file()]
    needles = [text[at : at + 60].encode() for at in range(100, len(text) - 60, 1000)]
    assert [p.name for p in files for one in needles if one in p.read_bytes()] == []


def test_a_bad_list_ends_before_anything_is_fetched(
    host: Host, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "l.txt").write_text("ab\n")
    (tmp_path / "cats.txt").write_text(f"{host.url}/0.png\n")
    words = ["download", str(tmp_path / "cats.txt"), "-o", str(tmp_path / "set"), "-q"]
    assert main([*words, "--block-hashes", str(tmp_path / "l.txt")]) == 2
    assert "l.txt, line 1: no hash" in capsys.readouterr().err
    assert host.asked == []
    assert not (tmp_path / "set").exists()


def test_a_listed_file_that_is_no_picture_is_reported_as_listed(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {"/x.jpg": b"not a picture at all"}
    with serving(answers) as host:
        block = f"sha256\n{hashlib.sha256(answers['/x.jpg']).hexdigest()}\n"  # type: ignore[arg-type]
        ds = download(tmp_path, host, "x.jpg", block=block)
    assert ds.report["reasons"] == {"blocked_hash": 1}
