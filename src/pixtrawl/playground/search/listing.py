"""The results of a query, each entry with the reason it is expected to end with.

An entry is decided by (seed, query, index) alone, so a playground started again with the same seed
and hosts lists the same. How many entries a query has may stand in its words: "nothing" has none,
"rare bird" has 6, "cat 300-results" has 300.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from pixtrawl.playground.drawing.photographs import marked, photograph
from pixtrawl.playground.drawing.pictures import Traits, generator, slug_of, traits_of
from pixtrawl.playground.store import (
    EDITS,
    SMALL_HEIGHT,
    SOUND_SIZE,
    THUMB_HEIGHT,
    PictureStore,
    PlaygroundImage,
    edited_size,
)

RARE: Final = 6  # entries of a query with the word "rare"
ROLES: Final = ("exact_duplicate", "near_duplicate", "placeholder", "thumbnail")
"""Shares that `Playground(mix=...)` accepts, beside "fault"."""
_REASONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "photo": ("saved", ()),
    "exact_duplicate": ("same_bytes", ("better_copy_kept", "saved")),
    "near_duplicate": ("same_picture", ("better_copy_kept", "saved")),
    "placeholder": ("placeholder", ("same_bytes", "flat", "same_picture")),
    "thumbnail": ("thumbnail", ("too_small", "same_picture")),
}
_ADJECTIVES: Final = ("quiet", "bright", "old", "misty", "tall", "wild", "small", "golden", "near")
_PLACES: Final = ("at dawn", "in winter", "by the lake", "from above", "on a hill", "after rain")
_SITES: Final = ("Field Notes", "Open Shelf", "The Daily Walk", "Picture Post", "Northern Light")


@dataclass(frozen=True, slots=True)
class FaultEntry:
    """A fault in a listing: its URL and its expected reason."""

    name: str
    reason: str
    also: tuple[str, ...]
    url: Callable[[str, int], str]  # slug, index


@dataclass(frozen=True, slots=True)
class Original:
    """One entry of a listing with the truth about it. Sizes in pixels."""

    rank: int  # from 1, within the listing it was taken from
    index: int
    query: str
    role: str  # photo | one of ROLES | fault:NAME
    url: str
    page_url: str
    title: str
    site: str
    width: int
    height: int
    thumb_url: str
    thumb_width: int
    thumb_height: int
    docid: str
    traits: Traits
    reason: str  # the Reason that a client should end with
    also: tuple[str, ...] = ()  # Reasons that are right too, by settings or order
    of: str | None = None  # URL of the entry that it duplicates
    path: str = ""  # of the file on its image host; empty where the URL leads to none
    store: PictureStore | None = field(default=None, compare=False, repr=False)

    @property
    def file(self) -> PlaygroundImage | None:
        """The file behind the URL, rendered when asked for; None for faults."""
        return self.store.get(self.path) if self.store and self.path else None

    @property
    def sha256(self) -> str | None:
        return self.file.sha256 if self.file else None


@dataclass(frozen=True, kw_only=True)
class Listings:
    """Lists entries per query. `supply`: entries of a query, or a table of them by query."""

    seed: int
    site_url: str
    hosts: Sequence[str]  # base URLs of the image hosts
    store: PictureStore
    supply: int | Mapping[str, int] = 120
    mix: Mapping[str, float] = field(default_factory=dict)
    faults: Sequence[FaultEntry] = ()
    photographs: bool = False  # real ones first, where there are any
    cached_copies: bool = True  # the Bing-like search has one of every picture

    def count(self, query: str) -> int:
        """Return the number of entries of the query before any filter."""
        if not isinstance(self.supply, int):
            given = self.supply.get(query)
            return given if given is not None else _by_words(query, 120)
        return _by_words(query, self.supply)

    def all(self, query: str) -> tuple[Original, ...]:
        """Return every entry in rank order. `site:` and other operators do not count as words."""
        return _entries(self, " ".join(query.split()))

    def select(self, query: str, keep: Callable[[Original], bool]) -> list[Original]:
        """Return the entries that a filter keeps, in rank order."""
        return [entry for entry in self.all(query) if keep(entry)]

    __hash__ = object.__hash__

    def entry(self, query: str, slug: str, index: int) -> Original:
        """Build entry `index`."""
        rng = generator(self.seed, slug, index, "entry")
        draw, pick, host = float(rng.random()), float(rng.random()), int(rng.integers(1 << 30))
        role, of = self._resolve(slug, index, draw, pick)
        traits = traits_of(self.seed, slug, index)
        base = self.hosts[host % len(self.hosts)]
        docid = docid_of(slug, index)
        fault = (
            self.faults[self._fault_number(index) % len(self.faults)] if role == "fault" else None
        )
        if fault is not None:
            path, size = "", SOUND_SIZE
            role, reason, also = f"fault:{fault.name}", fault.reason, fault.also
        else:
            path, size = self._place(role, slug, index, of)
            reason, also = _REASONS[role]
            if traits.kind == "animated":  # kept only where animation is asked for
                also = (*also, "animated")
        return Original(
            rank=index + 1,
            index=index,
            query=query,
            role=role,
            url=base + path if fault is None else fault.url(slug, index),
            page_url=f"{self.site_url}/page/{slug}/{index}",
            title=_title(query, slug, index, host),
            site=_SITES[host % len(_SITES)],
            width=size[0],
            height=size[1],
            thumb_url=f"{self.site_url}/images?q=tbn:{docid}&s",
            thumb_width=max(1, round(size[0] * THUMB_HEIGHT / size[1])),
            thumb_height=THUMB_HEIGHT,
            docid=docid,
            traits=traits,
            reason=reason,
            also=also,
            of=self.all_url(slug, of) if of is not None else None,
            path=path,
            store=self.store,
        )

    def all_url(self, slug: str, index: int) -> str:
        """Return the URL of the plain picture `index`, on the host that its entry would have."""
        rng = generator(self.seed, slug, index, "entry")
        rng.random(2)
        host = int(rng.integers(1 << 30))
        extension = traits_of(self.seed, slug, index).extension
        return f"{self.hosts[host % len(self.hosts)]}/photo/{slug}/{index}.{extension}"

    def _role(self, index: int, draw: float) -> str:
        if self.faults and self._fault_number(index) >= 0:
            return "fault"
        for role in ROLES:
            share = self.mix.get(role, 0.0)
            if draw < share:
                return role if index or "duplicate" not in role else "photo"
            draw -= share
        return "photo"

    def _fault_number(self, index: int) -> int:
        """Return the number of the fault at an index, -1 for none; they come at even distances."""
        share = self.mix.get("fault", 0.0)
        before, after = int(index * share), int((index + 1) * share)
        return before if after > before else -1

    def _resolve(self, slug: str, index: int, draw: float, pick: float) -> tuple[str, int | None]:
        """Return the role, and for a duplicate the index of what it duplicates."""
        role = self._role(index, draw)
        if "duplicate" not in role:
            return role, None
        of = self._plain_before(slug, index, pick)
        return ("photo", None) if of is None else (role, of)

    def _place(
        self, role: str, slug: str, index: int, of: int | None
    ) -> tuple[str, tuple[int, int]]:
        """Return the path on the image host and size in pixels."""
        if role == "placeholder":
            return f"/no-image/{slug}/{index}.png", (640, 480)
        shown = index if of is None else of
        traits = traits_of(self.seed, slug, shown)
        size = (traits.width, traits.height)
        if role == "thumbnail":
            width = max(1, round(size[0] * SMALL_HEIGHT / size[1]))
            return f"/small/{slug}/{index}.jpg", (width, SMALL_HEIGHT)
        if role == "near_duplicate":
            kind = list(EDITS)[index % len(EDITS)]
            return f"/edit/{kind}/{slug}/{shown}.{EDITS[kind][0]}", edited_size(kind, size)
        name = "mirror" if role == "exact_duplicate" else "photo"
        return f"/{name}/{slug}/{shown}.{traits.extension}", size

    def _plain_before(self, slug: str, index: int, pick: float) -> int | None:
        """Return an earlier entry that is a plain still photograph."""
        for step in range(index):
            other = (int(pick * index) + step) % index
            draw = float(generator(self.seed, slug, other, "entry").random())
            plain = self._role(other, draw) == "photo"
            if plain and traits_of(self.seed, slug, other).kind == "photo":
                return other
        return None


@lru_cache(maxsize=64)
def _entries(listings: Listings, query: str) -> tuple[Original, ...]:
    words = " ".join(word for word in query.split() if not word.startswith("site:"))
    slug = marked(slug_of(words)) if listings.photographs else slug_of(words)
    return tuple(listings.entry(words, slug, index) for index in range(listings.count(words)))


def _title(query: str, slug: str, index: int, number: int) -> str:
    photo = photograph(slug, index)
    if photo is not None:
        return photo.title
    adjective, place = _ADJECTIVES[number % 9].capitalize(), _PLACES[number // 9 % 6]
    return f"{adjective} {query} {place}, no. {index + 1}"


def _by_words(query: str, default: int) -> int:
    words = query.casefold().split()
    if "nothing" in words:
        return 0
    if "rare" in words:
        return min(RARE, default)
    number = re.search(r"\b(\d{1,6})-results\b", query)
    return int(number[1]) if number else default


def docid_of(slug: str, index: int) -> str:
    """Return the id of an entry in result pages; `slug_and_index` reads it back."""
    return "ANd9Gc" + base64.urlsafe_b64encode(f"{slug}:{index}".encode()).decode().rstrip("=")


def slug_and_index(docid: str) -> tuple[str, int] | None:
    """Return slug and index of an id from a result page; None if the id is not ours."""
    text = docid.removeprefix("ANd9Gc")
    try:
        plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        slug, _, index = plain.rpartition(":")
        return slug, int(index)
    except ValueError:
        return None
