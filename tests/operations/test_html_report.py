"""`report --html`: one file that shows a data set offline, and in which no untrusted text acts."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.operations import html_report
from tests.life.sets import on_disk, pets
from tests.pipeline.pictures import fetch, manifest, saved, scene, serving

POISON = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


def test_it_has_a_thumbnail_of_every_image_and_loads_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(saved(scene, 20)) as host:
        root = pets(tmp_path, host)
    target = tmp_path / "out" / "report.html"
    assert main(["report", str(root), "--html", str(target), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    page = target.read_text("utf-8")
    assert (told["shown"], told["images"]) == (20, 20)
    assert told["size_bytes"] == target.stat().st_size < 20 * 10**6
    assert len(re.findall(r'<img alt="" src="data:image/webp;base64,', page)) == 20
    assert all(name in page for name in on_disk(root))
    assert re.findall(r'src="(?!data:)', page) == []
    assert not re.search(r"<script|<link|<iframe|@import|url\(", page)


def test_untrusted_titles_stay_text_and_their_links_are_addresses(tmp_path: Path) -> None:
    with serving(saved(scene, 3)) as host:
        rows = [(f"cat{n}", f"{host.url}/{n}.png") for n in range(3)]
        given = manifest(
            tmp_path / "list.jsonl", rows, title=POISON, page_url="javascript:alert(3)",
            license=POISON, creator=POISON,
        )  # fmt: skip
        root = fetch(given, tmp_path / "set").root
    target = tmp_path / "report.html"
    html_report.write_html_report(Folder(root), target)
    page = target.read_text("utf-8")
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "onerror=alert(2)>" not in page
    assert "\u202e" not in page
    assert "javascript:" not in page.replace("&lt;", "<").partition("<figcaption")[0]
    assert all(one.startswith("http") for one in re.findall(r'href="([^"]*)"', page))


def test_of_too_many_images_each_label_shows_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(saved(scene, 20)) as host:
        root = pets(tmp_path, host)
    monkeypatch.setattr(html_report, "_MOST_IMAGES", 6)
    done = html_report.write_html_report(Folder(root), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text("utf-8")
    assert (done.shown, done.images) == (6, 20)
    assert page.count("showing 6 of 20 images") == 2
    assert [len(re.findall(rf"{label}/\d+\.png", page)) for label in ("cat", "dog")] == [3, 3]
    monkeypatch.setattr(html_report, "MOST_PAGE_BYTES", 1)
    assert html_report.write_html_report(Folder(root), tmp_path / "b.html").shown == 0


def test_a_folder_that_is_no_data_set_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path), "--html", str(tmp_path / "x.html")]) == 2
    assert "no pixtrawl data set" in capsys.readouterr().err
