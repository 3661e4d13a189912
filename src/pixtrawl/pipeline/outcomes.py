"""Streams the outcome of each URL of a data set from its catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from pixtrawl.catalog import queries
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.outcomes import CandidateRow, OutcomeSelection, count, rows
from pixtrawl.errors import MissingPackageError, StorageError, UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.pipeline.report import open_reason
from pixtrawl.secrets import masked_text, masked_url, shown_url

if TYPE_CHECKING:
    import pandas

__all__ = ["Outcomes", "UrlOutcome"]


class UrlOutcome(Struct, frozen=True, kw_only=True):
    """The outcome of one URL. The fields are in the order of the columns of a report."""

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
        """Return a dict of the fields, in their order."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


class Outcomes:
    """The outcomes of a data set's URLs, in the order in which they were found.

    Each iteration reads the catalog anew and holds one row at a time.

    Args:
        root: the data set folder.
        reason: one or several reasons, such as `not_found`; several are alternatives.
        status: saved, duplicate, near_duplicate, rejected, failed or skipped; or several.
        query: text or label of a query; or several.
        withheld: also give the URLs of pictures that a block list refused, for a report of them.
        junk: only images that look like junk and were kept, because a list of yours names them.

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
        withheld: bool = False,
        junk: bool = False,
    ) -> None:
        self._junk = junk
        self._folder = Folder(root)
        self._folder.require()
        self._withheld = withheld
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
                for row in rows(db, self._choice(still_open)):
                    yield _outcome(row, still_open, self._withheld)
            except sqlite3.Error as error:
                raise StorageError(f"the catalog cannot be read: {error}") from error

    def __len__(self) -> int:
        with closing(connect(self._folder.catalog, read_only=True)) as db:
            return count(db, self._choice(open_reason(db)))

    def __repr__(self) -> str:
        return f"<Outcomes of {len(self)} URLs in {str(self._folder.root)!r}>"

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row per URL. Raise MissingPackageError without pandas."""
        try:
            import pandas
        except ImportError:
            raise MissingPackageError("to_pandas", "pandas") from None
        names = list(UrlOutcome.__struct_fields__)
        return pandas.DataFrame([one.row() for one in self], columns=names)

    def _choice(self, still_open: Reason) -> OutcomeSelection:
        """Return the selection of candidates; those without an outcome count as `still_open`."""
        return OutcomeSelection(
            self._reasons, still_open in self._reasons, self._queries, self._junk
        )

    def _query_ids(self, words: Collection[str]) -> tuple[int, ...] | None:
        if not words:
            return None
        with closing(connect(self._folder.catalog, read_only=True)) as db:
            known = queries.every(db)
        for word in words:
            _known("query", word, [name for one in known for name in (one.text, one.label)])
        return tuple(one.id for one in known if one.text in words or one.label in words)


_STATUSES: Final = [status.value for status in Status]
_REASONS: Final = [reason.value for reason in Reason]


def _outcome(row: CandidateRow, still_open: Reason, withheld: bool) -> UrlOutcome:
    reason = row.reason or still_open
    shown = masked_url if withheld else partial(shown_url, reason=reason)
    return UrlOutcome(
        url=shown(row.url), query=masked_text(row.query), label=row.label, source=row.source,
        status=REASONS[reason].status, reason=reason, detail=masked_text(row.detail or ""),
        http_status=row.http_status, file_name=row.file_name or "", attempts=row.attempts,
        final_url=shown(row.final_url or ""), rank=row.rank, when=row.settled_at or "",
    )  # fmt: skip


def _words(given: str | Collection[str]) -> Collection[str]:
    return (given,) if isinstance(given, str) else given


def _known(what: str, word: str, names: Collection[str]) -> str:
    if word not in names:
        near = get_close_matches(word, names, 1)
        hint = f"did you mean {near[0]}?" if near else f"one of {', '.join(list(names)[:40])}"
        raise UsageError(f"no {what} {word!r} ({hint})")
    return word
