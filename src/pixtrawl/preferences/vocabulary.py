"""The words in which owners state preferences, and what each says of training and of search. Pure.

- `Content-Signal`: Cloudflare's Content Signals Policy (contentsignals.org, September 2025).
- `Content-Usage`: IETF AI Preferences, draft-ietf-aipref-vocab-08 (14 September 2026) and
  draft-ietf-aipref-attach-05 (August 2026). Labels that earlier revisions (01 to 04) had are still
  on servers and still heard.
- `tdm-reservation`: TDM Reservation Protocol, W3C Community Group Final Report of 2 February 2024.
- `plus:DataMining`: PLUS vocabulary, in the IPTC Photo Metadata Standard since 2023.1.
- training-mining assertions: C2PA 1.4 (`c2pa.`) and CAWG 1.1 (`cawg.`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from pixtrawl.preferences import Says, Statement, cut
from pixtrawl.preferences.structured import parse_dictionary

__all__ = [
    "HEADERS", "ROBOTS_KEYS", "content_signal", "content_usage", "in_file", "in_headers", "of_line",
    "tdm_reservation",
]  # fmt: skip

Meaning = tuple[Says, Says]  # of training, of search
_NOTHING: Final[Meaning] = (Says.UNSET, Says.UNSET)

SIGNAL: Final = "Content-Signal"
USAGE: Final = "Content-Usage"
TDM: Final = "tdm-reservation"
ROBOTS_KEYS: Final[Mapping[str, str]] = {"content-signal": SIGNAL, "content-usage": USAGE}
HEADERS: Final = (*ROBOTS_KEYS, TDM)

# Labels of Content-Usage, the most specific first: a statement is that of its first label present.
_TRAIN_LABELS: Final = ("train-ai", "ai", "tdm", "bots", "all")
_GENERATIVE_LABELS: Final = ("train-genai", "genai")
_SEARCH_LABELS: Final = ("search", "tdm", "bots", "all")
_YES_NO: Final = {"y": Says.YES, "n": Says.NO}
_SIGNAL_WORDS: Final = {"yes": Says.YES, "no": Says.NO}


@lru_cache(maxsize=4096)
def content_signal(text: str) -> Meaning:
    """Read `search=yes, ai-train=no`; `ai-input` concerns neither purpose.

    No grammar was published beyond examples: case and spaces do not matter, and of a signal that
    is given twice the "no" holds.
    """
    found: dict[str, Says] = {}
    for part in re.split("[,;]", text):
        name, _, word = (one.strip().lower() for one in part.partition("="))
        says = _SIGNAL_WORDS.get(word)
        if says is not None and found.get(name) is not Says.NO:
            found[name] = says
    return found.get("ai-train", Says.UNSET), found.get("search", Says.UNSET)


@lru_cache(maxsize=4096)
def content_usage(text: str) -> Meaning:
    """Read a structured-field dictionary; one that does not parse says nothing, by the draft.

    Training in general and generative training are one purpose here: a no to either is a no.
    """
    members = parse_dictionary(text) or {}
    said = {label: _YES_NO.get(token or "", Says.UNSET) for label, token in members.items()}
    train, generative = _first(said, _TRAIN_LABELS), _first(said, _GENERATIVE_LABELS)
    if generative is not Says.UNSET and train is not Says.NO:
        train = generative if generative is Says.NO else train
    return train, _first(said, _SEARCH_LABELS)


def _first(said: Mapping[str, Says], labels: Iterable[str]) -> Says:
    return next((said[one] for one in labels if said.get(one, Says.UNSET) is not Says.UNSET),
                Says.UNSET)  # fmt: skip


def tdm_reservation(value: object) -> Meaning:
    """Read 1 (reserved) or 0; anything else is as if unset, by the specification.

    It concerns data mining and therefore training; the specification leaves search engines alone.
    """
    words = {word.strip(" \"'") for word in str(value).split(",")}
    if value is True or "1" in words:
        return Says.NO, Says.UNSET
    return (Says.YES, Says.UNSET) if words == {"0"} else _NOTHING


def of_line(source: str, name: str, text: str, at: str) -> Statement:
    """Return the statement of one header, meta element or line of robots.txt."""
    read = {SIGNAL: content_signal, USAGE: content_usage}.get(name, tdm_reservation)
    train, search = read(text)
    return Statement(source=source, name=name, text=cut(text), train=train, search=search, at=at)


def in_headers(headers: Mapping[str, str], at: str) -> list[Statement]:
    """Return the statements of a response's headers (names in lower case)."""
    found = []
    for key in HEADERS:
        text = headers.get(key)
        if text is not None:
            found.append(of_line("header", ROBOTS_KEYS.get(key, TDM), text, at))
    return found


# -- in the file: fields as `images.record.RIGHTS_FIELDS` has them

_PROHIBITED: Final[Mapping[str, Meaning]] = {
    "DMI-PROHIBITED-AIMLTRAINING": (Says.NO, Says.UNSET),
    "DMI-PROHIBITED-GENAIMLTRAINING": (Says.NO, Says.UNSET),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": (Says.NO, Says.YES),
    "DMI-ALLOWED": (Says.YES, Says.YES),
    "DMI-UNSPECIFIED": _NOTHING,
}
_CODE: Final = re.compile(r"DMI-[A-Z-]+")
# Entries of a training-mining assertion that concern a purpose; `ai_inference` concerns neither.
_TRAINING: Final = frozenset({"ai_training", "ai_generative_training", "data_mining"})
_MINING: Final = frozenset({"data_mining"})
_USES: Final = {"allowed": Says.YES, "notallowed": Says.NO, "constrained": Says.NO}


def in_file(rights: Mapping[str, object], at: str) -> list[Statement]:
    """Return the statements inside a picture's file."""
    found = []
    mining = str(rights.get("data_mining") or "")
    constraints = str(rights.get("other_constraints") or "")
    if mining or constraints:
        train, search = _data_mining(mining)
        text = "; ".join(part for part in (mining, constraints) if part)
        name = "plus:DataMining" if mining else "plus:OtherConstraints"
        found.append(
            Statement(source="xmp", name=name, text=cut(text), train=train, search=search, at=at)
        )
    if reserved := rights.get("tdm_reservation"):
        found.append(of_line("xmp", "tdm:reservation", str(reserved), at))
    if training := str(rights.get("training_mining") or ""):
        train, search = _training_mining(training)
        found.append(
            Statement(source="c2pa", name="training-mining", text=cut(training), train=train,
                      search=search, at=at)
        )  # fmt: skip
    return found


def _data_mining(text: str) -> Meaning:
    """Read one or several values; a prohibition of another kind is one of everything."""
    upper = text.upper()
    codes = _CODE.findall(upper) or (["DMI-PROHIBITED"] if "PROHIBITED" in upper else [])
    found = [_PROHIBITED.get(code.rstrip("-"), _other_code(code)) for code in codes]
    return _together(one for one, _ in found), _together(one for _, one in found)


def _other_code(code: str) -> Meaning:
    return (Says.NO, Says.NO) if code.startswith("DMI-PROHIBITED") else _NOTHING


def _training_mining(text: str) -> Meaning:
    """Read `c2pa.ai_training=notAllowed; ...`; "constrained" is a no, by the specification."""
    said: list[tuple[str, Says]] = []
    for part in text.split(";"):
        name, _, use = (one.strip() for one in part.partition("="))
        said.append((name.rpartition(".")[2], _USES.get(use.lower(), Says.UNSET)))
    train = _together(use for name, use in said if name in _TRAINING)
    return train, _together(use for name, use in said if name in _MINING)


def _together(found: Iterable[Says]) -> Says:
    words = set(found)
    return next((word for word in (Says.NO, Says.YES) if word in words), Says.UNSET)
