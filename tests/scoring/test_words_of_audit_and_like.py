"""What `audit` and `like` print, and the names of models that they take."""

from __future__ import annotations

from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from tests.scoring.conftest import GREEN, RED, embed, png, write_dataset


@pytest.mark.parametrize("command", ["audit", "like", "unlike"])
def test_a_model_that_gave_no_embeddings_is_refused_before_anything_is_decided(
    mixed: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    name = next(iter(pixtrawl.open(mixed.root).filter(label="red"))).file_name
    given = [command, str(mixed.root), *([] if command == "audit" else [name])]
    assert main([*given, "--model", "fit"]) == 2
    assert "'fit' (there are: none; `pixtrawl score" in capsys.readouterr().err
    embed(mixed, tmp_path)
    assert main([*given, "--model", "fit"]) == 2
    assert "'fit' (there are: tiny@" in capsys.readouterr().err
    with pytest.raises(UsageError, match="no embeddings are by a model 'fit'"):
        pixtrawl.open(mixed.root).like([name], model="fit")
    assert (mixed.root / name).is_file()
    assert main(["undo", str(mixed.root)]) == 2, "nothing was decided"


@pytest.mark.parametrize(("show", "between"), [(18, []), (10, ["  ... 8 images between ..."])])
def test_an_order_names_each_image_or_says_how_many_are_left_out(
    mixed: Folder, capsys: pytest.CaptureFixture[str], show: int, between: list[str]
) -> None:
    name = next(iter(pixtrawl.open(mixed.root).filter(label="red"))).file_name
    assert main(["like", str(mixed.root), name, "--show", str(show)]) == 0
    order = capsys.readouterr().out.split("least certain")[0].splitlines()[2:-1]
    assert [line for line in order if "..." in line] == between
    assert len(order) == min(show, 18) + len(between)
    assert len(set(order)) == len(order)


def test_a_check_that_finds_other_things_says_that_no_label_is_likely_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = {"red": [png(RED, n) for n in range(12)], "green": [png(GREEN, n) for n in range(2)]}
    folder = write_dataset(tmp_path / "images", pictures)
    embed(folder, tmp_path)
    capsys.readouterr()
    assert main(["audit", str(folder.root), "--html", str(tmp_path / "check.html")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "likely wrong labels: none"
    assert any(line.startswith("few: green has 2 images") for line in lines)
    assert "likely wrong" not in lines[-1]
