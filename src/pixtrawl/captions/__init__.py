"""Captions: one text for an image, chosen from what was collected, and where it comes from. Pure.

All texts are kept with each image whatever is chosen, so that an export may choose otherwise. What
a person wrote wins over everything else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from pixtrawl.captions.cleaning import cleaned, one_text
from pixtrawl.errors import UsageError
from pixtrawl.model import Caption

if TYPE_CHECKING:
    from pixtrawl.model import Sample

__all__ = [
    "COLLECTED",
    "ORIGINS",
    "WRITTEN",
    "Chain",
    "caption_of",
    "chain_text",
    "parse_chain",
    "read_chain",
]

Chain = tuple[str, ...]  # origins in order; that of a template with its text, "template:a {label}"

COLLECTED: Final = ("title", "alt", "file", "page")
WRITTEN: Final = ("hand", "model")
ORIGINS: Final = (*COLLECTED, "query", "template", "model", "hand", "none")
_TEMPLATE: Final = "template:"
_DEFAULT_TEMPLATE: Final = "a photo of {label}"
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_PLACES: Final = ("label", "query", "title", "alt", "file", "page")


def parse_chain(text: str) -> Chain:
    """Parse `alt,title,template:a photo of {label}`; `none` is the empty chain.

    A template reaches to the end of the text, or of its quotes. Raise ValueError.
    """
    found: list[str] = []
    rest = text.strip()
    while rest:
        if rest.startswith(_TEMPLATE):
            words, rest = _template(rest.removeprefix(_TEMPLATE).strip())
            found.append(f"{_TEMPLATE}{words}")
            continue
        word, _, rest = rest.partition(",")
        word, rest = word.strip().lower(), rest.strip()
        if word not in ORIGINS:
            raise ValueError(f"{word!r} is no origin of captions; take of {', '.join(ORIGINS)}")
        found.append(f"{_TEMPLATE}{_DEFAULT_TEMPLATE}" if word == "template" else word)
    if not found:
        raise ValueError(f"no origin of captions is given; take of {', '.join(ORIGINS)}")
    if "none" in found and len(found) > 1:
        raise ValueError("none stands alone: it means no captions")
    return () if found == ["none"] else tuple(dict.fromkeys(found))


def _template(rest: str) -> tuple[str, str]:
    """Return the text of a template, and what follows behind its closing quote."""
    quote = rest[:1]
    if quote in {'"', "'"} and (end := rest.find(quote, 1)) > 0:
        words, rest = rest[1:end], rest[end + 1 :].lstrip(" ,")
    else:
        words, rest = rest, ""
    for name in _PLACE.findall(words):
        if name not in _PLACES:
            known = ", ".join(f"{{{one}}}" for one in _PLACES)
            raise ValueError(f"{{{name}}} is no placeholder of a template; take of {known}")
    if not words.strip():
        raise ValueError('the template is empty; write template:"a photo of {label}"')
    return words, rest


def read_chain(option: str, text: str | None) -> Chain | None:
    """Parse the value of an option; None stays None. Raise UsageError."""
    if text is None:
        return None
    try:
        return parse_chain(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def chain_text(chain: Chain) -> str:
    """Return the text that `parse_chain` reads as this chain."""
    quoted = [
        f'{_TEMPLATE}"{one.removeprefix(_TEMPLATE)}"' if one.startswith(_TEMPLATE) else one
        for one in chain
    ]
    return ",".join(quoted) or "none"


def caption_of(sample: Sample, chain: Chain) -> Caption:
    """Return the first caption of the chain that the image has; of origin `none` without one.

    One that a person wrote comes first in every chain but the empty one.
    """
    if not chain:
        return Caption()
    written = sample.written
    if written is not None and written.origin == "hand":
        return written
    for one in chain:
        if one.startswith(_TEMPLATE):
            text, origin = _filled(one.removeprefix(_TEMPLATE), sample), "template"
        elif one == "model":
            text, origin = ("" if written is None else written.text), one
        else:
            text, origin = _TEXTS[one](sample), one
        if text:
            return Caption(text, origin)
    return Caption()


def _filled(template: str, sample: Sample) -> str:
    """Fill in a template; "" where one of its texts is missing."""
    texts = {name: _TEXTS[name](sample) for name in set(_PLACE.findall(template))}
    if not all(texts.values()):
        return ""
    return one_text(_PLACE.sub(lambda place: texts[place[1]], template))


def _site(sample: Sample) -> str:
    return sample.candidate.page_url or sample.url


_TEXTS: Final[Mapping[str, Callable[[Sample], str]]] = {
    "title": lambda sample: cleaned(sample.candidate.title, _site(sample)),
    "alt": lambda sample: cleaned(sample.candidate.alt, _site(sample)),
    "page": lambda sample: cleaned(sample.candidate.page_text, _site(sample)),
    "file": lambda sample: cleaned(str(sample.rights.get("description") or ""), _site(sample)),
    "query": lambda sample: one_text(sample.candidate.query),
    "label": lambda sample: one_text(sample.label),
    "hand": lambda sample: "",  # handled before all others
}
