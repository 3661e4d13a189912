"""Keeps and refusals order the other images; the class check finds what was planted."""

from __future__ import annotations

import json
import re
import shlex
import sqlite3
from contextlib import closing
from html import escape
from pathlib import Path

import numpy as np
import pytest

import pixtrawl
from pixtrawl.catalog.views.pairs import CheckedImage
from pixtrawl.cli.main import main
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.scoring.classes.check import audit
from pixtrawl.scoring.likes import examples as likes
from pixtrawl.scoring.likes.examples import fit
from pixtrawl.scoring.models.interface import unit
from tests.matrices import slow
from tests.scoring.conftest import embed
from tests.scoring.planted import Planted, unknown_looks
from tests.scoring.tiny import write_model
from tests.scoring.tiny_models import write_image_model


@pytest.mark.parametrize(
    ("labels", "each", "spread", "wrong", "outside"),
    [(10, 80, 1.0, 0.1, 0.0), (10, 80, 1.5, 0.3, 0.0), (10, 80, 1.0, 0.1, 0.1), (20, 40, 1.3, 0.15, 0.0),
     (5, 30, 1.0, 0.2, 0.0), (2, 60, 1.0, 0.2, 0.0), (2, 60, 2.0, 0.2, 0.0), (10, 40, 2.0, 0.18, 0.0)],
)  # fmt: skip
@pytest.mark.parametrize("seed", [1, slow(2)])
def test_planted_wrong_images_are_found_by_their_neighbours(
    labels: int, each: int, spread: float, wrong: float, outside: float, seed: int
) -> None:
    planted = Planted(labels, each, spread=spread, wrong=wrong, outside=outside, seed=seed)
    recall, precision = planted.recall_and_precision()
    assert recall >= 0.8
    assert precision >= 0.9


@pytest.mark.parametrize(("labels", "each"), [(20, 20), (10, 40)])
def test_few_images_and_features_that_know_little_still_find_most(labels: int, each: int) -> None:
    found = [
        Planted(labels, each, spread=2.0, wrong=0.18, seed=seed).recall_and_precision()
        for seed in (11, 12, 13)
    ]
    recall, precision = np.mean(found, axis=0)
    assert recall >= 0.8
    assert precision >= 0.9


def test_labels_that_are_mixed_up_in_pairs_and_one_dirty_label_are_found() -> None:
    for kind in ("pairs", "dirty"):
        planted = Planted(8, 40, spread=1.7, wrong=0.0, seed=4)
        random = np.random.default_rng(5)
        images, wrong = [], []
        for one in planted.images:
            label = int(one.label[1:])
            share = 0.15 if kind == "pairs" else 0.06
            other = label ^ 1 if kind == "pairs" else 0  # of eight labels, the first takes from all
            moved = random.random() < share and other != label
            images.append(CheckedImage(one.id, f"l{other if moved else label}", one.file_name, "h"))
            wrong.append(moved)
        found = audit(images, planted.vectors, unknown_looks, by="embedding", model="m")
        doubted = {one.file_name: one.like for one in found.doubts}
        hits = [one.file_name in doubted for one in images]
        both = sum(hit and bad for hit, bad in zip(hits, wrong, strict=True))
        assert both >= 0.8 * sum(wrong), kind
        assert both >= 0.9 * sum(hits), kind


@pytest.mark.parametrize(("labels", "spread"), [(10, 1.0), (2, 1.0), (2, 3.0), (10, 3.0)])
def test_labels_without_a_wrong_image_are_hardly_doubted(labels: int, spread: float) -> None:
    planted = Planted(labels, 60, spread=spread, wrong=0.0)
    assert len(planted.audit().doubts) <= 0.01 * len(planted.images) + 1


def test_what_a_person_kept_is_not_doubted() -> None:
    planted = Planted(4, 40, spread=1.0, wrong=0.2)
    trusted = frozenset(one.id for one in planted.images)
    found = audit(
        planted.images, planted.vectors, unknown_looks, by="embedding", model="m",
        trusted=trusted,
    )  # fmt: skip
    assert found.doubts == ()


def test_labels_of_one_thing_overlap_and_others_do_not() -> None:
    planted = Planted(4, 50, spread=1.0, wrong=0.0)
    twin = [
        CheckedImage(one.id, "twin" if one.label == "l0" and one.id % 2 else one.label,
                     one.file_name, one.host)
        for one in planted.images
    ]  # fmt: skip
    found = audit(twin, planted.vectors, unknown_looks, by="embedding", model="m")
    assert [pair.labels for pair in found.overlaps] == [("l0", "twin")]
    assert found.overlaps[0].files


def test_one_host_one_look_and_few_images_are_named() -> None:
    planted = Planted(3, 30, spread=1.0, wrong=0.0)
    images = [
        CheckedImage(
            one.id, one.label, one.file_name, "same.test" if one.label == "l1" else one.host
        )
        for one in planted.images
        if one.label != "l2" or one.id % 15 == 0
    ]
    kept = [one.id - 1 for one in images]
    looks = planted.vectors[kept].copy()
    first = next(at for at, one in enumerate(images) if one.label == "l0")
    for at, one in enumerate(images):
        if one.label == "l0" and at % 3:
            looks[at] = looks[first]
    found = audit(
        images, planted.vectors[kept], lambda rows: looks[rows], by="embedding", model="m"
    )
    assert [(b.label, b.kind) for b in found.biases] == [("l1", "host"), ("l0", "look")]
    assert [one.label for one in found.small] == ["l2"]


@pytest.mark.parametrize("spread", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("seed", [3, 5])
def test_two_rounds_of_twenty_decisions_raise_the_precision_of_the_first_hundred(
    spread: float, seed: int
) -> None:
    planted = Planted(1, 300, spread=spread, wrong=0.0, outside=0.4, seed=seed)
    order = list(range(300))
    wanted: set[int] = set()
    refused: set[int] = set()
    assert planted.wrong[order[:100]].mean() >= 0.3
    for _ in range(2):
        shown = [one for one in order if one not in wanted | refused][:20]
        for one in shown:
            (refused if planted.wrong[one] else wanted).add(one)
        left = [one for one in range(300) if one not in refused]
        model = fit(
            planted.vectors[left], planted.vectors[sorted(wanted)], planted.vectors[sorted(refused)]
        )
        scores = model.scores(planted.vectors)
        order = sorted(left, key=lambda one: -scores[one])
    assert 1 - planted.wrong[order[:100]].mean() >= 0.9


@pytest.mark.parametrize("seed", range(3))
def test_undecided_images_teach_what_six_examples_do_not_tell(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = np.random.default_rng(seed)
    vectors = chance.normal(size=(400, 64)).astype(np.float32)
    vectors[:, 0] += np.repeat([2.2, -2.2], 200)  # 200 right ones, then 200 wrong ones
    vectors = unit(vectors)

    def right_among_first() -> float:
        scores = fit(vectors, vectors[:3], vectors[200:203]).scores(vectors)
        return float((np.argsort(-scores)[:200] < 200).mean())

    taught = right_among_first()
    monkeypatch.setattr(likes, "_ROUNDS", 0)
    assert taught > right_among_first() + 0.03


# -- on a data set


@pytest.mark.parametrize("by", ["embedding", "look"])
def test_like_and_unlike_order_the_images_of_the_label(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    if by == "embedding":
        embed(mixed, tmp_path)
    names = [one.file_name for one in pixtrawl.open(mixed.root).filter(label="red")]
    capsys.readouterr()
    assert main(["like", str(mixed.root), *names[:2]]) == 0
    assert (
        "embeddings of tiny@" if by == "embedding" else "ordered by looks"
    ) in capsys.readouterr().out
    assert main(["unlike", str(mixed.root), names[2], "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["by"] == by
    (label,) = shown["labels"]
    assert (label["label"], label["kept"], label["refused"]) == ("red", 2, 1)
    assert len(label["images"]) == 17
    order = [int(Path(one["file_name"]).stem) for one in label["images"]]
    assert {at % 3 for at in order[-5:]} == {0}, "the green ones are last"
    liked = {one["file_name"]: one["liked"] for one in label["images"]}
    doubts = [abs(liked[name] - 0.5) for name in label["uncertain"]]
    assert set(label["uncertain"]) == set(names) - set(names[:3]), "what is decided is not asked"
    assert doubts == sorted(doubts)
    ds = pixtrawl.open(mixed.root)
    assert len(ds.filter(liked__ge=0.5)) == 12
    assert not (mixed.root / names[2]).exists()
    assert main(["undo", str(mixed.root)]) == 0
    assert (mixed.root / names[2]).is_file()


def test_audit_names_wrong_images_and_commands_that_work(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(mixed, tmp_path)
    capsys.readouterr()
    assert main(["audit", str(mixed.root)]) == 0
    assert "likely wrong labels: 6" in capsys.readouterr().out
    assert main(["audit", str(mixed.root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["by"] == "embedding"
    assert {one["file_name"].partition("/")[0] for one in found["doubts"]} == {"red"}
    assert {one["like"] for one in found["doubts"]} == {"green"}
    (command,) = found["commands"]
    assert main(shlex.split(command)[1:]) == 0
    capsys.readouterr()
    assert main(["audit", str(mixed.root), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["doubts"] == []
    ds = pixtrawl.open(mixed.root)
    assert (len(ds.filter(label="green")), len(ds.filter(label="red"))) == (16, 12)
    assert len(ds.audit().doubts) == 0


def test_embeddings_of_two_models_are_checked_together(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(mixed, tmp_path)
    other = write_image_model(tmp_path / "colours.onnx", {"kind": "embedding", "size": 8})
    assert main(["score", str(mixed.root), "--model", str(other), "--as", "colours"]) == 0
    both = pixtrawl.open(mixed.root).audit()
    assert {name.partition("@")[0] for name in both.model.split(" + ")} == {"tiny", "colours"}
    assert len(both.doubts) == 6
    capsys.readouterr()
    assert main(["audit", str(mixed.root), "--json", "--model", "colours"]) == 0
    assert json.loads(capsys.readouterr().out)["model"].startswith("colours@")


def test_the_page_of_a_check_shows_each_picture_beside_the_command_to_act(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    embed(mixed, tmp_path)
    target = tmp_path / "out" / "check.html"
    capsys.readouterr()
    assert main(["audit", str(mixed.root), "--html", str(target), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["page"] == str(target)
    page = target.read_text("utf-8")
    doubted = page.partition("<h2>Like green</h2>")[2].partition("</section>")[0]
    assert doubted.count('<img alt="" src="data:image/webp;base64,') == 6
    assert all(f"<br>{one['file_name']}" in doubted for one in found["doubts"])
    assert re.findall(r"<pre>(.*?)</pre>", doubted) == [escape(one) for one in found["commands"]]
    assert re.findall(r'src="(?!data:)', page) == []
    assert not re.search(r"<script|<link|<iframe|@import|url\(", page)


def test_a_page_that_cannot_be_written_is_one_clear_line(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("a file")
    assert main(["audit", str(mixed.root), "--html", str(tmp_path / "taken" / "a.html")]) == 5
    assert "cannot be written" in capsys.readouterr().err


def test_audit_without_a_model_says_so(mixed: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", str(mixed.root)]) == 0
    assert "checked by looks" in capsys.readouterr().out


def test_search_finds_by_words_and_by_likeness(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = str(write_model(tmp_path / "tiny"))
    root = str(mixed.root)
    assert main(["search", root, "green", "--model", model]) == 4
    assert "run pixtrawl score first" in capsys.readouterr().out
    embed(mixed, tmp_path)
    capsys.readouterr()
    assert main(["search", root, "green", "--model", model, "-n", "16", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    names = {one["file_name"] for one in found["images"]}
    assert len(names) == 16
    assert {name for name in names if name.startswith("red/")} == {
        f"red/{1 + at:06d}.png" for at in range(18) if at % 3 == 2
    }
    ds = pixtrawl.open(root)
    alike = ds.similar(ds.filter(label="green")[0], count=15)
    assert {one.file_name for one in alike} == names - {ds.filter(label="green")[0].file_name}
    assert main(["search", root, "--like", "green/000001.png", "-n", "3"]) == 0
    assert main(["search", root]) == 2
    assert main(["search", root, "--like", "green/000099.png"]) == 2


def test_a_refused_image_keeps_its_embedding_and_a_takedown_ends_it(
    mixed: Folder, tmp_path: Path
) -> None:
    embed(mixed, tmp_path)

    def count() -> int:
        with closing(sqlite3.connect(mixed.catalog)) as db:
            return int(db.execute("SELECT count(*) FROM embedding").fetchone()[0])

    (first, *_) = pixtrawl.open(mixed.root)
    sha256 = first.info.sha256
    assert main(["reject", str(mixed.root), first.file_name]) == 0
    assert count() == 28
    assert main(["takedown", str(mixed.root), "--sha256", sha256]) == 0
    assert count() == 27
