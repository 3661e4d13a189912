"""The rights claimed for an image: by the source that found it, else by the file itself. Pure.

A claim is never improved on: the id says what the claim says, `unknown` where it says nothing that
can be told, and the evidence is where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urljoin

from msgspec import Struct

from pixtrawl.licenses import UNKNOWN, allows, normalise
from pixtrawl.model import Candidate

__all__ = ["LICENSE_HEADER", "Claim", "claim_of", "is_licensed", "license_link"]

# Fields of the file (images.record.RIGHTS_FIELDS) that may name a licence, the plainest first.
LICENSE_HEADER: Final = "license_header"  # in rights: the target of `Link: rel=license`
_FIELDS: Final = (LICENSE_HEADER, "license_url", "web_statement", "usage_terms", "copyright")


class Claim(Struct, frozen=True):
    """`id` as of `licenses.normalise`; `evidence`: a URL, or `file: FIELD`; "" for none."""

    id: str = UNKNOWN
    evidence: str = ""


_NONE: Final = Claim()


def claim_of(candidate: Candidate, rights: Mapping[str, object]) -> Claim:
    """Return an image's licence, from its source and its file's statements (`Sample.rights`)."""
    found = normalise(candidate.license, candidate.license_url)
    if found != UNKNOWN:
        return Claim(found, candidate.license_url or candidate.page_url or "")
    for name in _FIELDS if rights else ():
        text = rights.get(name)
        if isinstance(text, str) and (found := _stated(name, text)) != UNKNOWN:
            return Claim(found, "header: Link" if name == LICENSE_HEADER else f"file: {name}")
    return _NONE


_LINK: Final = re.compile(r'<([^<>]{1,2000})>((?:\s*;[^,;"]{1,200}(?:"[^"]{0,500}")?)*)')
_REL: Final = re.compile(r';\s*rel\s*=\s*"?([^";,]{1,200})', re.IGNORECASE)


def license_link(header: str, address: str) -> str:
    """Return the target of rel=license in a Link header (RFC 8288), absolute; "" without one.

    Two targets that differ are no claim, as it is unclear which of them is meant.
    """
    found = set()
    for match in _LINK.finditer(header[:8000]):
        relations = _REL.search(match[2])
        if relations is not None and "license" in relations[1].lower().split():
            with suppress(ValueError):
                found.add(urljoin(address, match[1].strip()))
    targets = [one for one in found if one.startswith(("http://", "https://"))]
    return targets[0] if len(targets) == 1 else ""


def _stated(name: str, text: str) -> str:
    return (
        normalise(None, text)
        if name.endswith(("_url", "_statement", "_header"))
        else normalise(text)
    )


def is_licensed(license_id: str, claim: str, wish: str) -> bool:
    """Return whether an image passes `--license`, for a run and for an export alike.

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
