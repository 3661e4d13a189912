"""The text beside a picture on its page: figcaption, description, else the nearest sentence.

Bounded: a page has so many characters to be read for this; after them pictures get no text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from pixtrawl.sources.html import Document, Element

__all__ = ["TextBeside"]

_BUDGET_CHARS: Final = 1_000_000  # of one page
_CLIMB: Final = 3
_BESIDE: Final = 2  # siblings on each side
_MAX_SENTENCE: Final = 500
_MAX_TEXT: Final = 2000
_WORDS: Final = 4  # fewest of a sentence; a menu's entry has fewer
_DENSE: Final = 8  # characters that count as a sentence in scripts without blanks
_TEXT_TAGS: Final = frozenset(
    {
        "p", "div", "span", "figcaption", "small", "em", "i", "b", "strong", "h1", "h2", "h3", "h4",
        "h5", "h6", "td", "th", "dd", "dt", "blockquote", "center", "font", "caption", "label",
        "section", "a", "summary", "cite", "q",
    }
)  # fmt: skip
_STOPS: Final = frozenset({"body", "html", "main", "table", "nav", "footer", "aside", "ul", "ol"})
_INLINE: Final = frozenset({"a", "picture", "span", "amp-img", "noscript", "button"})
_ID: Final = re.compile(r"[\w-]{1,100}")
_END: Final = re.compile(r"(?<=[.!?。！？…])\s+|(?<=[。！？])")
_CODE: Final = re.compile(r"[{}<>]|function\s*\(|=>")
_DENSE_SCRIPT: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]")


class TextBeside:
    """Finds the texts beside the pictures of one document."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._left_chars = _BUDGET_CHARS

    def of(self, image: Element, caption: str) -> str | None:
        """Return the text beside an image; `caption` is its figcaption, "" without one."""
        found = caption or self._described(image) or image.get("aria-label") or image.get("title")
        found = " ".join(found[:_MAX_TEXT].split())
        return found or self._nearest(image)

    def _described(self, image: Element) -> str:
        name = image.get("aria-describedby").partition(" ")[0]
        if not _ID.fullmatch(name) or self._left_chars <= 0:
            return ""
        element = self._document.first(f'[id="{name}"]')
        return "" if element is None else self._text(element)

    def _nearest(self, image: Element) -> str | None:
        """Return the sentence after the image, else the one before it, climbing a few levels."""
        node = image
        while (parent := node.parent) is not None and parent.tag in _INLINE:
            node = parent
        for _ in range(_CLIMB):
            for after in (True, False):
                found = self._side(node, after=after)
                if found:
                    return found
            parent = node.parent
            if parent is None or parent.tag in _STOPS or self._left_chars <= 0:
                return None
            node = parent
        return None

    def _side(self, node: Element, *, after: bool) -> str | None:
        choose: Callable[[str], str | None] = _first if after else _last
        for one in node.beside(_BESIDE, after=after):
            if isinstance(one, str):
                self._left_chars -= len(one)
                found = choose(" ".join(one[:_MAX_TEXT].split()))
            elif one.tag not in _TEXT_TAGS or self._left_chars <= 0 or one.has("img"):
                return None  # from there on it is another picture's text
            else:
                found = choose(self._text(one))
            if found:
                return found
        return None

    def _text(self, element: Element) -> str:
        text = element.text
        self._left_chars -= len(text) + 100
        return text[:_MAX_TEXT]


def _first(text: str) -> str | None:
    return next((one for one in _END.split(text) if _is_sentence(one)), None)


def _last(text: str) -> str | None:
    return next((one for one in reversed(_END.split(text)) if _is_sentence(one)), None)


def _is_sentence(text: str) -> bool:
    if len(text) > _MAX_SENTENCE or _CODE.search(text):
        return False
    return len(text.split()) >= _WORDS or len(_DENSE_SCRIPT.findall(text)) >= _DENSE
