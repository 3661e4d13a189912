"""Parse and serialise MIME types as in the WHATWG MIME Sniffing standard. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct, field

__all__ = ["MimeType", "parse_mime_type"]

_WHITESPACE: Final = "\t\n\r "
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_QUOTABLE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class MimeType(Struct, frozen=True):
    """`essence` is type/subtype, lower-case."""

    essence: str
    parameters: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [self.essence]
        for name, value in self.parameters.items():
            if not _TOKEN.fullmatch(value):
                escaped = value.replace("\\", "\\\\").replace('"', '\\"')
                value = f'"{escaped}"'  # noqa: PLW2901 - the same value, as it is written
            parts.append(f"{name}={value}")
        return ";".join(parts)


def parse_mime_type(text: str) -> MimeType | None:
    """Parse a MIME type; None where the standard returns failure."""
    essence, _, rest = text.strip(_WHITESPACE).partition(";")
    kind, slash, subtype = essence.partition("/")
    subtype = subtype.rstrip(_WHITESPACE)
    if not slash or not _TOKEN.fullmatch(kind) or not _TOKEN.fullmatch(subtype):
        return None
    found = MimeType(f"{kind}/{subtype}".lower())
    while rest:
        rest = _parameter(rest, found.parameters)
    return found


def _parameter(text: str, parameters: dict[str, str]) -> str:
    """Read one parameter into the dict; return the text after its `;`."""
    text = text.lstrip(_WHITESPACE)
    end = re.search(r"[;=]", text)
    if end is None:
        return ""
    name, rest = text[: end.start()].lower(), text[end.end() :]
    if end[0] == ";":
        return rest
    if rest.startswith('"'):
        value, rest = _quoted(rest)
        rest = rest.partition(";")[2]
    else:
        value, _, rest = rest.partition(";")
        value = value.rstrip(_WHITESPACE)
        if not value:
            return rest
    if _TOKEN.fullmatch(name) and _QUOTABLE.fullmatch(value) and name not in parameters:
        parameters[name] = value
    return rest


def _quoted(text: str) -> tuple[str, str]:
    """Return the value of an HTTP quoted string at the start of the text, and the rest."""
    value: list[str] = []
    at = 1
    while at < len(text):
        if text[at] == '"':
            return "".join(value), text[at + 1 :]
        if text[at] == "\\" and at + 1 < len(text):
            at += 1
        value.append(text[at])
        at += 1
    return "".join(value), ""
