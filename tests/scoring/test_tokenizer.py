"""Texts become tokens by the vocabulary beside the model."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from pixtrawl.errors import MissingExtraError, UsageError
from pixtrawl.scoring.models.tokenizer import load_tokenizer
from tests.scoring.tiny import write_model

START, END = 512 + 3, 512 + 4  # bytes, bytes that end a word, three merges


def write_merges(folder: Path) -> Path:
    folder.mkdir()
    with gzip.open(folder / "bpe_simple_vocab_16e6.txt.gz", "wt", encoding="utf-8") as file:
        file.write('"bpe_simple_vocab_16e6.txt#version: 0.2\nc a\nca t</w>\nr e\n')
    return folder


def test_clip_s_list_of_merges_is_read(tmp_path: Path) -> None:
    ids, mask = load_tokenizer(write_merges(tmp_path / "m"), 8)(["Cat  red", ""])
    d_end = 256 + ord("d") - ord("!")  # CLIP counts bytes from the first printable one
    assert ids.tolist() == [[START, 513, 514, d_end, END, 0, 0, 0], [START, END, 0, 0, 0, 0, 0, 0]]
    assert mask.tolist() == [[1] * 5 + [0] * 3, [1] * 2 + [0] * 6]


def test_a_text_that_is_too_long_keeps_its_end_mark(tmp_path: Path) -> None:
    ids, _ = load_tokenizer(write_merges(tmp_path / "m"), 5)(["cat " * 50])
    assert ids.tolist() == [[START, 513, 513, 513, END]]


def test_a_vocabulary_and_its_merges_are_read(tmp_path: Path) -> None:
    words = ["a", "c", "t", "a</w>", "c</w>", "t</w>", "ca", "cat</w>"]
    numbers = {word: n for n, word in enumerate([*words, "<|startoftext|>", "<|endoftext|>"])}
    (tmp_path / "vocab.json").write_text(json.dumps(numbers))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nc a\nca t</w>\n")
    ids, _ = load_tokenizer(tmp_path, 5, pad_id=9)(["CAT a"])
    assert ids.tolist() == [[8, 7, 3, 9, 9]]


def test_a_tokenizer_json_is_filled_up_and_cut(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "tiny")
    ids, mask = load_tokenizer(folder, 3)(["red", "a red green blue"])
    assert ids.tolist() == [[2, 0, 0], [1, 2, 3]]
    assert mask.tolist() == [[1, 0, 0], [1, 1, 1]]


def test_what_is_no_tokenizer_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has no tokenizer\.json"):
        load_tokenizer(tmp_path, 77)
    (tmp_path / "tokenizer.json").write_text("[]")
    with pytest.raises(UsageError, match="is no tokenizer"):
        load_tokenizer(tmp_path, 77)


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pixtrawl\[clip\]'"):
        load_tokenizer(tmp_path, 77)
