"""How data sets and images are shown at a prompt and in a notebook, and what a call says of itself."""

from __future__ import annotations

import asyncio
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl.dataset.preview import STRIP_BYTES
from pixtrawl.errors import EnvironmentFailedError, StorageError, innermost
from pixtrawl.model import Alternate, Candidate, ImageInfo, Kind, Outcome, Reason
from tests import warm_command
from tests.pipeline.pictures import Answer, fetch, jpeg, png, scene, serving

LONGEST = 400


@pytest.fixture(scope="module")
def lists(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three cats (one with a copy), and two dogs asked for beforehand."""
    tmp_path = tmp_path_factory.mktemp("shown")
    answers: dict[str, Answer] = {
        "/c0.png": png(scene(0)), "/copy.jpg": jpeg(scene(0), quality=60),
        "/c1.png": png(scene(1)), "/c2.jpg": jpeg(scene(2)),
        "/d0.png": png(scene(5)), "/d1.png": png(scene(6)),
    }  # fmt: skip
    with serving(answers) as host:
        for name in ("cat", "dog"):
            urls = [host.url + path for path in answers if ("/d" in path) == (name == "dog")]
            (tmp_path / f"{name}.txt").write_text("\n".join(urls))
            fetch(tmp_path / f"{name}.txt", tmp_path / "set")
    return tmp_path


@pytest.fixture(scope="module")
def ds(lists: Path) -> pixtrawl.Dataset:
    return pixtrawl.open(lists / "set")


def test_everything_a_data_set_gives_is_shown_in_a_few_words(ds: pixtrawl.Dataset) -> None:
    assert repr(ds[0]) == "<Sample cat/000001.png 320x240 png>"
    shown = [ds, ds[0], ds[:2], ds[:], ds.duplicates(), ds.filter(label="cat"), ds[0].info,
             ds[0].candidate, ds.duplicates()[0], ds.duplicates()[0].copies[0]]  # fmt: skip
    for one in shown:
        assert 0 < len(repr(one)) < LONGEST, one
    assert repr(ds).endswith("5 images of 2 labels)")
    assert "000001" in repr(ds[:2])
    assert repr(ds.duplicates()) == "[<DuplicateGroup cat/000001.png +1>]"


@pytest.mark.parametrize("length", [10, 1_000, 1_000_000])
def test_no_value_is_shown_longer_than_a_few_lines_whatever_it_holds(length: int) -> None:
    text = "x" * length
    info = ImageInfo(format=text, phash=b"1" * length, thumb=b"2" * length, sha256=text)
    candidate = Candidate(
        url=f"data:image/png;base64,{text}", query=text, label=text, source=text, title=text,
        alternates=(Alternate(text, Kind.CACHED),) * 50,
    )  # fmt: skip
    outcome = Outcome(reason=Reason.SAVED, detail=text, info=info, url=text)
    for one in (info, candidate, outcome, candidate.alternates[0]):
        assert len(repr(one)) < LONGEST


def test_a_long_slice_says_how_many_more_there_are(ds: pixtrawl.Dataset) -> None:
    many = type(ds[:2])(ds[index % 5] for index in range(300))
    assert len(repr(many)) < LONGEST
    shown, rest = repr(many).count("<Sample"), re.search(r"… (\d+) more", repr(many))
    assert rest is not None
    assert shown + int(rest[1]) == 300
    assert many == [ds[index % 5] for index in range(300)]


def test_a_notebook_shows_pictures_within_a_bound_of_bytes(ds: pixtrawl.Dataset) -> None:
    shown = ds._repr_html_()
    assert shown.count("<img src=") == 5
    assert len(shown) < STRIP_BYTES + 5_000
    assert "5 images of 2 labels" in shown
    assert "<script" not in shown
    assert ds[0]._repr_html_().count("<img") == 1
    picture = ds[0]._repr_png_()
    assert picture is not None
    assert picture.startswith(b"\x89PNG")
    assert (ds[:2]._repr_html_() or "").count("<img") == 2
    assert (ds.duplicates()._repr_html_() or "").count("<img") == 1
    assert ds.filter(label="dog")._repr_html_().count("<img") == 2


def test_showing_never_fails_on_files_that_are_gone(lists: Path, tmp_path: Path) -> None:
    import shutil

    copy = shutil.copytree(lists / "set", tmp_path / "set")
    ds = pixtrawl.open(copy)
    sample = ds[0]
    sample.path.unlink()
    assert sample._repr_png_() is None
    assert "cannot be read" in sample._repr_html_()
    assert ds._repr_html_().count("<img") >= 4
    shutil.rmtree(copy)
    assert "not readable" in repr(ds)
    assert "not readable" in ds._repr_html_()


def test_a_run_gives_back_the_images_of_its_own_queries(lists: Path) -> None:
    again = pixtrawl.download(lists / "cat.txt", output=lists / "set")
    assert {sample.label for sample in again} == {"cat"}
    assert (len(again), again.labels) == (3, ["cat"])
    assert again[-1].label == "cat"
    assert len(again) == sum(query["saved"] for query in again.report["queries"])
    assert len(again.filter(lambda sample: sample.number > 1)) == 2
    assert len(pixtrawl.open(lists / "set")) == 5


def test_the_verdict_is_the_command_s(lists: Path) -> None:
    command = [sys.executable, "-m", "pixtrawl", "report", str(lists / "set")]
    said = warm_command.run(command, capture_output=True, text=True, check=True).stdout
    assert pixtrawl.open(lists / "set").verdict == said.rstrip("\n")


def test_a_call_that_brings_less_than_asked_warns_at_the_caller_s_line(
    lists: Path, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {
        "source": "urls",
        "set": [f"urls.file={tmp_path / 'none.txt'}"],
        "limit": 5,
    }
    (tmp_path / "none.txt").write_text("")
    with pytest.warns(pixtrawl.ShortWarning, match=r"no images: 0 of 5.*Next: ") as caught:
        short = pixtrawl.run("cat", output=tmp_path / "set", **settings)
    assert caught[0].filename == __file__
    assert len(short) == 0
    assert "no images: 0 of 5" in short.verdict
    with pytest.warns(pixtrawl.ShortWarning, match="no URLs"):
        assert pixtrawl.discover("cat", **settings) == []

    async def inside() -> None:
        with pytest.warns(pixtrawl.ShortWarning) as caught:
            await pixtrawl.run_async("cat", output=tmp_path / "set", **settings)
        assert caught[0].filename == __file__
        with pytest.warns(pixtrawl.ShortWarning) as caught:  # beside a running loop
            pixtrawl.run("cat", output=tmp_path / "set", **settings)
        assert caught[0].filename == __file__

    asyncio.run(inside())


def test_a_call_that_brings_all_is_silent_where_nobody_looks_on(
    lists: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pixtrawl.download(lists / "cat.txt", output=lists / "set")
    assert capfd.readouterr() == ("", "")
    pixtrawl.download(lists / "cat.txt", output=lists / "set", progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "complete: 3 images" in err


def test_an_error_is_one_line_in_a_notebook() -> None:
    with pytest.raises(pixtrawl.PixtrawlError) as caught:
        pixtrawl.run("cat", limt=3)  # type: ignore[call-arg]
    assert caught.value._render_traceback_() == [
        "ArgumentError: run() has no argument 'limt'; did you mean limit?"
    ]


def test_of_a_group_of_errors_ours_is_reported() -> None:
    group = BaseExceptionGroup(
        "tasks", [ValueError("x"), BaseExceptionGroup("", [StorageError("full")])]
    )
    assert isinstance(
        innermost(BaseExceptionGroup("", [StorageError("a"), ValueError("b")])),
        EnvironmentFailedError,
    )
    assert isinstance(innermost(group), ValueError)
    assert isinstance(innermost(StorageError("a")), StorageError)
