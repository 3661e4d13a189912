"""Finds the columns of a list: by the names common in published lists, and by their content.

The URL column is one with a known name that holds URLs, or else the only column that holds URLs. If
several qualify, UsageError asks the user to choose: a wrong guess could fetch a thousand web pages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from pixtrawl.errors import UsageError

__all__ = ["PLURAL", "Chosen", "GivenColumns", "choose", "is_url", "names_a_picture", "plain_name"]

Row = Mapping[str, Any]

# Names as `plain_name` spells them, most certain first. A column named after images goes before
# `url`, which beside it is usually the URL of a page (iNaturalist's exports, shops).
_URL: Final = (
    "image_url", "imageurl", "image_urls", "imageurls", "originalurl", "original_url",
    "photo_image_url", "image_src", "imagesrc", "image_link", "imagelink", "image_uri",
    "image_href", "img_url", "imgurl", "img_src", "img_link", "picture_url", "pictureurl",
    "photo_url", "photourl", "pic_url", "media_url", "mediaurl", "coco_url", "accessuri",
    "image", "images", "img", "picture", "pictures", "photo", "photos", "pic", "url", "urls",
    "content_url", "contenturl", "download_url", "file_url", "flickr_url", "identifier", "link",
    "href", "src", "uri", "thumbnail300kurl", "thumbnail_url", "thumbnailurl", "thumb_url",
)  # fmt: skip
_CERTAIN: Final = ("url", "image_url")  # taken even without URLs in the sample
_MORE: Final = ("additional_image_link", "additional_image_links", "additional_images")
PLURAL: Final = frozenset(
    {"images", "image_urls", "imageurls", "pictures", "photos", "urls", *_MORE}
)
_LABEL: Final = ("label", "class", "class_name", "classname", "label_name", "category")
_CAPTION: Final = (
    "title", "caption", "text", "alt_text", "alt", "image_caption", "image_alt_text", "name",
    "itemlabel", "product_name", "photo_description", "description", "ai_description",
)  # fmt: skip
_OF_URL: Final = re.compile(r"(?:(?:https?:)?//[^\s/]|data:image/)", re.IGNORECASE)
_PICTURE: Final = re.compile(
    r"\.(?:jpe?g|jfif|png|gif|webp|avif|bmp|tiff?|svg|heic|jxl)(?:[?#:!].*)?$", re.IGNORECASE
)
_SHOWN: Final = 30  # names of columns in a message


class GivenColumns(Struct, frozen=True):
    """Columns given by the user: by name, or by number from 1."""

    url: str | None = None
    label: str | None = None
    caption: str | None = None
    id: str | None = None


class Chosen(Struct, frozen=True):
    """The columns chosen for one list, by name; None for a column that it lacks."""

    url: str
    more: tuple[str, ...] = ()  # further columns of image URLs of the same row
    label: str | None = None
    caption: str | None = None
    id: str | None = None
    certain: bool = True  # the URL column has a certain name, or the user named it
    notice: str = ""  # message on guesses that may surprise the user


def is_url(value: object) -> bool:
    """Return whether a value begins as a URL: `https://...`, `//host/...`, `data:image/`."""
    return isinstance(value, str) and _OF_URL.match(value.strip()) is not None


def names_a_picture(url: str) -> bool:
    """Return whether a URL ends in the suffix of an image file."""
    return _PICTURE.search(url.strip()) is not None


def plain_name(name: str) -> str:
    """Normalise a column name: `Image Src` and `image-src` become `image_src`."""
    return re.sub(r"[\W_]+", "_", name.casefold()).strip("_")


def choose(names: Sequence[str], sample: Sequence[Row], given: GivenColumns, where: str) -> Chosen:
    """Choose the columns of a list.

    Args:
        names: the names of all its columns, in order.
        sample: some of its first rows.
        given: the columns given by the user.
        where: the file name, for messages.

    Raises:
        UsageError: a given column does not exist, or none or several columns hold URLs.
    """
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(plain_name(name), name)
    url, certain = _url(names, plain, sample, given, where)
    label = _given_column(given.label, "label", names, where) or _named_label(plain, sample)
    label = label or _first(_LABEL, plain, but=url)
    if label and given.label is None and label != plain.get("label") and _has_query(plain):
        label = None
    caption = _given_column(given.caption, "caption", names, where) or _first(
        _CAPTION, plain, but=url
    )
    guessed = [] if given.url or plain_name(url) in _CERTAIN else [f"{url!r} as the URL"]
    if label and given.label is None and plain_name(label) != "label":
        guessed.append(f"{label!r} as the label")
    more = () if given.url else tuple(plain[n] for n in _MORE if n in plain and plain[n] != url)
    if more:
        guessed.append(f"{', '.join(map(repr, more))} as further images")
    notice = ""
    if guessed:
        options = [
            o for o, word in (("--url-column", "URL"), ("--label-column", "label"))
            if any(word in one for one in guessed)
        ]  # fmt: skip
        notice = f"{where}: taking column {', '.join(guessed)} ({', '.join(options)} to choose)"
    return Chosen(
        url, more, label, caption, _given_column(given.id, "id", names, where), certain, notice
    )


def _named_label(plain: Mapping[str, str], sample: Sequence[Row]) -> str | None:
    """Return the column of names where `label` beside it holds their numbers, as in our parquet."""
    name, number = plain.get("label_name"), plain.get("label")
    if name is None or number is None or not sample:
        return None
    return name if all(isinstance(row.get(number), int) for row in sample) else None


def _url(
    names: Sequence[str],
    plain: Mapping[str, str],
    sample: Sequence[Row],
    given: GivenColumns,
    where: str,
) -> tuple[str, bool]:
    if found := _given_column(given.url, "url", names, where):
        return found, True
    for word in _URL:
        name = plain.get(word)
        if name is not None and any(_has_url(row.get(name)) for row in sample):
            return name, word in _CERTAIN
    for word in reversed(_CERTAIN):
        if word in plain:
            return plain[word], True
    some = [name for name in names if _holds_urls(name, sample)]
    if len(some) > 1:
        pictures = [name for name in some if _holds_urls(name, sample, pictures=True)]
        some = pictures if len(pictures) == 1 else some
    if len(some) == 1:
        return some[0], False
    listed = some or list(names)
    what = "several columns hold URLs" if some else "no column holds URLs"
    shown = ", ".join(map(repr, listed[:_SHOWN])) + (" ..." if len(listed) > _SHOWN else "")
    raise UsageError(f"{where}: {what} ({shown}); say which with --url-column NAME")


def _given_column(word: str | None, what: str, names: Sequence[str], where: str) -> str | None:
    if word is None:
        return None
    if word in names:
        return word
    alike = [name for name in names if plain_name(name) == plain_name(word)]
    if alike:
        return alike[0]
    if word.isascii() and word.isdigit() and 0 < int(word) <= len(names):
        return names[int(word) - 1]
    shown = ", ".join(map(repr, names[:_SHOWN]))
    raise UsageError(f"{where}: --{what}-column {word}: no such column (columns: {shown})")


def _first(words: Iterable[str], plain: Mapping[str, str], *, but: str) -> str | None:
    return next((plain[word] for word in words if word in plain and plain[word] != but), None)


def _has_query(plain: Mapping[str, str]) -> bool:
    return "query" in plain or "keyword" in plain


def _has_url(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(is_url(one) for one in value.values())
    if isinstance(value, (list, tuple)):
        return any(_has_url(one) for one in value)
    return is_url(value)


def _holds_urls(name: str, sample: Sequence[Row], *, pictures: bool = False) -> bool:
    found = (row.get(name) for row in sample)
    values = [value for value in found if value is not None and value != ""]
    hits = [v for v in values if _has_url(v) and (not pictures or names_a_picture(str(v)))]
    return bool(hits) and len(hits) * 2 >= len(values)
