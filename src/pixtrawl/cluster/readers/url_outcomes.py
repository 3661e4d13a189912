"""The outcomes of a set of shards as those of a folder: iterated, counted, made a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pixtrawl.cluster.readers.reading import ShardSet
from pixtrawl.pipeline.outcomes import Outcomes, UrlOutcome

__all__ = ["ShardOutcomesList"]


class ShardOutcomesList(Outcomes):
    """`Outcomes` in the order of shards; each iteration reads the outcome tables anew."""

    def __init__(  # another source of rows: that of a folder is not opened
        self,
        shards: ShardSet,
        *,
        reason: str | Collection[str] = (),
        status: str | Collection[str] = (),
        query: str | Collection[str] = (),
    ) -> None:
        """Raise UsageError for a reason or status that does not exist."""
        self._shards = shards
        self._chosen = {
            name: (value,) if isinstance(value, str) else tuple(value)
            for name, value in (("reason", reason), ("status", status), ("query", query))
        }
        shards.check(**self._chosen)

    def __iter__(self) -> Iterator[UrlOutcome]:
        return self._shards.outcomes(**self._chosen)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"<Outcomes of {len(self)} URLs in {self._shards.store.url!r}>"
