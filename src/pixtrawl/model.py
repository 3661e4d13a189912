"""The words of pixtrawl as values: query, candidate, image info, outcome, sample.

Everything here is frozen, picklable and free of I/O, so that it can cross a process or a cluster
without surprises. Ordinary failures of the web are values too: a `Status` and a `Reason` from
closed lists, which can be counted, filtered, documented and tested for completeness.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field, json

from pixtrawl.brief import brief_repr, cut
from pixtrawl.reasons import REASONS, Reason, ReasonInfo, Status

__all__ = [
    "REASONS",
    "Alternate",
    "Candidate",
    "Filters",
    "ImageInfo",
    "Kind",
    "Outcome",
    "Query",
    "Reason",
    "ReasonInfo",
    "Sample",
    "SourceOutcome",
    "Status",
    "Task",
]


class Kind(StrEnum):
    """The kind of file behind a candidate's URL; a text, so that `kind == "original"` holds.

    Originals are preferred, thumbnails count only with `allow_thumbnails`.
    """

    ORIGINAL = "original"
    CACHED = "cached"  # a search engine's own full-size copy
    THUMBNAIL = "thumbnail"
    DATA = "data"  # a data: URI that stands for a whole picture

    @property
    def preference(self) -> int:
        """Lower is better when two copies of one picture are compared."""
        return _KIND_ORDER.index(self)


_KIND_ORDER: Final = (Kind.ORIGINAL, Kind.CACHED, Kind.DATA, Kind.THUMBNAIL)


class SourceOutcome(StrEnum):
    """How a source answered for one query; a text. `OK` and short means exhausted.

    Example:
        >>> ds.report.queries[0].sources["bing"].outcome == "blocked"
    """

    OK = "ok"
    NO_RESULTS = "no_results"
    BLOCKED = "blocked"
    CONSENT = "consent"
    CHANGED = "changed"
    QUOTA = "quota"
    BROWSER_MISSING = "browser_missing"
    NETWORK_ERROR = "network_error"
    UNSUPPORTED = "unsupported"


class Filters(Struct, frozen=True, kw_only=True):
    """Search filters in our own words; each source maps them to its own. None: not asked for.

    A source that cannot do one says so in the report.

    Example:
        >>> pixtrawl.Query("cat", "cat", 50, pixtrawl.Filters(license="open", size="large"))
    """

    size: str | None = None  # small | medium | large | WxH (at least)
    color: str | None = None  # color | gray | transparent | red | orange | ... | black | brown
    type: str | None = None  # photo | clipart | lineart | animated | face
    aspect: str | None = None  # square | wide | tall
    date: str | None = None  # day | week | month | year | YYYY-MM-DD..YYYY-MM-DD
    license: str | None = None  # any | open | public | commercial | modify | an id such as cc-by
    site: str | None = None  # example.org
    lang: str | None = None  # en, de, pt-BR
    region: str | None = None  # us, de
    safe: str | None = None  # off | moderate | strict

    def given(self) -> dict[str, str]:
        """Return the filters that are set, by name."""
        pairs = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return {name: value for name, value in pairs if value is not None}


class Query(Struct, frozen=True):
    """One query: words, the label of their images, how many, and filters.

    Lists of words are enough for most; with this each query has its own. `limit` counts valid,
    distinct images.

    Example:
        >>> pixtrawl.run([pixtrawl.Query("tabby cat", "cat", limit=50)], output="images")
    """

    text: str
    label: str  # one portable path component
    limit: int | None = None  # valid distinct images wanted; None: all there are
    filters: Filters = Filters()
    extra: str = ""  # JSON object: columns of a list of queries that have no name here


class Alternate(Struct, frozen=True):
    """Another URL of the same picture, tried when the candidate's own fails."""

    url: str
    kind: Kind

    __repr__ = brief_repr


class Candidate(Struct, frozen=True, kw_only=True):
    """A found, not yet fetched image URL with where it came from; widths and heights in pixels.

    What `pixtrawl.discover` gives and `pixtrawl.download` takes. None is what a source does not
    say.

    Example:
        >>> found = pixtrawl.discover("tabby cat", limit=50)
        >>> pixtrawl.download([one for one in found if (one.width or 0) >= 640])
    """

    url: str  # byte for byte as found
    query: str
    label: str
    source: str
    rank: int = 0  # from 1; 0 where the source has no order
    kind: Kind = Kind.ORIGINAL
    page_url: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    thumb_url: str | None = None
    license: str | None = None  # the raw claim of the source
    license_url: str | None = None
    creator: str | None = None
    alternates: tuple[Alternate, ...] = ()
    alt: str | None = None  # the alt text of its img
    page_text: str | None = None  # what the page says beside it: figcaption, nearest sentence
    extra: str = ""  # JSON object: columns of a list that have no name here
    file_stem: str | None = None  # file name without its extension, where a list gives it
    page_said: str | None = None  # JSON: the owner's statements on its page (`preferences`)

    @property
    def own(self) -> dict[str, Any]:
        """The list's own columns, by their names there."""
        found: dict[str, Any] = json.decode(self.extra) if self.extra else {}
        return found

    __repr__ = brief_repr


class Task(Struct, frozen=True):
    """A candidate claimed from the frontier: what an engine carries out."""

    id: int  # of the candidate's row
    query_id: int
    host: str  # host[:port] of its URL; "" for a data: URI
    candidate: Candidate


FINE_BYTES: Final = 16_384  # of `ImageInfo.fine` at most


class ImageInfo(Struct, frozen=True, kw_only=True):
    """The result of inspection of one image file.

    `phash` and `phash_trim` are 32 bytes each (256 bits; the latter of the border-trimmed picture),
    `thumb` is the 64x64 grey thumbnail (4,096 bytes), `chroma` the colours of 16x16 cells (512
    bytes, see `images.appearance.chroma`); all four are empty with `--check none`, `chroma` also
    where an older version looked at the file. `fine` are the greys of a drawn picture
    (`fine_greys`).
    """

    format: str  # jpeg | png | webp | gif | avif | bmp | tiff | ...
    width: int = 0  # pixels as stored, before EXIF orientation
    height: int = 0
    frames: int = 1
    size_bytes: int = 0
    sha256: str = ""  # hex
    phash: bytes = b""
    phash_trim: bytes = b""
    thumb: bytes = b""
    chroma: bytes = b""
    fine: bytes = b""
    flat: bool = False  # too little structure for a hash decision
    orientation: int = 1  # EXIF, 1..8
    measures: Mapping[str, float] = field(default_factory=dict)  # sharpness, brightness, ...

    __repr__ = brief_repr


class ContentHashes(Struct):
    """Further hashes of a file, for block lists; None where no list asked for them."""

    md5: bytes | None = None
    pdq: bytes | None = None  # as `block_lists.lists.pack_looks`


class Outcome(Struct, frozen=True, kw_only=True):
    """The outcome of one candidate: its `reason`, and the `status` that belongs to it.

    Sizes are bytes, `elapsed_s` seconds over all `attempts`. Listeners get it in
    `events.CandidateSettled`; `ds.outcomes()` has rows of the same later.
    """

    reason: Reason
    detail: str = ""
    info: ImageInfo | None = None
    staged_name: str | None = None  # file inside the staging folder, when there is an image
    rendition_name: str | None = None  # beside it, where the worker cannot reach the data set
    url: str = ""  # the URL that was fetched (an alternate's, perhaps)
    kind: Kind = Kind.ORIGINAL
    final_url: str = ""
    http_status: int = 0
    attempts: int = 0
    size_bytes: int = 0
    elapsed_s: float = 0.0
    # What the file itself states, and under `ai_preferences` what its owner says of its use.
    rights: Mapping[str, Any] = field(default_factory=dict)

    __repr__ = brief_repr
    content: ContentHashes | None = None  # for block lists
    fetched_at: str = ""  # ISO 8601, UTC, where it was another time than that of the decision

    @property
    def status(self) -> Status:
        return REASONS[self.reason].status


class Relevance(Struct, frozen=True):
    """How well an image fits its query, by a model of the user's."""

    score: float | None = None  # cosine, -1..1; None: not scored
    outlier: bool = False  # stands apart from the others of its query


class Caption(Struct, frozen=True):
    """A caption with its origin: title, alt, file, page, query, template, model, hand or none."""

    text: str = ""
    origin: str = "none"


class Sample(Struct, frozen=True, kw_only=True):
    """An accepted image: what `ds[0]`, iteration, exporters and reports give.

    `path` is its file, `info` what was measured (pixels, bytes, hashes), `candidate` where it was
    found first; `provenance` has every way, read from the catalog when it is looked at.

    Example:
        >>> sample = pixtrawl.open("images")[0]
        >>> sample.path, sample.info.width, sample.candidate.license, sample.provenance
    """

    id: int
    label: str
    number: int
    file_name: str  # relative to the data set folder, with forward slashes
    info: ImageInfo
    candidate: Candidate
    url: str
    final_url: str
    fetched_at: str  # ISO 8601, UTC
    kind: Kind = Kind.ORIGINAL  # of the URL that was fetched
    provenance: Sequence[Mapping[str, object]] = ()  # every way by which it was found
    rights: Mapping[str, object] = field(default_factory=dict)
    own: Mapping[str, Any] = field(default_factory=dict)  # columns of the user's lists
    root: str = ""  # the data set folder
    scores: Mapping[str, Any] = field(default_factory=dict)  # by models, None: this one has none
    caption: Caption | None = None  # there once captions were chosen or written for the data set
    written: Caption | None = None  # by a person (`hand`) or a model

    @property
    def ai_preferences(self) -> Sequence[Mapping[str, str]]:
        """Statements of its owner on its use: `source`, `name`, `text`, `train`, `search`, `at`."""
        found = self.rights.get("ai_preferences")
        return found if isinstance(found, list) else ()

    @property
    def relevance(self) -> Relevance | None:
        """Its score by `pixtrawl relevance`; None as long as no image of the data set has one."""
        if "relevance" not in self.scores:
            return None
        outlier = bool(self.scores.get("relevance_outlier"))
        return Relevance(self.scores["relevance"], outlier)

    @property
    def path(self) -> Path:
        """Where the image file is."""
        return Path(self.root, self.file_name)

    def read(self) -> bytes:
        """Return the bytes of the image file. Raise OSError."""
        return self.path.read_bytes()

    def __repr__(self) -> str:
        info = self.info
        return f"<Sample {cut(self.file_name, 200)} {info.width}x{info.height} {info.format}>"

    # The next two are asked by notebooks. They need a decoder for pictures, which this module does
    # not know of: hence an import by name, of the package that does.

    def _repr_png_(self) -> bytes | None:
        """Return a small PNG of the picture; None if it cannot be read."""
        shown: bytes | None = import_module("pixtrawl.dataset.preview").png(self)
        return shown

    def _repr_html_(self) -> str:
        """Return HTML of the picture with its name, size and licence."""
        return str(import_module("pixtrawl.dataset.preview").card(self))
