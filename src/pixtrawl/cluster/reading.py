"""Reads a set of shards: its outcomes row by row, its pictures, and its report.

Only what commits name is read. Outcome tables are fetched one at a time, so memory stays flat.
"""

from __future__ import annotations

import tempfile
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final

from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.commits import Commits
from pixtrawl.cluster.job import has_job, read_job
from pixtrawl.cluster.store import Store
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.pipeline.outcomes import UrlOutcome
from pixtrawl.report import PreferencesReport, QueryReport, Report, SourceReport, Totals

__all__ = ["ShardSet"]

_OPEN_OBJECTS: Final = 2  # Parquet objects whose pictures are in memory
_FACTS: Final = [
    "url", "query", "label", "source", "status", "reason", "detail", "http_status", "data", "key",
    "attempts", "final_url", "rank", "fetched_at",
]  # fmt: skip


class ShardSet:
    """A set of shards in a store. Methods wait for the network; StorageError where it fails."""

    def __init__(self, store: Store) -> None:
        """Raise UsageError where the store holds no job."""
        if not has_job(store):
            raise UsageError(f"{store.url} is no set of shards: it has no job.json")
        self.store = store
        self.job = read_job(store)
        self._objects: OrderedDict[str, dict[str, bytes]] = OrderedDict()

    def rows(self, columns: list[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of all outcome tables, shard by shard."""
        with tempfile.TemporaryDirectory(prefix="pixtrawl-outcomes-") as folder:
            path = Path(folder) / "outcomes.parquet"
            for commit in Commits(self.store).all():
                self.store.fetch(commit.outcomes.name, path)
                yield from outcome_tables.read_outcomes(path, columns)
                path.unlink()

    def picture(self, data: str, key: str, offset: int | None, length: int | None) -> bytes:
        """Return the bytes of a picture, by the columns of its row."""
        if offset is not None and length is not None:
            return self.store.read_range(data, offset, length)
        pictures = self._objects.get(data)
        if pictures is None:
            with tempfile.TemporaryDirectory(prefix="pixtrawl-pictures-") as folder:
                path = Path(folder) / "pictures.parquet"
                self.store.fetch(data, path)
                pictures = dict(outcome_tables.read_pictures(path))
            self._objects[data] = pictures
            while len(self._objects) > _OPEN_OBJECTS:
                self._objects.popitem(last=False)
        if key not in pictures:
            raise StorageError(f"{data} of {self.store.url} lacks the picture {key}")
        return pictures[key]

    def outcomes(
        self,
        *,
        reason: Collection[str] = (),
        status: Collection[str] = (),
        query: Collection[str] = (),
    ) -> Iterator[UrlOutcome]:
        """Yield the outcome of each URL; several values of one kind are alternatives.

        Raise UsageError for a reason or status that does not exist.
        """
        for word, known in ((reason, Reason), (status, Status)):
            for one in word:
                if one not in set(known):
                    raise UsageError(f"there is no {known.__name__.lower()} {one!r}")
        for row in self.rows(_FACTS):
            if reason and row["reason"] not in reason:
                continue
            if status and row["status"] not in status:
                continue
            if query and row["query"] not in query and row["label"] not in query:
                continue
            yield UrlOutcome(
                url=row["url"], query=row["query"], label=row["label"], source=row["source"],
                status=Status(row["status"]), reason=Reason(row["reason"]),
                detail=row["detail"] or "", http_status=row["http_status"],
                file_name=f"{row['data']}#{row['key']}" if row["data"] else "",
                attempts=row["attempts"], final_url=row["final_url"] or "", rank=row["rank"] or 0,
                when=row["fetched_at"] or "",
            )  # fmt: skip

    def report(self) -> Report:
        """Return the report of the set, as that of a run."""
        queries: dict[tuple[str, str], tuple[Counter[str], Counter[str]]] = {}
        for row in self.rows(["query", "label", "source", "reason"]):
            reasons, sources = queries.setdefault(
                (row["query"], row["label"]), (Counter(), Counter())
            )
            reasons[row["reason"]] += 1
            sources[row["source"]] += 1
        commits = list(Commits(self.store).all())
        told = [
            _query_report(number, text, label, reasons, sources)
            for number, ((text, label), (reasons, sources)) in enumerate(sorted(queries.items()), 1)
        ]
        total: Counter[str] = Counter()
        for reasons, _ in queries.values():
            total.update(reasons)
        complete = len(commits) >= self.job.shards
        ignored = bool(self.job.settings.get("politeness.ignore_ai_preferences"))
        return Report(
            output=self.store.url, queries=told, totals=_totals(total),
            reasons=dict(total.most_common()), causes={},
            bytes=sum(commit.fetched_bytes for commit in commits),
            elapsed_s=sum(commit.elapsed_s for commit in commits),
            interrupted=not complete, end_reason="done" if complete else "interrupted",
            read_only=False, cut_short=False, not_asked=total.get(Reason.HOST_OUT.value, 0),
            across_labels=[], changed_rules=[], bad_lines=self.job.bad_lines or None,
            ai_preferences=PreferencesReport(
                purpose=str(self.job.settings.get("politeness.purpose", "train")), ignored=ignored,
                refused=total.get(Reason.OPTED_OUT.value, 0),
            ),
        )  # fmt: skip


def _query_report(
    number: int, text: str, label: str, reasons: Counter[str], sources: Counter[str]
) -> QueryReport:
    found = {
        name: SourceReport(outcome=None, found=count, detail={}, exhausted=True)
        for name, count in sources.items()
    }
    return QueryReport(
        id=number, query=text, label=label, wanted=None, saved=reasons[Reason.SAVED.value],
        sources=found, reasons=dict(reasons.most_common()), untried=0,
    )  # fmt: skip


def _totals(reasons: Counter[str]) -> Totals:
    counts: Counter[str] = Counter()
    for reason, count in reasons.items():
        counts[REASONS[Reason(reason)].status.value] += count
    names = ("saved", "duplicate", "near_duplicate", "rejected", "failed", "skipped")
    return Totals(candidates=sum(reasons.values()), **{name: counts[name] for name in names})
