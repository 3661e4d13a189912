"""Parse text to a setting's value; a ValueError has the message for the user."""

from __future__ import annotations

import datetime
import re
from typing import Final

from pixtrawl.captions import chain_text, parse_chain
from pixtrawl.preferences.marks import read_mark

_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def count(text: str) -> int:
    """Parse a whole number from 0."""
    if not text.strip().isascii() or not text.strip().isdigit():
        raise ValueError(f"{text!r} is not a whole number from 0")
    return int(text)


def positive(text: str) -> int:
    """Parse a whole number from 1."""
    value = count(text)
    if value < 1:
        raise ValueError(f"{text!r} is not a whole number from 1")
    return value


def percent(text: str) -> int:
    """Parse a whole number from 0 to 100."""
    return _within(text, 100)


def pdq_distance(text: str) -> int:
    """Parse a number of bits from 0 to 31, up to which the search of PDQ hashes misses none."""
    return _within(text, 31)


def _within(text: str, most: int) -> int:
    value = count(text)
    if value > most:
        raise ValueError(f"{text!r} is not a whole number from 0 to {most}")
    return value


def limit(text: str) -> int | None:
    """Parse a whole number from 1, or `all` for everything the sources have (None)."""
    if text.strip().lower() == "all":
        return None
    try:
        return positive(text)
    except ValueError:
        raise ValueError(f"{text!r} is neither a whole number from 1 nor 'all'") from None


def seconds(text: str) -> float:
    """Parse a duration to seconds: 30, 2.5, 500ms, 10m, 1h."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time (examples: 30, 2.5, 10m, 1h)")
    return float(match[1]) * _SECONDS[(match[2] or "s").lower()]


def size_bytes(text: str) -> int:
    """Parse a size to bytes: 1000, 64K, 1.5M, 2GiB (powers of 1024)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size (examples: 500K, 64M, 2G)")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def size_px(text: str) -> tuple[int, int]:
    """Parse width and height in pixels: 640x480; a single number is used for both."""
    match = re.fullmatch(r"(\d+)(?:\s*[x×]\s*(\d+))?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError(f"{text!r} is no size in pixels (example: 640x480)")
    width = int(match[1])
    return width, int(match[2]) if match[2] else width


def ratio(text: str) -> float:
    """Parse a number from 1: 8, 2.5."""
    match = re.fullmatch(r"\d+(?:\.\d+)?", text.strip())
    if match is None or float(match[0]) < 1:
        raise ValueError(f"{text!r} is not a number from 1 (example: 8)")
    return float(match[0])


def network(text: str) -> str:
    """Parse an address range such as 127.0.0.0/8; return its canonical form."""
    import ipaddress  # 8 ms that --help and most runs do without

    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is no address range (example: 127.0.0.0/8)") from None


def contact(text: str) -> str:
    """Parse an e-mail address (without `mailto:`) or an http(s) address."""
    value = text.strip().removeprefix("mailto:")
    mail = re.fullmatch(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+", value, re.ASCII)
    page = re.fullmatch(r"https?://[^\s()<>;\\\"]+", value)
    if not value.isascii() or (mail is None and page is None):
        raise ValueError(f"{text!r} is no e-mail address and no http(s) address")
    return value


def boolean(text: str) -> bool:
    """Parse true/false, yes/no, on/off, 1/0."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(f"{text!r} is neither true nor false")


_DATE_WORDS: Final = ("day", "week", "month", "year")


def filter_size(text: str) -> str:
    """Parse small, medium, large, or WxH (the least size)."""
    word = text.strip().lower()
    if word in {"small", "medium", "large"}:
        return word
    try:
        width, height = size_px(word)
    except ValueError:
        raise ValueError(f"{text!r} is none of small, medium, large, WxH (640x480)") from None
    return f"{width}x{height}"


def filter_date(text: str) -> str:
    """Parse day, week, month, year (the last one), or YYYY-MM-DD..YYYY-MM-DD."""
    word = text.strip().lower()
    if word in _DATE_WORDS:
        return word
    first, separator, last = word.partition("..")
    try:
        begin, end = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last)
    except ValueError:
        begin = end = datetime.date.min
        separator = ""
    if not separator:
        raise ValueError(f"{text!r} is none of day, week, month, year, YYYY-MM-DD..YYYY-MM-DD")
    if begin > end:
        raise ValueError(f"{text!r} ends before it begins")
    return f"{begin}..{end}"


def language(text: str) -> str:
    """Parse a language tag (BCP 47): en, de, pt-BR."""
    word = text.strip()
    if not re.fullmatch(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", word):
        raise ValueError(f"{text!r} is no language tag (examples: en, de, pt-BR)")
    return word


def region(text: str) -> str:
    """Parse a country code of two letters (ISO 3166-1): us, de."""
    word = text.strip().lower()
    if not re.fullmatch(r"[a-z]{2}", word):
        raise ValueError(f"{text!r} is no country code (examples: us, de)")
    return word


def site(text: str) -> str:
    """Parse a host name: example.org."""
    word = text.strip().lower()
    if not word or not re.fullmatch(r"[^\s/:@]+", word):
        raise ValueError(f"{text!r} is no host name (example: example.org)")
    return word


def captions(text: str) -> str:
    """Parse a chain of origins of captions, as of `captions.parse_chain`."""
    return chain_text(parse_chain(text))


def mark(text: str) -> str:
    """Parse a mark of images that are left out, as of `preferences.marks`."""
    return read_mark(text)


def license_words(text: str) -> str:
    """Parse any, open, public, commercial, modify, or the id of a licence such as cc-by."""
    word = text.strip().lower()
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", word):
        raise ValueError(
            f"{text!r} is none of any, open, public, commercial, modify, nor an id such as cc-by"
        )
    return word
