"""Normalise licence claims to ids, and decide what each id permits. Pure.

`normalise("CC BY-SA 3.0 de")` is `cc-by-sa-3.0-de`. The ids are SPDX's in lower case where SPDX has
one; the raw claim stays beside it, because an id never says more than the claim did. What cannot be
read is `unknown`, and `unknown` is never free.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote, urlsplit

__all__ = ["RESERVED", "UNKNOWN", "allows", "flickr_url", "normalise", "one_claim"]

UNKNOWN: Final = "unknown"
RESERVED: Final = "all-rights-reserved"
CC0_URL: Final = "https://creativecommons.org/publicdomain/zero/1.0/"

_MAX_CLAIM: Final = 2000  # characters of a claim that are read

# Numbers of flickr.photos.licenses.getInfo: 1-6 are of version 2.0.
_FLICKR: Final = {
    "0": RESERVED,
    "1": "cc-by-nc-sa-2.0", "2": "cc-by-nc-2.0", "3": "cc-by-nc-nd-2.0",
    "4": "cc-by-2.0", "5": "cc-by-sa-2.0", "6": "cc-by-nd-2.0",
    "7": "no-known-copyright", "8": "us-government", "9": "cc0", "10": "pdm",
    "11": "cc-by-4.0", "12": "cc-by-sa-4.0", "13": "cc-by-nd-4.0",
    "14": "cc-by-nc-4.0", "15": "cc-by-nc-sa-4.0", "16": "cc-by-nc-nd-4.0",
}  # fmt: skip

# Bounded repetition only: a claim is untrusted text.
_CC_URL: Final = re.compile(
    r"/licenses/(by(?:-(?:nc|nd|sa)){0,2})(?:/(\d\.\d)(?:/([a-z]{2,4}(?:-[a-z]{2})?))?)?(?:/|$)"
)
_CC_CODE: Final = (
    r"(by(?:[\s_/-]{1,3}(?:nc|nd|sa)){0,2})"
    r"(?:[\s_-]{0,3}v?(\d)[._](\d))?(?:[\s_-]{1,3}([a-z]{2,4}))?(?![a-z])"
)
_CC_NAMED: Final = re.compile(r"(?<![a-z])(?:cc|creative commons)[\s_:-]{1,3}" + _CC_CODE)
_CC_BARE: Final = re.compile(_CC_CODE)  # the whole claim: "by Jane Doe" names a person
_CC_TITLE: Final = re.compile(
    r"attribution[a-z\s-]{0,40}\s[1-4]\.\d (?:international|generic|unported)"
)
_PORTED: Final = (
    "ar at au az be bg br ca ch cl cn co cr cz de dk ec ee es fi fr ge gr gt hk hr hu ie igo il in "
    "it jp kr lu mk mt mx my ng nl no nz pe ph pl pr pt ro rs se sg si th tw ug uk us ve vn za"
)
_PORTS: Final = frozenset(_PORTED.split())
_LONG_CC: Final = (  # "Attribution-NonCommercial 4.0 International"
    ("noncommercial", "nc"), ("non-commercial", "nc"), ("non commercial", "nc"),
    ("sharealike", "sa"), ("share-alike", "sa"), ("share alike", "sa"),
    ("noderiv", "nd"), ("no-deriv", "nd"), ("no deriv", "nd"),
)  # fmt: skip
_RIGHTS: Final = {  # rightsstatements.org/vocab/...
    "inc": RESERVED, "inc-ow-eu": "rs-inc-ow-eu", "inc-edu": "rs-inc-edu", "inc-nc": "rs-inc-nc",
    "inc-ruu": "rs-inc-ruu", "noc-cr": "rs-noc-cr", "noc-nc": "rs-noc-nc",
    "noc-oklr": "rs-noc-oklr", "noc-us": "rs-noc-us", "nkc": "no-known-copyright",
    "cne": UNKNOWN, "und": UNKNOWN,
}  # fmt: skip
_STOCK_HOSTS: Final = {"unsplash.com": "unsplash", "pexels.com": "pexels", "pixabay.com": "pixabay"}
_WHOLE: Final = {  # the whole claim, in lower case
    "cc0": "cc0", "cc-0": "cc0", "cc zero": "cc0", "cc-zero": "cc0", "zero": "cc0",
    "pd": "pdm", "pdm": "pdm", "public domain": "pdm", "publicdomain": "pdm",
    "public domain mark": "pdm", "cc-pd": "pdm", "pd-mark": "pdm",
    "publiek domein": "pdm", "publieke domein": "pdm",
    "unsplash": "unsplash", "unsplash license": "unsplash",
    "pexels": "pexels", "pexels license": "pexels",
    "pixabay": "pixabay", "pixabay license": "pixabay", "pixabay content license": "pixabay",
    "auteursrechtelijk beschermd": RESERVED, "inc": RESERVED, "in copyright": RESERVED,
    "copyrighted": RESERVED, "arr": RESERVED,
    "mit": "mit", "apache-2.0": "apache-2.0", "fal": "fal", "free art license": "fal",
    "no known copyright": "no-known-copyright", "us-government": "us-government",
}  # fmt: skip
_BEGINS: Final = (
    (re.compile(r"cc[ -]?0(?![a-z])|cc[ -]?zero\b|creative commons zero\b"), "cc0"),
    (re.compile(r"pdm\b|pd-|public domain mark\b"), "pdm"),
    (re.compile(r"gfdl\b|gnu free documentation"), "gfdl"),
    (re.compile(r"a?l?gpl\b"), "gpl"),
    (re.compile(r"ogl\b|open government licen[cs]e"), "ogl"),
    (re.compile(r"no known (?:copyright )?restrictions|no known copyright"), "no-known-copyright"),
)
_RESERVED_WORDS: Final = re.compile(r"all rights reserved|\bno re-?use\b")

_WISHES: Final = frozenset({"any", "open", "public", "commercial", "modify"})
_PUBLIC: Final = frozenset({"cc0", "pdm", "us-government"})
_FREE: Final = frozenset({"gfdl", "gpl", "fal", "ogl", "mit", "apache-2.0"})
_STOCK: Final = frozenset(_STOCK_HOSTS.values())


def normalise(claim: str | None, url: str | None = None) -> str:
    """Return the id of a claim; `unknown` where it is unclear.

    `url` is that of the licence, if the source gives one; it adds the version to a claim without
    one. A claim and a URL that contradict each other make `unknown`.
    """
    by_url = _of_url(url) if url else UNKNOWN
    by_claim = _of_claim(claim) if claim else UNKNOWN
    if UNKNOWN in {by_url, by_claim}:
        return by_claim if by_url == UNKNOWN else by_url
    if by_url == by_claim or _is_version(by_url, by_claim):
        return by_url
    if _is_version(by_claim, by_url) or {by_url, by_claim} <= _PUBLIC:
        return by_claim
    return UNKNOWN


def one_claim(claims: Iterable[str | None]) -> str | None:
    """Return the first of several claims about one picture; None where they conflict."""
    stated = [claim for claim in claims if claim]
    return stated[0] if len({normalise(claim) for claim in stated}) == 1 else None


def allows(license_id: str, wish: str) -> bool:
    """Return whether a licence (an id of `normalise`) is one of the requested ones.

    Wishes: `any`; `open` (may be shared: every Creative Commons licence, the free ones, the public
    domain); `public` (no rights left); `commercial`; `modify`; or an id, with or without version.
    """
    wish = wish.strip().lower()
    if wish == "any":
        return True
    if license_id in {UNKNOWN, RESERVED, ""} and wish != license_id:
        return False
    if wish not in _WISHES:
        wished = normalise(wish)
        wished = wish if wished == UNKNOWN else wished
        return license_id == wished or _is_version(license_id, wished)
    public = license_id in _PUBLIC
    creative = license_id.startswith("cc-by")
    if wish == "public" or public:
        return public
    if wish == "open":
        return creative or license_id in _FREE
    refused = "nc" if wish == "commercial" else "nd"
    if creative:
        return refused not in license_id.split("-")
    return license_id in _FREE | _STOCK


def flickr_url(number: str) -> str | None:
    """Return the URL of Flickr's licence of this number; None without a page."""
    known = _FLICKR.get(number, "")
    if known in {"cc0", "pdm"}:
        kind = "zero" if known == "cc0" else "mark"
        return f"https://creativecommons.org/publicdomain/{kind}/1.0/"
    if not known.startswith("cc-"):
        return None
    name, _, version = known.removeprefix("cc-").rpartition("-")
    return f"https://creativecommons.org/licenses/{name}/{version}/"


def _is_version(license_id: str, family: str) -> bool:
    """Return whether one id is a version of another, as `cc-by-3.0-de` of `cc-by-3.0`."""
    rest = license_id.removeprefix(f"{family}-")
    if rest == license_id:
        return False
    return rest[:1].isdigit() or rest in _PORTS


def _of_claim(claim: str) -> str:
    words = " ".join(claim[:_MAX_CLAIM].replace("\u2011", "-").lower().split()).strip(" .;()")
    if words.startswith(("http://", "https://", "//")):
        return _of_url(words)
    if words.startswith("flickr:"):
        return _FLICKR.get(words.removeprefix("flickr:"), UNKNOWN)
    if words in _WHOLE:
        return _WHOLE[words]
    for pattern, known in _BEGINS:
        if pattern.match(words):
            return known
    return RESERVED if _RESERVED_WORDS.search(words) else _creative(words)


def _creative(words: str) -> str:
    """Match a Creative Commons licence by name or code; the first match counts."""
    if "attribution" in words and ("creative commons" in words or _CC_TITLE.match(words)):
        parts = dict.fromkeys(short for long, short in _LONG_CC if long in words)
        version = re.search(r"(?<![\d.])([1-4]\.\d)(?![\d.])", words)
        code = "-".join(["by", *sorted(parts, key=("nc", "nd", "sa").index)])
        return _id(code, version[1] if version else "", "")
    match = _CC_NAMED.search(words) or _CC_BARE.fullmatch(words)
    if match is None or (match[4] and not match[2] and match.re is _CC_BARE):
        return UNKNOWN
    code = re.sub(r"[\s_/-]+", "-", match[1])
    port = match[4] if match[4] in _PORTS else ""
    return _id(code, f"{match[2]}.{match[3]}" if match[2] else "", port)


def _id(code: str, version: str, port: str) -> str:
    first, *rest = code.split("-")
    ordered = sorted(set(rest), key=("nc", "nd", "sa").index)
    if {"nd", "sa"} <= set(ordered):
        return UNKNOWN  # there is no such licence
    parts = ["cc", first, *ordered, version, port if version else ""]
    return "-".join(part for part in parts if part)


def _of_url(url: str) -> str:
    text = url[:_MAX_CLAIM].strip().lower()
    try:
        parts = urlsplit(text if "//" in text else f"//{text}")
        host, path = (parts.hostname or "").removeprefix("www."), unquote(parts.path)
    except ValueError:
        return UNKNOWN
    if host == "creativecommons.org":
        return _of_creative_path(path)
    if host == "rightsstatements.org":
        segments = [segment for segment in path.split("/") if segment]
        return _RIGHTS.get(segments[1], UNKNOWN) if len(segments) > 1 else UNKNOWN
    if host == "europeana.eu" and "/rights/" in path:
        return RESERVED if re.search(r"/rights/rr-[fpr]\b", path) else UNKNOWN
    if host in _STOCK_HOSTS and "license" in path:
        return _STOCK_HOSTS[host]
    if host in {"gnu.org", "fsf.org"} and "fdl" in path:
        return "gfdl"
    if host == "flickr.com" and path.startswith("/commons/usage"):
        return "no-known-copyright"
    return UNKNOWN


def _of_creative_path(path: str) -> str:
    if "/publicdomain/zero" in path:
        return "cc0"
    if "/publicdomain/mark" in path or re.search(r"/licen[cs]es/publicdomain\b", path):
        return "pdm"
    match = _CC_URL.search(path)
    return _id(match[1], match[2] or "", match[3] or "") if match else UNKNOWN
