"""A query's label: one path component that is safe on Linux, macOS and Windows; pure.

`label_for` makes text portable, `Labels` hands labels out so that no two queries share one, not
even on a file system that takes `Cat` and `cat`, or `é` in its two spellings, for the same name.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from pixtrawl.secrets import masked_text

# 255 bytes is the limit of ext4 and APFS; less leaves room for the data set's own path below
# Windows' 260 characters, and for HFS+, which stores names decomposed (up to three times as long).
MAX_LABEL_BYTES: Final = 120

_FORBIDDEN: Final = frozenset('<>:"/\\|?*')  # Windows; a colon is also HFS+'s separator
_DEVICES: Final = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$", "clock$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)  # https://learn.microsoft.com/windows/win32/fileio/naming-a-file
_OURS: Final = frozenset(
    (
        "metadata.jsonl",
        "metadata.csv",
        "metadata.parquet",
        "keyword_urls.txt",
        "readme.md",
        "attribution.md",
        ".pixtrawl",
    )
)
# Kept although invisible: Persian and emoji are misspelled without the joiners.
_JOINERS: Final = "\u200c\u200d"
_SHORT_NAME: Final = re.compile(r"~(?=\d)")  # TABBYC~1 is Windows' other name for "tabby cat"


def label_for(text: str) -> str:
    """Return a portable, readable path component for any text: `AC/DC` becomes `AC_DC`.

    The same text always gives the same label; different texts may give equal labels, which is
    what `Labels` is for. Text over 120 bytes of UTF-8 is cut and ends in a hash of the whole.
    """
    label = unicodedata.normalize("NFC", "".join(map(_safe, text)))
    label = _trim(_SHORT_NAME.sub("_", label))
    if label.split(".")[0].rstrip(" ").casefold() in _DEVICES:
        label = f"_{label}"
    if len(label.encode()) > MAX_LABEL_BYTES:
        label = _cut(label, _hash(text))
    if label.casefold() in _OURS:
        label = f"{label}_"
    return label or "_"


def same_name(label: str) -> str:
    """Return a key that is equal for labels that may be one folder (case, Unicode form)."""
    folded = unicodedata.normalize("NFKC", label).casefold()
    folded = unicodedata.normalize("NFKC", folded).casefold()
    return "".join(char for char in folded if unicodedata.category(char) != "Cf")  # HFS+ skips it


class Labels:
    """Assigns each query a label, unique among queries.

    Args:
        taken: (label, query text) pairs of an existing data set: they stay as they are, and a
            query that is asked again gets the label that it has.

    Where texts compete for one label, the text that spells it exactly wins, else the first in code
    point order; the others get a suffix made of their own text only. So within one `assign` the
    order of the queries does not matter.
    """

    def __init__(self, taken: Iterable[tuple[str, str]] = ()) -> None:
        self._owner: dict[str, str] = {}  # same_name(label) -> label
        self._pairs: set[tuple[str, str]] = set()
        self._given: dict[str, str] = {}
        self._shared: dict[str, str] = {}
        for label, text in taken:
            self._owner.setdefault(same_name(label), label)
            self._pairs.add((label, text))

    def assign(self, texts: Sequence[str]) -> list[str]:
        """Return a label for each text, the same for the same text."""
        new = {text for text in texts if text not in self._given}
        for text in sorted(new, key=lambda text: (text != label_for(text), text)):
            self._given[text] = self._take(text)
        return [self._given[text] for text in texts]

    def share(self, word: str) -> str:
        """Return the label that the user gave; queries with the same label share it."""
        if word not in self._shared:
            self._shared[word] = self._share(word)
        return self._shared[word]

    def _share(self, word: str) -> str:
        base = label_for(word)
        # Not the suffix of a query of the same text: the two would change places on resume.
        suffixed = _with_suffix(base, f"label\0{word}")
        if self._owner.get(same_name(suffixed)) == suffixed:
            return suffixed
        if self._owner.setdefault(same_name(base), base) == base:
            return base
        self._owner[same_name(suffixed)] = suffixed
        return suffixed

    def _take(self, text: str) -> str:
        base = label_for(masked_text(text))
        suffixed = _with_suffix(base, text)
        # The suffixed one first: a query has it only where a label that the user wrote took the
        # plain one, and that label may be of a query with the same text.
        for label in (suffixed, base):
            if (label, text) in self._pairs:
                return label
        label = suffixed if same_name(base) in self._owner else base
        attempt = 0
        while same_name(label) in self._owner:  # someone's text is our text plus our hash
            attempt += 1
            label = _with_suffix(base, f"{text}\0{attempt}")
        self._owner[same_name(label)] = label
        return label


def _safe(char: str) -> str:
    if char.isspace():
        return " "
    if char in _FORBIDDEN:
        return "_"
    # Cc control; Cf invisible or reversing; Cs lone surrogate, no UTF-8; Cn unassigned: APFS
    # refuses it ("Illegal byte sequence").
    if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn"} and char not in _JOINERS:
        return "_"
    return char


def _trim(label: str) -> str:
    """Strip edges that Windows drops, shells read as options, or loaders as hidden folders.

    Hugging Face's loaders skip folders that begin with a dot or with two underscores.
    """
    label = " ".join(label.split()).rstrip(". ")
    if label[:1] in {".", "-"}:
        label = "_" + label[1:]
    if label.startswith("__"):
        label = "_" + label.lstrip("_")
    return label.rstrip(". ")


def _cut(label: str, ending: str) -> str:
    room = MAX_LABEL_BYTES - len(ending) - 1
    start = _trim(label.encode()[:room].decode(errors="ignore")).rstrip("_")
    return f"{start}_{ending}"


def _with_suffix(base: str, text: str) -> str:
    label = f"{base.rstrip('_')}_{_hash(text)}"
    return label if len(label.encode()) <= MAX_LABEL_BYTES else _cut(base, _hash(text))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
