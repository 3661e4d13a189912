"""The rights claimed for an image: by the source that found it, else by the file itself. Pure.

A claim is never improved on: the id says what the claim says, `unknown` where it says nothing that
can be told, and the evidence is where it stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pixtrawl.licenses import UNKNOWN, allows, normalise
from pixtrawl.model import Candidate

__all__ = ["Claim", "claim_of", "is_licensed"]

# Fields of the file (images.record.RIGHTS_FIELDS) that may name a licence, the plainest first.
_FIELDS: Final = ("license_url", "web_statement", "usage_terms", "copyright")


class Claim(Struct, frozen=True):
    """`id` as of `licenses.normalise`; `evidence`: a URL, or `file: FIELD`; "" for none."""

    id: str = UNKNOWN
    evidence: str = ""


def claim_of(candidate: Candidate, rights: Mapping[str, object]) -> Claim:
    """Return an image's licence, from its source and its file's statements (`Sample.rights`)."""
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


def is_licensed(license_id: str, claim: str, wish: str) -> bool:
    """Whether an image is one of those that `--license` asks for, in a run as in an export.

    What cannot be shown to be free is not: that a source was asked for such images only is no
    evidence that stays with the image.

    Args:
        license_id: of its claim, as of `claim_of`.
        claim: the source's own words.
        wish: a value of `--license`; one that is no known licence is compared by its words alone.
    """
    if allows(license_id, wish):
        return True
    same = claim.casefold().split() == wish.casefold().split()
    return same and normalise(wish) == UNKNOWN == license_id
