"""Decisions named in words, as an undo answers."""

from __future__ import annotations

from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK
from pixtrawl.folder.decisions.journal import ACTIONS, FACTS, STEERING, DecisionRecord
from pixtrawl.operations.decision_summary import summarise
from tests.life.sets import pets
from tests.pipeline.pictures import Host


def one(action: str, **given: str) -> DecisionRecord:
    return DecisionRecord(id="1", batch="b", at="", who="cli", action=action, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("action", sorted(ACTIONS - FACTS - STEERING - {"undo"}))
def test_every_decision_has_words(action: str) -> None:
    assert summarise([one(action, label="cat")]).startswith("1 ")
    assert summarise([one(action, label="cat")] * 2).startswith("2 ")


def test_labels_and_rules_are_named() -> None:
    assert summarise([one("label", label="cat"), one("label", label="dog")]) == (
        "1 image put under cat; 1 image put under dog"
    )
    rule = one("takedown", kind="domain", value="example.org")
    assert (
        summarise([rule, one("takedown")]) == "rule of domain example.org added; 1 image taken down"
    )


def test_undo_and_redo_name_what_they_are_about(
    tmp_path: Path, host: Host, capsys: pytest.CaptureFixture[str]
) -> None:
    root = pets(tmp_path, host, limit=3)
    names = [sample.file_name for sample in pixtrawl.open(root)][:2]
    main(["reject", str(root), *names])
    capsys.readouterr()
    for arguments, words in (
        ([], "taken back: 2 images rejected"),
        (["--redo"], "done again: 2 images rejected"),
        ([], "taken back: 2 images rejected"),
    ):
        assert main(["undo", str(root), *arguments]) == EXIT_OK
        assert capsys.readouterr().out.splitlines()[-1] == words
