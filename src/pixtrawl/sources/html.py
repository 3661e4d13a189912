"""Parse hostile HTML fast and bounded: a thin layer over selectolax's Lexbor parser.

Pages that it would take too long for are refused beforehand (`markup`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from pixtrawl.markup import TooComplexError, parseable

__all__ = ["Document", "Element", "TooComplexError"]

_CONTENT: Final = "script, iframe, form, img, meta[http-equiv=refresh]"
_MAX_TEXT_CHARS: Final = 1_000_000


class Element:
    """One element of a page."""

    __slots__ = ("_attributes", "_node")

    def __init__(self, node: LexborNode) -> None:
        self._node = node
        self._attributes: dict[str, str | None] = node.attributes

    @property
    def tag(self) -> str:
        return self._node.tag or ""

    def get(self, name: str) -> str:
        """Return an attribute's value, entities decoded; empty where it is missing."""
        return self._attributes.get(name) or ""

    @property
    def attributes(self) -> Mapping[str, str | None]:
        """All attributes; None is the value of one without any."""
        return self._attributes

    @property
    def parent(self) -> Element | None:
        """The element around it."""
        node = self._node.parent
        return None if node is None or not node.is_element_node else Element(node)

    @property
    def key(self) -> int:
        """Equal for two `Element`s exactly if they are the same element of the same document."""
        return self._node.mem_id

    @property
    def text(self) -> str:
        """The text inside, white space collapsed."""
        return " ".join(self._node.text(separator=" ").split())

    @property
    def content(self) -> str:
        """The text inside, unchanged: the content of a script or style."""
        return self._node.text()

    def has(self, css: str) -> bool:
        """Return whether there is such an element inside."""
        return self._node.css_first(css) is not None

    def beside(self, count: int, *, after: bool) -> Iterator[Element | str]:
        """Yield the next elements and texts after it, or before it: `count` that are not blank."""
        node = self._node
        for _ in range(8 * count):
            following = node.next if after else node.prev
            if following is None or count == 0:
                return
            node = following
            if node.is_element_node:
                count -= 1
                yield Element(node)
            elif node.is_text_node and (text := node.text_content or "").strip():
                count -= 1
                yield text

    def all(self, css: str) -> list[Element]:
        """Return elements inside it, in the order of the page."""
        return [Element(node) for node in self._node.css(css)]


class Document:
    """One parsed page. Raises TooComplexError for text that would take too long."""

    def __init__(self, source: str) -> None:
        self._source = source = parseable(source)
        self._tree = LexborHTMLParser(source)
        self._text: str | None = None

    def all(self, css: str) -> list[Element]:
        """Return elements in the order of the page."""
        return [Element(node) for node in self._tree.css(css)]

    def first(self, css: str) -> Element | None:
        node = self._tree.css_first(css)
        return None if node is None else Element(node)

    def has(self, css: str) -> bool:
        return self._tree.css_first(css) is not None

    def text(self) -> str:
        """Return the visible text, without title, scripts and styles; at most 10**6 characters."""
        if self._text is None:
            tree = LexborHTMLParser(self._source)  # a copy: stripping changes it
            tree.strip_tags(["script", "style", "title", "template"])
            text = tree.body.text(separator=" ") if tree.body is not None else ""
            self._text = " ".join(text[:_MAX_TEXT_CHARS].split())
        return self._text

    @property
    def is_blank(self) -> bool:
        """Return whether the page shows nothing and has no script that could."""
        return not self.has(_CONTENT) and not self.text()
