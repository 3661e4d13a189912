"""Tokenise texts with the vocabulary in a model's folder.

Three forms are read: `tokenizer.json` (the tokenizers library's), `vocab.json` with `merges.txt`,
and `bpe_simple_vocab_16e6.txt.gz`, in which CLIP itself keeps the merges of its byte-pair encoding.
The last two are turned into the first.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pixtrawl.errors import MissingExtraError, UsageError

if TYPE_CHECKING:
    import tokenizers

__all__ = ["Tokenizer", "load_tokenizer"]

_CLIP_MERGES: Final = "bpe_simple_vocab_16e6.txt.gz"
_CLIP_MERGED: Final = 48_894  # of the merges in the file; CLIP was trained with 49,408 tokens
_START: Final = "<|startoftext|>"
_END: Final = "<|endoftext|>"
_WORDS: Final = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
_MAX_BYTES: Final = 64 << 20  # of an unpacked list of merges


class Tokenizer:
    """Returns rows of one length: truncated, keeping the end token, or padded."""

    def __init__(self, inner: tokenizers.Tokenizer, context: int, pad_id: int | None) -> None:
        """`context` is the number of tokens; `pad_id` None takes the vocabulary's own, else 0."""
        if pad_id is None:
            pad_id = int((inner.padding or {}).get("pad_id", 0))
        inner.enable_truncation(context)
        inner.enable_padding(length=context, pad_id=pad_id)
        self._inner = inner

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return token numbers and attention mask, each of shape (texts, context)."""
        found = self._inner.encode_batch(list(texts))
        return (
            np.array([one.ids for one in found], dtype=np.int64),
            np.array([one.attention_mask for one in found], dtype=np.int64),
        )


def load_tokenizer(folder: Path, context: int, pad_id: int | None = None) -> Tokenizer:
    """Load the tokenizer of a model's folder.

    Raises:
        UsageError: there is none, or it cannot be read.
        MissingExtraError: the tokenizers library is not installed.
    """
    try:
        import tokenizers
    except ImportError:
        raise MissingExtraError("a tokenizer", "clip") from None
    readers: dict[tuple[str, ...], Callable[..., tokenizers.Tokenizer]] = {
        ("tokenizer.json",): lambda path: tokenizers.Tokenizer.from_file(str(path)),
        ("vocab.json", "merges.txt"): _from_vocabulary,
        (_CLIP_MERGES,): _from_merges,
    }
    for names, read in readers.items():
        paths = [folder / name for name in names]
        if all(path.is_file() for path in paths):
            try:
                return Tokenizer(read(*paths), context, pad_id)
            except Exception as error:  # the library raises bare exceptions
                raise UsageError(f"{paths[0]}: is no tokenizer ({error})") from error
    wanted = " or ".join(" with ".join(names) for names in readers)
    raise UsageError(f"{folder}: has no {wanted}")


def _from_vocabulary(vocabulary: Path, merges: Path) -> tokenizers.Tokenizer:
    numbers = json.loads(vocabulary.read_text(encoding="utf-8"))
    return _clip(numbers, _pairs(merges.read_text(encoding="utf-8")))


def _from_merges(packed: Path) -> tokenizers.Tokenizer:
    pairs = _packed_pairs(packed)
    return _clip(_clip_numbers(pairs), pairs)


def _pairs(text: str) -> list[tuple[str, str]]:
    """Parse merges in order of rank; the first line is a heading."""
    rows = (line.split() for line in text.splitlines() if not line.startswith("#version"))
    return [(row[0], row[1]) for row in rows if len(row) == 2]


def _packed_pairs(path: Path) -> list[tuple[str, str]]:
    with gzip.open(path) as file:
        data = file.read(_MAX_BYTES)
    heading, _, rest = data.decode("utf-8").partition("\n")
    pairs = _pairs(rest if "version" in heading else f"{heading}\n{rest}")
    return pairs[:_CLIP_MERGED]


def _clip_numbers(pairs: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return CLIP's numbering: bytes, bytes that end a word, merges, the two special tokens."""
    single = _byte_letters()
    words = [*single, *(f"{one}</w>" for one in single), *(a + b for a, b in pairs), _START, _END]
    return {word: number for number, word in enumerate(words)}


def _byte_letters() -> list[str]:
    """Return a printable character for each byte, in CLIP's order."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = 256 - len(printable)
    return [chr(byte) for byte in printable] + [chr(256 + at) for at in range(others)]


def _clip(numbers: dict[str, int], pairs: Sequence[tuple[str, str]]) -> tokenizers.Tokenizer:
    """Build CLIP's tokenizer: lower case, word split, byte pairs, start and end tokens."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

    inner = Tokenizer(
        models.BPE(
            numbers, list(pairs), unk_token=_END,
            continuing_subword_prefix="", end_of_word_suffix="</w>",
        )
    )  # fmt: skip
    inner.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    inner.post_processor = processors.TemplateProcessing(
        single=f"{_START} $A {_END}",
        special_tokens=[(_START, numbers[_START]), (_END, numbers[_END])],
    )
    return inner
