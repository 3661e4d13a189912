"""Text to a setting's value; a ValueError carries the sentence for the user."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_UNITS: Final = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(?:i?b)?", re.IGNORECASE)
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?", re.IGNORECASE)
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def count(text: str) -> int:
    """A whole number from 0."""
    if not text.strip().isascii() or not text.strip().isdigit():
        raise ValueError(f"{text!r} is not a whole number from 0")
    return int(text)


def positive(text: str) -> int:
    """A whole number from 1."""
    value = count(text)
    if value < 1:
        raise ValueError(f"{text!r} is not a whole number from 1")
    return value


def seconds(text: str) -> float:
    """Seconds: 30, 2.5, 500ms, 10m, 1h."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no time (examples: 30, 2.5, 10m, 1h)")
    return float(match[1]) * _SECONDS[(match[2] or "s").lower()]


def size_bytes(text: str) -> int:
    """Bytes: 1000, 64K, 1.5M, 2GiB (powers of 1024)."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size (examples: 500K, 64M, 2G)")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def size_px(text: str) -> tuple[int, int]:
    """Width and height in pixels: 640x480; a single number stands for both."""
    match = re.fullmatch(r"(\d+)(?:\s*[x×]\s*(\d+))?", text.strip(), re.IGNORECASE)
    if match is None:
        raise ValueError(f"{text!r} is no size in pixels (example: 640x480)")
    width = int(match[1])
    return width, int(match[2]) if match[2] else width


def network(text: str) -> str:
    """An address range such as 127.0.0.0/8, given back in its canonical form."""
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is no address range (example: 127.0.0.0/8)") from None


def boolean(text: str) -> bool:
    """true/false, yes/no, on/off, 1/0."""
    word = text.strip().lower()
    if word in {"1", "true", "yes", "on"}:
        return True
    if word in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError(f"{text!r} is neither true nor false")
