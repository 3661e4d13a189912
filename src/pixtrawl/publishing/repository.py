"""The address `hf://user/set` of a data set on the Hub. Pure."""

from __future__ import annotations

import re
from typing import Final

from msgspec import Struct

from pixtrawl.errors import UsageError

__all__ = ["Repository", "read_repository"]

_SCHEME: Final = "hf://"
_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?")  # the Hub's rule
_LONGEST: Final = 96
_EXAMPLE: Final = "hf://user/name"


class Repository(Struct, frozen=True, kw_only=True):
    """A data set repository; `revision` is a branch."""

    name: str  # user/set
    revision: str = "main"

    def __str__(self) -> str:
        return self.name if self.revision == "main" else f"{self.name}@{self.revision}"


def read_repository(text: str) -> Repository:
    """Parse `hf://user/set`, also `hf://datasets/user/set` and `...@branch`. Raise UsageError."""
    if not text.startswith(_SCHEME):
        raise UsageError(f"{text!r} is no address of the Hub; write {_EXAMPLE}")
    path, at, revision = text.removeprefix(_SCHEME).strip("/").partition("@")
    words = path.split("/")
    if words[0] == "datasets" and len(words) == 3:
        words = words[1:]
    if words[0] in {"models", "spaces"} and len(words) == 3:
        raise UsageError(f"{text}: data sets are published to data set repositories: {_EXAMPLE}")
    if len(words) != 2 or not all(words):
        raise UsageError(f"{text}: an address has a user or organisation, and a name: {_EXAMPLE}")
    for word in words:
        if not _NAME.fullmatch(word) or "--" in word or ".." in word or word.endswith(".git"):
            raise UsageError(
                f"{text}: the Hub takes no name like {word!r}; names are letters, digits, "
                "`-`, `_` and `.`, with none of `-`, `.` at an end and no `--` or `..`"
            )
    name = "/".join(words)
    if len(name) > _LONGEST:
        raise UsageError(f"{text}: names on the Hub have at most {_LONGEST} characters")
    if at and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", revision):
        raise UsageError(f"{text}: {revision!r} is no name of a branch")
    return Repository(name=name, revision=revision or "main")
