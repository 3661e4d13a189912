"""What must not be shown: keys, tokens, passwords."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = ("key", "token", "secret", "password", "cookie")
_PASSWORD: Final = re.compile(r"(?<=://)([^/@\s]*)@")


def is_secret(source: str, key: str) -> bool:
    """Whether this setting of a source is: it says so, or its name does."""
    from pixtrawl import sources

    if any(word in key.lower() for word in _WORDS):
        return True
    return any(one.key == key and one.secret for one in sources.load(source).info.settings)


def without_password(text: str) -> str:
    """A URL without its user and password; any other text as it is."""
    return _PASSWORD.sub("***@", text)
