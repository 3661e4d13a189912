"""Outcomes by address: one row for each URL of a data set, streamed from its catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pixtrawl.catalog.database import connect
from pixtrawl.errors import MissingPackageError, StorageError, UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.pipeline.report import open_reason
from pixtrawl.secrets import masked_text, masked_url

if TYPE_CHECKING:
    import pandas

__all__ = ["Outcomes", "UrlOutcome"]


class UrlOutcome(Struct, frozen=True, kw_only=True):
    """What became of one URL. The order of the fields is that of the columns of a report."""

    url: str  # byte for byte as found
    query: str
    label: str
    source: str
    status: Status
    reason: Reason
    detail: str = ""
    http_status: int | None = None
    file_name: str = ""  # of the image that it became, or that it is a copy of
    attempts: int | None = None
    final_url: str = ""  # behind redirects
    rank: int = 0  # its place in its list or source
    when: str = ""  # ISO 8601, UTC; "" while it was not tried

    def row(self) -> dict[str, Any]:
        """It as plain values, always with the same keys in the same order."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


_SELECT: Final = (
    "SELECT c.url, q.text, q.label, c.source, CASE WHEN c.state < 2 THEN NULL ELSE c.reason END, "
    "c.detail, c.http_status, s.file_name, c.attempts, c.final_url, c.rank, "
    "coalesce(c.settled_at, CASE WHEN c.reason = 'saved' THEN s.fetched_at END) "
    "FROM candidate c JOIN query q ON q.id = c.query_id "
    "LEFT JOIN sample s ON s.id = c.sample_id AND s.state IN (0, 1)"
)


class Outcomes:
    """The outcomes of a data set's URLs, in the order in which they were found.

    Each iteration reads them anew; one row is held at a time.

    Args:
        root: the data set folder.
        reason: of the closed list, such as `not_found`; several are joined by "or".
        status: saved, duplicate, near_duplicate, rejected, failed, skipped.
        query: text of a query, or its label.

    Raises:
        UsageError: no data set, no such reason, status or query.
    """

    def __init__(
        self,
        root: Path | str,
        *,
        reason: str | Collection[str] = (),
        status: str | Collection[str] = (),
        query: str | Collection[str] = (),
    ) -> None:
        self._folder = Folder(root)
        self._folder.require()
        statuses = {Status(_known("status", word, _STATUSES)) for word in _words(status)}
        reasons = {Reason(_known("reason", word, _REASONS)) for word in _words(reason)}
        self._reasons = frozenset(
            one
            for one, info in REASONS.items()
            if (not reasons or one in reasons) and (not statuses or info.status in statuses)
        )
        self._queries = self._query_ids(_words(query))

    def __iter__(self) -> Iterator[UrlOutcome]:
        with closing(connect(self._folder.catalog, read_only=True)) as db:
            try:
                still_open = open_reason(db)
                for row in db.execute(*self._question(_SELECT, " ORDER BY c.id", still_open)):
                    yield _outcome(row, still_open)
            except sqlite3.Error as error:
                raise StorageError(f"the catalog cannot be read: {error}") from error

    def __len__(self) -> int:
        with closing(connect(self._folder.catalog, read_only=True)) as db:
            select = "SELECT count(*) FROM candidate c"
            row = db.execute(*self._question(select, "", open_reason(db))).fetchone()
            return int(row[0])

    def __repr__(self) -> str:
        return f"<Outcomes of {len(self)} URLs in {str(self._folder.root)!r}>"

    def to_pandas(self) -> pandas.DataFrame:
        """One row per URL. Needs pandas."""
        try:
            import pandas
        except ImportError:
            raise MissingPackageError("to_pandas", "pandas") from None
        names = list(UrlOutcome.__struct_fields__)
        return pandas.DataFrame([one.row() for one in self], columns=names)

    def _question(self, select: str, order: str, still_open: Reason) -> tuple[str, list[Any]]:
        parts: list[str] = []
        values: list[Any] = []
        if len(self._reasons) < len(REASONS):
            also = " OR c.state < 2" if still_open in self._reasons else ""
            marks = _marks(self._reasons)
            parts.append(f"((c.state = 2 AND c.reason IN ({marks})){also})")
            values += sorted(self._reasons)
        if self._queries is not None:
            parts.append(f"c.query_id IN ({_marks(self._queries)})")
            values += self._queries
        where = f" WHERE {' AND '.join(parts)}" if parts else ""
        return f"{select}{where}{order}", values

    def _query_ids(self, words: Collection[str]) -> list[int] | None:
        if not words:
            return None
        with closing(connect(self._folder.catalog, read_only=True)) as db:
            rows = db.execute("SELECT id, text, label FROM query").fetchall()
        for word in words:
            _known("query", word, [name for row in rows for name in row[1:]])
        return [row[0] for row in rows if row[1] in words or row[2] in words]


_STATUSES: Final = [status.value for status in Status]
_REASONS: Final = [reason.value for reason in Reason]


def _outcome(row: tuple[Any, ...], still_open: Reason) -> UrlOutcome:
    url, query, label, source, name, detail, http, file_name, attempts, final_url, rank, when = row
    reason = still_open if name is None else Reason(name)
    return UrlOutcome(
        url=masked_url(url), query=masked_text(query), label=label, source=source,
        status=REASONS[reason].status, reason=reason, detail=masked_text(detail or ""),
        http_status=http, file_name=file_name or "", attempts=attempts,
        final_url=masked_url(final_url or ""), rank=rank, when=when or "",
    )  # fmt: skip


def _words(given: str | Collection[str]) -> Collection[str]:
    return (given,) if isinstance(given, str) else given


def _known(what: str, word: str, names: Collection[str]) -> str:
    if word not in names:
        near = get_close_matches(word, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(list(names)[:40])}"
        raise UsageError(f"no {what} {word!r} ({hint})")
    return word


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))
