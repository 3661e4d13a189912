"""Decide which whole images are kept: the user's filters, and junk by its measures. Pure.

Thresholds were measured on 4,670 natural pictures, 180 valid files of decoder test suites and the
pairs of the near-duplicate suites. A picture counts as empty only where the perceptual hash is
meaningless *and* its grey histogram has less than 3 bits of entropy: cards, blanks and gradients of
few steps have 0 to 2.5, the flattest real photographs (fog, a table top) 3.6 and more.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from msgspec import Struct

from pixtrawl.claims import claim_of, is_licensed
from pixtrawl.config.groups import Images
from pixtrawl.images.junk.names import is_stock_preview, named_as
from pixtrawl.model import Candidate, Filters, ImageInfo, Kind, Reason
from pixtrawl.numeric import load_numpy
from pixtrawl.preferences import PreferencePolicy
from pixtrawl.preferences.marks import has_mark
from pixtrawl.reasons import LOOKS_LIKE

__all__ = ["JUNK", "Rules", "is_card", "upright"]

LISTED: Final = "urls"  # source of candidates that the user listed

JUNK: Final = frozenset(
    {
        Reason.TRACKING_PIXEL,
        Reason.ICON,
        Reason.HUMAN_CHECK,
        Reason.WATERMARKED,
        Reason.FLAT,
        Reason.EXTREME_ASPECT,
        Reason.ANIMATED,
        Reason.PLACEHOLDER,
        Reason.THUMBNAIL,
    }
)
"""Reasons about the picture itself: a search engine's copy of it would be refused as well."""

_PIXEL: Final = 3  # px
_ICON: Final = 48  # px: the largest icon size of Windows and favicon.ico
_EMPTY_BITS: Final = 3.0
_SHADED_BITS: Final = 2.5  # the same where the tones lie apart: a thing without edges
_SHADED: Final = 16.0 / 255  # contrast
_FULL: Final = 0.45  # share of blocks without ink: thin lines all over are a chart or a drawing
_CARD_BITS: Final = 4.5  # logos and notices are below, photographs above (except 0.1 % of 4,670)
_PIE_GROUND: Final = 0.9
_MANY_INKS: Final = 0.5
_THING_GROUND: Final = 0.96
_THING_SHADING: Final = 0.5  # a pale thing; logos have less than 0.46
_UNSEEN: Final = 0.01  # mean opacity
_THUMBNAIL: Final = 256  # px of the shorter side: usual limit of previews
_SAME_SHAPE: Final = 0.02
# Of `--size`, in pixels from and below: small is less than VGA, large 1024x768 and more.
_DRAWN: Final = frozenset({"clipart", "lineart", "animated"})
_SIZES: Final[Mapping[str, tuple[int, int | None]]] = {
    "small": (0, 640 * 480), "medium": (640 * 480, 1024 * 768), "large": (1024 * 768, None),
}  # fmt: skip
_SQUARE: Final = 1.25  # aspect ratio: 5:4 still counts as square, 4:3 does not

# Parts of paths and file names by which sites mark previews: /thumbs/, -150x150.jpg
# (WordPress), _t.jpg (Flickr), /200px-Name.jpg (MediaWiki).
_PREVIEW: Final = re.compile(
    r"/(?:thumb(?:nail)?s?|small|mini|previews?|tn)/"
    r"|[-_.](?:thumb(?:nail)?|small|tn|t|s|q)\.[a-z]{3,4}$"
    r"|-\d{2,3}x\d{2,3}\.[a-z]{3,4}$|/\d{2,3}px-[^/]+$|/tn_[^/]+$",
    re.IGNORECASE,
)

Ruling = tuple[Reason, str]
_KEPT: Final[Ruling] = (Reason.SAVED, "")


def upright(info: ImageInfo) -> tuple[int, int]:
    """Return width and height as shown: EXIF orientations 5 to 8 swap them."""
    if info.orientation >= 5:
        return info.height, info.width
    return info.width, info.height


def is_card(info: ImageInfo) -> bool:
    """Return whether the picture has so few tones that it is rather a notice or logo."""
    return bool(info.measures) and info.measures.get("entropy", 8.0) < _CARD_BITS


class Rules(Struct, frozen=True):
    """The user's settings for single images."""

    images: Images
    filters: Filters = Filters()
    size_sources: frozenset[str] = frozenset()  # sources that filter by their own size classes
    preferences: PreferencePolicy = PreferencePolicy()

    def judge(self, candidate: Candidate, url: str, kind: Kind, info: ImageInfo) -> Ruling:
        """Decide on a whole image: SAVED, as far as no other image matters, or the reason.

        Args:
            candidate: the candidate it was fetched for.
            url: the URL that was fetched.
            kind: the kind of that URL.
            info: the result of inspection; unmeasured (`--check none`) images pass.
        """
        if not info.width:
            return _KEPT
        junk = _KEPT
        if self.images.junk != "keep":
            junk = self._junk(candidate, url, kind, info)
            if junk is not _KEPT and self.drops_junk(candidate):
                return junk
        ruling = self._wishes(candidate, info)
        if ruling is _KEPT and junk is not _KEPT:  # listed by the user: kept, and reported
            return Reason.SAVED, f"{LOOKS_LIKE}{junk[0]}: {junk[1]}"
        return ruling

    def judge_license(self, candidate: Candidate, rights: Mapping[str, str | bool]) -> Ruling:
        """Decide whether the licence is one of the requested ones; an unknown one is not."""
        wish = self.filters.license
        if wish is None:
            return _KEPT
        claim = claim_of(candidate, rights)
        if is_licensed(claim.id, candidate.license or "", wish):
            return _KEPT
        return Reason.UNWANTED_LICENSE, (candidate.license or "no claim")[:100]

    def judge_marks(self, rights: Mapping[str, Any]) -> Ruling:
        """Decide whether an image has a mark that the user leaves out."""
        mark = has_mark(rights, self.images.exclude)
        return _KEPT if mark is None else (Reason.UNWANTED_MARK, mark)

    def drops_junk(self, candidate: Candidate) -> bool:
        """Return whether junk of this candidate is dropped."""
        if self.images.junk == "auto":
            return candidate.source != LISTED
        return self.images.junk == "drop"

    def _wishes(self, candidate: Candidate, info: ImageInfo) -> Ruling:
        width, height = upright(info)
        least = self.images.min_size
        if least is not None and (width < least[0] or height < least[1]):
            return Reason.TOO_SMALL, f"{width}x{height}"
        if self.filters.aspect and not _has_shape(self.filters.aspect, width / height):
            return Reason.UNWANTED_ASPECT, f"{width}x{height}"
        trusted = candidate.source in self.size_sources
        if self.filters.size and not _has_size(self.filters.size, width, height, trusted=trusted):
            return Reason.UNWANTED_SIZE, f"{width}x{height}"
        return _KEPT

    def _junk(self, candidate: Candidate, url: str, kind: Kind, info: ImageInfo) -> Ruling:
        width, height = upright(info)
        size = f"{width}x{height}"
        long, short = max(width, height), min(width, height)
        if long <= _PIXEL:
            return Reason.TRACKING_PIXEL, size
        if info.format == "ico" or long <= _ICON:
            return Reason.ICON, size
        if long > self.images.max_aspect * short:
            return Reason.EXTREME_ASPECT, size
        if info.measures.get("animated") and self.filters.type != "animated":
            return Reason.ANIMATED, f"{info.frames} frames"
        if is_stock_preview(url):
            return Reason.WATERMARKED, "its URL is that of an agency's preview"
        if _is_empty(info):
            return Reason.FLAT, f"{info.measures.get('entropy', 0.0):.1f} bits"
        if not self.images.allow_thumbnails and kind is not Kind.DATA and short <= _THUMBNAIL:
            ruling = _preview(candidate, url, width, height)
            if ruling is not _KEPT:
                return ruling
        if self.filters.type in _DRAWN:
            return _KEPT
        load_numpy()  # first: with threads of BLAS a run takes twice the processor time
        from pixtrawl.images.junk.drawn import drawn_junk

        named = named_as(candidate, url)
        return drawn_junk(info, width, height, candidate.query, named) or _KEPT


def _is_empty(info: ImageInfo) -> bool:
    measures = info.measures
    if not measures:
        return False
    if measures.get("has_alpha") and measures.get("alpha_mean", 1.0) < _UNSEEN:
        return True
    bits = measures.get("entropy", 8.0)
    if not info.flat or bits >= _EMPTY_BITS:
        return False
    if bits >= _SHADED_BITS and measures.get("contrast", 0.0) >= _SHADED:
        return False
    return not info.thumb or not _shows_something(info)


def _shows_something(info: ImageInfo) -> bool:
    """Return whether a pale picture is more than a blank or a notice: a thing, a chart."""
    load_numpy()
    from pixtrawl.images.junk.ink import ink_layout, shading

    layout = ink_layout(info.thumb)
    if layout.blank < _FULL:
        return True
    if layout.ground <= _PIE_GROUND and info.measures.get("one_ink", 1.0) < _MANY_INKS:
        return True
    parts = layout.rows()
    return (
        layout.ground <= _THING_GROUND
        and 0 < len(parts) <= 3
        and shading(layout) >= _THING_SHADING
        and not any(rows.has_words() for rows in parts)
    )


def _preview(candidate: Candidate, url: str, width: int, height: int) -> Ruling:
    """Refuse a small picture whose URL marks a preview, or whose source states a larger size."""
    if _PREVIEW.search(urlsplit(url).path if "?" in url or "#" in url else url):
        return Reason.THUMBNAIL, f"{width}x{height}, and its URL says so"
    if url != candidate.url or not candidate.width or not candidate.height:
        return _KEPT
    larger = candidate.width >= 2 * width and candidate.height >= 2 * height
    stated, found = candidate.width / candidate.height, width / height
    if larger and abs(stated - found) <= _SAME_SHAPE * stated:
        return Reason.THUMBNAIL, f"{width}x{height} of {candidate.width}x{candidate.height}"
    return _KEPT


def _has_size(size: str, width: int, height: int, *, trusted: bool) -> bool:
    """Return whether the size fits; `trusted`: the source has filtered by its own classes."""
    least = re.fullmatch(r"([0-9]+)x([0-9]+)", size)
    if least is not None:
        return width >= int(least[1]) and height >= int(least[2])
    low, high = _SIZES.get(size, (0, None))
    return trusted or (width * height >= low and (high is None or width * height < high))


def _has_shape(aspect: str, ratio: float) -> bool:
    if aspect == "square":
        return 1 / _SQUARE <= ratio <= _SQUARE
    return ratio > 1 if aspect == "wide" else ratio < 1
