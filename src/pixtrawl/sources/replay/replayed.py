"""The result of a source that read saved answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

from msgspec import Struct, field

from pixtrawl.model import Candidate, Kind, SourceOutcome

_FIELDS: Final = ("page_url", "title", "size", "thumb_url", "license", "creator")


class Replayed(Struct, frozen=True):
    """The result of a source reading saved answers: outcome and candidates."""

    outcome: SourceOutcome
    candidates: tuple[Candidate, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict)

    @property
    def missing(self) -> dict[str, int]:
        """The number of candidates that lack each field; fields that none lacks are left out."""
        lacking: Counter[str] = Counter()
        for one in self.candidates:
            has = {name: getattr(one, name, None) for name in _FIELDS}
            has["size"] = one.width and one.height
            lacking.update(name for name in _FIELDS if not has[name])
            lacking["original"] += one.kind is Kind.THUMBNAIL
        return {name: lacking[name] for name in ("original", *_FIELDS) if lacking[name]}
