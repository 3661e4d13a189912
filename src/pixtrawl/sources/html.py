"""Parse hostile HTML fast and bounded: a thin layer over selectolax's Lexbor parser.

Lexbor takes quadratic time for some pages (10,000 nested `div` take 0.25 s, 200,000 minutes; the
same for thousands of attributes on one element). A linear scan refuses such pages beforehand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

_MAX_OPEN: Final = 3000  # elements open at once; real pages have fewer than 100
_MAX_TAGS: Final = 200_000
_MAX_ATTRIBUTES: Final = 3000  # of one element, counted by the white space between them
_LESS_THANS: Final = re.compile("<{9,}")
_CONTENT: Final = "script, iframe, form, img, meta[http-equiv=refresh]"
_MAX_TEXT_CHARS: Final = 1_000_000

_TAG: Final = re.compile(r"<(?:(!--)|(/?)([a-zA-Z][^\s/>]*))")
_RAW: Final = frozenset({"script", "style", "textarea", "title", "xmp", "iframe", "noframes"})
_COMMENT_END: Final = re.compile(r"--!?>")
_VOID: Final = "area base br col embed hr img input link meta param source track wbr"
_CLOSED_BY_THE_NEXT: Final = (
    "p li dt dd option tr td th thead tbody tfoot colgroup rp rt html head body"
)
_NEVER_DEEP: Final = frozenset(f"{_VOID} {_CLOSED_BY_THE_NEXT}".split())


class TooComplexError(ValueError):
    """The page would take the parser too long."""


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

    def all(self, css: str) -> list[Element]:
        """Return elements inside it, in the order of the page."""
        return [Element(node) for node in self._node.css(css)]


class Document:
    """One parsed page. Raises TooComplexError for text that would take too long."""

    def __init__(self, source: str) -> None:
        # Megabytes of either take seconds to parse and hold nothing of use.
        source = _LESS_THANS.sub("<", source.replace("\0", ""))
        _check(source)
        self._source = source
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


def _check(source: str) -> None:
    """Raise TooComplexError for too many open elements or attributes, by one linear scan."""
    lowered = source.lower()
    still_open: Counter[str] = Counter()
    depth = tags = at = 0
    while match := _TAG.search(lowered, at):
        at = _end_of_tag(lowered, match, foreign=bool(still_open["svg"] or still_open["math"]))
        name = match[3]
        if name and name not in _NEVER_DEEP and name not in _RAW:
            if not match[2]:
                still_open[name] += 1
                depth += 1
            elif still_open[name]:
                still_open[name] -= 1
                depth -= 1
        tags += 1
        if depth > _MAX_OPEN or tags > _MAX_TAGS:
            raise TooComplexError("the page is nested too deeply or has too many elements")


def _end_of_tag(lowered: str, match: re.Match[str], *, foreign: bool) -> int:
    """Return the index at which the scan goes on: behind the tag, and behind raw text content.

    Inside SVG and MathML (`foreign`) nothing is skipped: a title there holds elements.
    """
    if match[1]:
        ending = _COMMENT_END.search(lowered, match.start() + 2)  # `<!-->` is a whole comment
        return ending.end() if ending else len(lowered)
    end = lowered.find(">", match.end())
    end = len(lowered) if end < 0 else end
    if end - match.end() > 2 * _MAX_ATTRIBUTES:
        _check_attributes(lowered[match.end() : end])
    if match[3] in _RAW and not match[2] and not foreign:
        end = lowered.find(f"</{match[3]}", end)
        end = len(lowered) if end < 0 else end
    return end


def _check_attributes(inside: str) -> None:
    if len(inside.split(maxsplit=_MAX_ATTRIBUTES)) > _MAX_ATTRIBUTES:
        raise TooComplexError("an element of the page has too many attributes")
