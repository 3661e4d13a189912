"""Translate a query's filters into a source's own words; report the others once a query."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from pixtrawl.events import Notice
from pixtrawl.model import Query
from pixtrawl.sources.base import SourceContext

_SIZE: Final = re.compile(r"small|medium|large|\d+x\d+")
# Filters that are checked after the download, each with the values for which this is done.
CHECKED_LATER: Final[Mapping[str, Callable[[str], bool]]] = {
    "license": lambda value: True,
    "aspect": lambda value: value in {"square", "wide", "tall"},
    "size": lambda value: _SIZE.fullmatch(value) is not None,
}

# By filter: a table of words, or a function that gives None (or raises ValueError) for a value
# that the source does not know.
Words = Mapping[str, Mapping[str, str] | Callable[[str], str | None]]


def cc0_words(word: str) -> Words:
    """Return the licence filter of a source that filters by CC0 only, with the word `word`."""
    return {
        "license": {
            "any": "",
            **dict.fromkeys(("open", "public", "commercial", "modify", "cc0"), word),
        }
    }


def in_words_of(
    source: str, query: Query, context: SourceContext, words: Words, *, also: frozenset[str]
) -> dict[str, str]:
    """Return the filters that `words` covers, by name.

    `also` are filters that the source applies by other means. For every other filter of the query
    a notice is emitted: results are not filtered by it.
    """
    found: dict[str, str] = {}
    for name, value in query.filters.given().items():
        if name in also:
            continue
        word = word_of(words.get(name), value)
        if word is not None:
            found[name] = word
        else:
            context.emit(unfiltered(source, name, value))
    return found


def unfiltered(source: str, name: str, value: str) -> Notice:
    """Return the notice for a filter that a source cannot apply."""
    if name in CHECKED_LATER and CHECKED_LATER[name](value):
        message = f"{source} cannot be asked for {name} {value!r}: its images are checked for it"
        return Notice(message)
    message = f"{source} cannot filter by {name} {value!r}: its results come without it"
    return Notice(message, "warning")


def word_of(
    known: Mapping[str, str] | Callable[[str], str | None] | None, value: str
) -> str | None:
    """Return a filter's value in a source's own word; None where it has none."""
    if known is None:
        return None
    if isinstance(known, Mapping):
        return known.get(value.strip().lower())
    try:
        return known(value)
    except ValueError:
        return None
