"""Captions that a person writes: they win, and none is ever lost."""

from __future__ import annotations

from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.errors import EXIT_OK, EXIT_USAGE
from pixtrawl.exporters.export import ExportOptions, export
from pixtrawl.exporters.splits import Splitting, parse_shares
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived import caption_files
from pixtrawl.pipeline.curating import captioning
from tests.captions.sets import foxes, rows

ORIGINS = "alt,title,query"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return foxes(tmp_path, caption=ORIGINS).root


def caption_of(root: Path, name: str) -> tuple[object, object]:
    row = rows(root / "metadata.jsonl")[name]
    return row["caption"], row["caption_origin"]


def file_of(root: Path, name: str) -> str:
    return str(rows(root / "metadata.jsonl")[name]["file_name"])


def test_a_written_caption_wins_and_is_undone_and_redone(root: Path) -> None:
    name = file_of(root, "alt")
    assert main(["caption", str(root), name, "--text", "my own fox"]) == EXIT_OK
    assert caption_of(root, "alt") == ("my own fox", "hand")
    assert main(["undo", str(root)]) == EXIT_OK
    assert caption_of(root, "alt") == ("a red fox", "alt")
    assert main(["undo", str(root), "--redo"]) == EXIT_OK
    assert caption_of(root, "alt") == ("my own fox", "hand")
    assert main(["caption", str(root), name, "--reset"]) == EXIT_OK
    assert caption_of(root, "alt") == ("a red fox", "alt")


def test_words_are_replaced_in_all_captions_as_one_decision(root: Path) -> None:
    before = {name: caption_of(root, name) for name in rows(root / "metadata.jsonl")}
    assert main(["caption", str(root), "--find", "fox", "--replace", "vixen"]) == EXIT_OK
    for name, (text, _) in before.items():
        assert caption_of(root, name) == (str(text).replace("fox", "vixen"), "hand")
    assert main(["undo", str(root)]) == EXIT_OK
    assert {name: caption_of(root, name) for name in before} == before
    assert main(["caption", str(root), "--find", "wolf", "--replace", "x"]) == EXIT_USAGE


def test_a_models_text_does_not_replace_one_by_hand(root: Path) -> None:
    ds = pixtrawl.open(root)
    mine, other = file_of(root, "alt"), file_of(root, "bare")
    ds.caption([mine], "my own fox")
    ds.caption([mine, other], "an animal", origin="model")
    assert main(["caption", str(root), "--caption", "model,alt"]) == EXIT_OK
    assert caption_of(root, "alt") == ("my own fox", "hand")
    assert caption_of(root, "bare") == ("an animal", "model")


def test_written_captions_follow_an_image_to_another_label_and_outlive_the_catalog(
    root: Path,
) -> None:
    ds = pixtrawl.open(root)
    ds.caption([file_of(root, "alt")], "my own fox")
    ds.label("vulpes", [file_of(root, "alt")])
    assert caption_of(root, "alt") == ("my own fox", "hand")
    for path in root.glob(f"{Folder(root).own_catalog.name}*"):
        path.unlink()
    pixtrawl.open(root)
    assert main(["caption", str(root), "--caption", ORIGINS]) == EXIT_OK
    assert caption_of(root, "alt") == ("my own fox", "hand")


def test_a_merged_set_has_them(root: Path, tmp_path: Path) -> None:
    pixtrawl.open(root).caption([file_of(root, "alt")], "my own fox")
    pixtrawl.merge(root, output=tmp_path / "both")
    assert caption_of(tmp_path / "both", "alt") == ("my own fox", "hand")


def test_captions_are_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["caption", str(root), file_of(root, "alt")]) == EXIT_OK
    assert "alt\ta red fox" in capsys.readouterr().out


def test_a_set_without_captions_names_the_next_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = foxes(tmp_path).root
    assert main(["caption", str(root), "--find", "a", "--replace", "b"]) == EXIT_USAGE
    assert "--caption alt,title" in capsys.readouterr().err


# -- text files that a person changes


def texts(out: Path) -> dict[str, str]:
    return {
        path.relative_to(out).as_posix(): path.read_text().strip() for path in out.rglob("*.txt")
    }


def options(shares: str | None = None, captions: tuple[str, ...] | None = None) -> ExportOptions:
    splitting = Splitting(shares=parse_shares(shares)) if shares else Splitting()
    return ExportOptions(splitting=splitting, captions=captions)


@pytest.mark.parametrize("to", ["imagefolder", "kohya", "ai-toolkit"])
def test_edited_files_of_an_export_are_never_lost(to: str, root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def again(given: ExportOptions) -> None:
        export(pixtrawl.open(root), root, out, to, given)

    again(options())
    names = sorted(texts(out))
    assert len(names) == 6
    edited = {names[0]: "edited by hand", names[3]: "edited, too"}
    for name, text in edited.items():
        (out / name).write_text(text + "\n")
    for given in (options(), options(captions=("query",)), options(captions=("title", "query"))):
        again(given)
        again(given)
        assert texts(out).items() >= edited.items()
        assert len(texts(out)) == 6
    assert set(texts(out).values()) > {"edited by hand", "edited, too"}
    pixtrawl.open(root).reject([file_of(root, "bare")], refill=False)  # another plan
    again(options())
    assert set(edited.values()) <= set(texts(out).values())


def test_edited_captions_follow_their_picture_to_another_split(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(pixtrawl.open(root), root, out, "imagefolder", options())
    for path in out.rglob("*.txt"):
        path.write_text(f"{path.stem} by hand")
    export(pixtrawl.open(root), root, out, "imagefolder", options("train=0.5,val=0.5"))
    found = {row["file_name"]: row for split in ("train", "val")
             for row in rows(out / split / "metadata.jsonl").values()}  # fmt: skip
    assert len(found) == 6
    for name, row in found.items():
        stem = str(name).rpartition("/")[2].partition(".")[0]
        assert (row["text"], row["caption_origin"]) == (f"{stem} by hand", "hand")


def test_a_text_file_beside_an_image_of_the_set_is_its_caption(root: Path, tmp_path: Path) -> None:
    beside = (root / file_of(root, "alt")).with_suffix(".txt")
    beside.write_text("written beside it\n")
    pixtrawl.open(root).export("jsonl", tmp_path / "out.jsonl")
    row = rows(tmp_path / "out.jsonl")["alt"]
    assert (row["text"], row["caption_origin"]) == ("written beside it", "hand")


def text_of(root: Path, name: str) -> Path:
    return (root / file_of(root, name)).with_suffix(".txt")


def test_captions_are_written_beside_images_and_edits_come_back(root: Path) -> None:
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    texts = {name: text_of(root, name).read_text().strip() for name in ("alt", "title", "bare")}
    assert texts == {name: caption_of(root, name)[0] for name in texts}
    assert main(["caption", str(root)]) == EXIT_OK
    assert caption_of(root, "alt") == ("a red fox", "alt"), "what was written is no edit"

    text_of(root, "alt").write_text("a fox that I described\n")
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    assert caption_of(root, "alt") == ("a fox that I described", "hand")
    assert caption_of(root, "title")[1] == "title"
    assert text_of(root, "alt").read_text() == "a fox that I described\n"

    assert main(["undo", str(root)]) == EXIT_OK
    assert caption_of(root, "alt") == ("a red fox", "alt")


def test_an_edited_file_is_never_overwritten_and_a_written_one_follows(root: Path) -> None:
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    text_of(root, "alt").write_text("mine")
    name = file_of(root, "title")
    assert main(["caption", str(root), name, "--text", "by command", "--txt"]) == EXIT_OK
    assert text_of(root, "title").read_text() == "by command\n"
    assert text_of(root, "alt").read_text() == "mine"
    assert main(["caption", str(root), name, "--text", "", "--txt"]) == EXIT_OK
    assert not text_of(root, "title").exists(), "no caption, no file"
    assert text_of(root, "alt").read_text() == "mine"


def test_written_files_leave_the_origin_of_captions_in_exports(root: Path, tmp_path: Path) -> None:
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    text_of(root, "title").write_text("mine")
    out = tmp_path / "out"
    export(pixtrawl.open(root), root, out, "imagefolder", ExportOptions())
    found = rows(out / "train" / "metadata.jsonl")
    assert (found["alt"]["text"], found["alt"]["caption_origin"]) == ("a red fox", "alt")
    assert (found["title"]["text"], found["title"]["caption_origin"]) == ("mine", "hand")


def test_a_kill_between_note_and_file_makes_no_file_look_edited(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    name = file_of(root, "alt")
    assert main(["caption", str(root), name, "--text", "new"]) == EXIT_OK

    def killed(path: Path, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(caption_files, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        captioning.write_files(Folder(root))
    monkeypatch.undo()
    assert captioning.take_edited(Folder(root), who="cli") is None
    assert main(["caption", str(root), "--txt"]) == EXIT_OK
    assert text_of(root, "alt").read_text() == "new\n"
