"""Query expansion: asks a query again in slices, as long as slices bring something new.

A search source lists a few hundred results and then ends. Asked for large red images, or those of
the last month, it lists others for the same words. Slices come in a fixed order: single filters,
pairs, triples; then the user's synonyms; then related queries. Related queries may drift off the
topic, so they have to contain all words of the query, and at most as many new ones, unless drift
is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl.config.table import FILTER_WORDS
from pixtrawl.errors import UsageError
from pixtrawl.model import Filters, Query

# Filters whose values overlap least come first: a picture has one date and one size, but may be
# found under two colours.
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "date": ("day", "week", "month", "year"),
    "size": ("large", "medium", "small"),
    "aspect": FILTER_WORDS["aspect"],
    "color": FILTER_WORDS["color"],
    "type": ("photo", "clipart", "lineart", "face"),
    "lang": ("en", "de", "fr", "es", "it", "pt", "ja", "zh", "ru", "ar"),
}
# Pairs of filters that are independent of each other.
_PAIRS: Final = (("color", "aspect"), ("color", "size"), ("size", "aspect"), ("date", "color"))
_WORD: Final = re.compile(r"\w+")

# A slice is barren if a smaller share of its candidates is new; so many in a row end the expansion.
NEW_SHARE: Final = 0.05
BARREN_IN_A_ROW: Final = 6


class Slice(Struct, frozen=True):
    """A variation of a query that is asked of one source."""

    name: str  # "color=red aspect=tall", "related: tabby kitten"
    query: Query


class SliceYield:
    """Tracks the share of new candidates, to end an expansion that no longer brings any."""

    def __init__(self) -> None:
        self._barren = 0

    def note(self, found: int, new: int) -> None:
        """Note a slice with `found` candidates, `new` of them unknown before."""
        if found and new >= max(1, found * NEW_SHARE):
            self._barren = 0
        else:
            self._barren += 1

    @property
    def over(self) -> bool:
        return self._barren >= BARREN_IN_A_ROW


def by_filters(query: Query, supported: Collection[str]) -> Iterator[Slice]:
    """Yield slices by the filters that the source supports and the user did not set."""
    free = [name for name in _VALUES if name in supported and name not in query.filters.given()]
    for name in free:
        for value in _VALUES[name]:
            yield _slice(query, {name: value})
    for first, second in _PAIRS:
        if first in free and second in free:
            for value in _VALUES[first]:
                for other in _VALUES[second]:
                    yield _slice(query, {first: value, second: other})
    if len(free) > 2:
        for names in combinations(("color", "aspect", "size"), 3):
            if set(names) <= set(free):
                yield from _triples(query, names)


def _triples(query: Query, names: Sequence[str]) -> Iterator[Slice]:
    for first in _VALUES[names[0]]:
        for second in _VALUES[names[1]]:
            for third in _VALUES[names[2]]:
                yield _slice(query, dict(zip(names, (first, second, third), strict=True)))


def _slice(query: Query, values: Mapping[str, str]) -> Slice:
    name = " ".join(f"{key}={value}" for key, value in values.items())
    filters: Filters = replace(query.filters, **values)
    return Slice(name, replace(query, filters=filters))


def by_related(query: Query, related: Collection[str], *, drift: bool = False) -> Iterator[Slice]:
    """Yield related queries of the source that keep to the topic; with `drift`, then the others."""
    asked = _words(query.text)
    near = [text for text in sorted(related) if keeps_to_topic(query.text, text)]
    far = sorted(set(related) - set(near), key=lambda text: (len(_words(text) - asked), text))
    for text in [*near, *far] if drift else near:
        if _words(text) != asked:
            yield Slice(f"related: {text}", replace(query, text=text))


def keeps_to_topic(text: str, other: str) -> bool:
    """Whether `other` has all words of `text` and at most as many new ones."""
    words, others = _words(text), _words(other)
    return words < others and len(others - words) <= len(words)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def by_synonyms(query: Query, synonyms: Mapping[str, Sequence[str]]) -> Iterator[Slice]:
    """Yield the queries that the user's file lists as synonyms."""
    for text in synonyms.get(query.text.casefold(), ()):
        yield Slice(f"synonym: {text}", replace(query, text=text))


def read_synonyms(lines: Sequence[str], name: str) -> dict[str, list[str]]:
    """Parse lines like `tabby cat = mackerel cat, tiger cat`; skip blank lines and `# ` comments.

    Raise UsageError with file and line.
    """
    found: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("# "):
            continue
        text, separator, rest = line.partition("=")
        others = [part.strip() for part in rest.split(",") if part.strip()]
        if not separator or not text.strip() or not others:
            raise UsageError(f"{name}:{number}: must read QUERY = SYNONYM, SYNONYM")
        found.setdefault(text.strip().casefold(), []).extend(others)
    return found


# Yields the ways of slicing in order, given a query, a source's filters and related queries.
SlicePlan = Callable[[Query, Collection[str], Collection[str]], Iterator[Iterator[Slice]]]


def plan(modes: Collection[str], synonyms: Mapping[str, Sequence[str]]) -> SlicePlan | None:
    """Return the plan of `--expand MODE...`, or None where it is off."""
    if not set(modes) - {"off"}:
        return None

    def slices(
        query: Query, supported: Collection[str], related: Collection[str]
    ) -> Iterator[Iterator[Slice]]:
        if "filters" in modes:
            yield by_filters(query, supported)
        if "synonyms" in modes:
            yield by_synonyms(query, synonyms)
        if "related" in modes or "drift" in modes:
            yield by_related(query, related, drift="drift" in modes)

    return slices
