"""Makes a page from a source safe to open from disk: its text, and nothing active.

Scripts, styles, frames, pictures, forms' targets, event handlers, comments and every address that a
browser would load or run are taken out. A content security policy in front forbids all of that once
more, in case a browser reads the rest otherwise than the parser here.
"""

from __future__ import annotations

import html
import re
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser

from pixtrawl.markup import TooComplexError, parseable
from pixtrawl.secrets import masked_text

__all__ = ["safe_page", "text_of"]

_HEAD: Final = (
    "<!doctype html>\n"
    """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; """
    """form-action 'none'; base-uri 'none'">\n"""
    '<meta charset="utf-8">\n'
)
# With all that is inside them. Those after `svg` hold text that another parser reads as markup.
_DROPPED: Final = [
    "script", "style", "template", "iframe", "frame", "frameset", "object", "embed", "applet",
    "portal", "fencedframe", "audio", "video", "canvas", "link", "base", "meta", "svg", "math",
    "xmp", "plaintext", "noembed", "noframes", "listing", "selectedcontent",
]  # fmt: skip
_UNWRAPPED: Final = ["noscript", "picture"]  # a wall's words often stand in a noscript
# Loaded, run or sent without a click, or code itself.
_LOADING: Final = frozenset(
    {
        "src", "srcset", "srcdoc", "imagesrcset", "lowsrc", "dynsrc", "poster", "background",
        "data", "action", "formaction", "ping", "style", "xlink:href", "manifest", "code",
        "codebase", "archive", "classid", "usemap", "longdesc", "profile", "cite", "icon",
        "attributionsrc", "autofocus", "is", "nonce", "integrity", "http-equiv",
    }
)  # fmt: skip
_GAPS: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\ufeff]+")
_ACTING: Final = re.compile(r"(?:javascript|vbscript|livescript|mocha|data|blob|file|view-source):")
_CHARSET: Final = re.compile(rb"charset\s*=\s*[\"']?([a-zA-Z0-9_-]{2,30})", re.IGNORECASE)
_CHARSET_WITHIN: Final = 2048


def safe_page(content: bytes | str) -> str:
    """Return a page without anything active; as plain text where it is too complex to parse."""
    source = text_of(content)
    try:
        tree = LexborHTMLParser(parseable(source))
    except TooComplexError:
        return f"{_HEAD}<pre>{html.escape(masked_text(source))}</pre>\n"
    tree.strip_tags(_DROPPED, recursive=True)
    tree.unwrap_tags(_UNWRAPPED)
    if tree.root is not None:
        for node in list(tree.root.traverse(include_text=False)):
            if node.is_comment_node:
                node.decompose()
            elif node.is_element_node:
                _disarm(node)
    # The document element alone: comments may stand around it.
    body = tree.root.html if tree.root is not None else ""
    return f"{_HEAD}{masked_text(body or '')}\n"


def _disarm(node: Any) -> None:
    attributes = node.attributes
    hidden = node.tag == "input" and (attributes.get("type") or "").lower() in _UNSHOWN
    for name, value in attributes.items():
        plain = name.lower()
        if plain.startswith("on") or plain in _LOADING or ":" in plain or _acts(value or ""):
            del node.attrs[name]
        elif hidden and plain == "value":  # tokens and what was typed
            node.attrs[name] = ""


_UNSHOWN: Final = frozenset({"hidden", "password"})


def _acts(value: str) -> bool:
    """Return whether a value is an address that runs or contains something, however spelled."""
    return _ACTING.match(_GAPS.sub("", value[:200]).lower()) is not None


def text_of(content: bytes | str) -> str:
    """Decode a page: UTF-8 where it is that, else as it says itself."""
    if isinstance(content, str):
        return content
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        said = _CHARSET.search(content[:_CHARSET_WITHIN])
        try:
            return content.decode(said[1].decode() if said else "cp1252", "replace")
        except (LookupError, UnicodeError):
            return content.decode("latin-1")
