"""What is claimed of an image's rights: by the source that found it, else by the file itself. Pure.

A claim is never improved on: the id says what the claim says, `unknown` where it says nothing that
can be told, and the evidence is where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pixtrawl.licenses import UNKNOWN, allows, normalise
from pixtrawl.model import Candidate

__all__ = ["Claim", "allowed", "claim_of"]

# Fields of the file (images.record.RIGHTS_FIELDS) that may name a licence, the plainest first.
_FIELDS: Final = ("license_url", "web_statement", "usage_terms", "copyright")
# Wishes that sources filter by themselves; an id such as cc-by none of them knows.
_FILTERED: Final = frozenset({"any", "open", "public", "commercial", "modify"})


class Claim(Struct, frozen=True):
    """`id` as of `licenses.normalise`; `evidence`: a URL, or `file: FIELD`; "" for none."""

    id: str = UNKNOWN
    evidence: str = ""


def claim_of(candidate: Candidate, rights: Mapping[str, object]) -> Claim:
    """The licence of an image, from its source and from what its file states (`Sample.rights`)."""
    found = normalise(candidate.license, candidate.license_url)
    if found != UNKNOWN:
        return Claim(found, candidate.license_url or candidate.page_url or "")
    for name in _FIELDS:
        text = rights.get(name)
        if isinstance(text, str) and (found := _stated(name, text)) != UNKNOWN:
            return Claim(found, f"file: {name}")
    return Claim()


def _stated(name: str, text: str) -> str:
    return normalise(None, text) if name.endswith(("_url", "_statement")) else normalise(text)


def allowed(
    candidate: Candidate, rights: Mapping[str, object], wish: str, *, filtered: bool
) -> bool:
    """Whether an image is one of those that `--license` asks for.

    Args:
        candidate: with the source's claim.
        rights: what the file states.
        wish: the value of `--license`.
        filtered: whether the source was asked for such images only; its word is then taken where
            nothing else is known.
    """
    claim = claim_of(candidate, rights)
    if claim.id == UNKNOWN:
        return (filtered and wish in _FILTERED) or wish == "any"
    return allows(claim.id, wish)
