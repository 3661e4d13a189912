"""Reads a set of shards: its outcomes row by row, its pictures, and its report.

Only what commits name is read. Outcome tables are fetched one at a time, so memory stays flat.
"""

from __future__ import annotations

import tempfile
from collections import Counter, deque
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pixtrawl.cluster import outcome_tables
from pixtrawl.cluster.commits import Commit, Commits, time_at_work_s
from pixtrawl.cluster.duplicates import DuplicateRows
from pixtrawl.cluster.job.description import has_job, read_job
from pixtrawl.cluster.readers.pictures import ShardPictures, place_of
from pixtrawl.cluster.store import Store
from pixtrawl.errors import UsageError
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.pipeline.outcomes import UrlOutcome
from pixtrawl.report import PreferencesReport, QueryReport, Report, SourceReport, Totals

__all__ = ["ShardSet"]

_AHEAD: Final = 3  # outcome tables fetched before they are read
_FACTS: Final = [
    "row", "url", "query", "label", "source", "status", "reason", "detail", "http_status", "data",
    "key", "attempts", "final_url", "rank", "fetched_at",
]  # fmt: skip


class ShardSet:
    """A set of shards in a store. Methods wait for the network; StorageError where it fails."""

    def __init__(self, store: Store) -> None:
        """Raise UsageError where the store holds no job."""
        if not has_job(store):
            raise UsageError(f"{store.url} is no set of shards: it has no job.json")
        self.store = store
        self.job = read_job(store)
        self.pictures = ShardPictures(store)

    @cached_property
    def duplicates(self) -> DuplicateRows:
        """The rows that `cluster duplicates` has found to show what others do."""
        return DuplicateRows(self.store)

    def commits(self) -> list[Commit]:
        """Return the commits, in the order of their shards."""
        return sorted(Commits(self.store).all(), key=lambda commit: commit.shard)

    def tables(self) -> Iterator[tuple[Commit, Path]]:
        """Yield each commit with its outcome table, a local file until the next is asked for."""
        with (
            tempfile.TemporaryDirectory(prefix="pixtrawl-outcomes-") as folder,
            ThreadPoolExecutor(_AHEAD) as pool,
        ):
            coming: deque[tuple[Commit, Path, Future[None]]] = deque()

            def first() -> tuple[Commit, Path]:
                commit, path, fetched = coming.popleft()
                fetched.result()
                return commit, path

            for number, commit in enumerate(self.commits()):
                path = Path(folder) / f"{number}.parquet"
                coming.append(
                    (commit, path, pool.submit(self.store.fetch, commit.outcomes.name, path))
                )
                if len(coming) > _AHEAD:
                    yield (one := first())
                    one[1].unlink()
            while coming:
                yield (one := first())
                one[1].unlink()

    def rows(
        self, columns: list[str] | None = None, *, as_fetched: bool = False
    ) -> Iterator[dict[str, Any]]:
        """Yield the rows of all outcome tables, shard by shard.

        Rows that `cluster duplicates` has found have its reason and no picture, unless
        `as_fetched`.
        """
        asked = columns if columns is None or "row" in columns else [*columns, "row"]
        for _, path in self.tables():
            for row in outcome_tables.read_outcomes(path, asked):
                if not as_fetched and len(self.duplicates):
                    reason = self.duplicates.reason(row["row"])
                    if reason is not None:
                        about = {"reason": reason.value, "status": REASONS[reason].status.value}
                        row |= {name: value for name, value in about.items() if name in row}
                        row |= {name: None for name in ("data", "key") if name in row}
                yield row

    def counted(self, columns: list[str]) -> Counter[tuple[Any, ...]]:
        """Count the rows of all shards by their values in some columns; the last is `reason`.

        Rows that `cluster duplicates` has found have its reason.
        """
        counted: Counter[tuple[Any, ...]] = Counter()
        for commit, path in self.tables():
            counted.update(outcome_tables.count_outcomes(path, columns))
            dropped = self.duplicates.by_shard.get(commit.shard)
            if dropped is None:
                continue
            for row in outcome_tables.select_outcomes(path, columns, dropped):
                as_fetched = tuple(row[name] for name in columns)
                counted[as_fetched] -= 1
                if (reason := self.duplicates.reason(row["row"])) is not None:
                    counted[*as_fetched[:-1], reason.value] += 1
        return +counted

    def picture(self, row: dict[str, Any]) -> bytes:
        """Return the bytes of a picture, by the columns of its row."""
        return self.pictures.read(place_of(row))

    def check(
        self,
        *,
        reason: Collection[str] = (),
        status: Collection[str] = (),
        query: Collection[str] = (),
    ) -> None:
        """Raise UsageError for a reason or status that does not exist; any query may."""
        for word, known in ((reason, Reason), (status, Status)):
            for one in word:
                if one not in set(known):
                    raise UsageError(f"there is no {known.__name__.lower()} {one!r}")

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
        self.check(reason=reason, status=status)
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
        columns = ["query", "label", "source", "reason"]
        queries: dict[tuple[str, str], tuple[Counter[str], Counter[str]]] = {}
        for (text, label, source, reason), count in self.counted(columns).items():
            reasons, sources = queries.setdefault((text, label), (Counter(), Counter()))
            reasons[reason] += count
            sources[source] += count
        commits = self.commits()
        reported = [
            _query_report(number, text, label, reasons, sources)
            for number, ((text, label), (reasons, sources)) in enumerate(sorted(queries.items()), 1)
        ]
        total: Counter[str] = Counter()
        for reasons, _ in queries.values():
            total.update(reasons)
        complete = len(commits) >= self.job.shards
        ignored = bool(self.job.settings.get("politeness.ignore_ai_preferences"))
        return Report(
            output=self.store.url, queries=reported, totals=_totals(total),
            reasons=dict(total.most_common()), causes={},
            bytes=sum(commit.fetched_bytes for commit in commits),
            elapsed_s=time_at_work_s(commits),
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
