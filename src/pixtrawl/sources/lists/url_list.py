"""URLs from files as a source, to combine own lists with searches.

With `-s urls --set urls.file=keyword_urls.txt` each query gets the rows that name it; with
`--set urls.file=lists/{label}.txt` it gets every row of its own file. A list of all queries is read
once a run, into an index on disk.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Final

from msgspec.structs import replace

from pixtrawl.errors import SourceStop, UsageError
from pixtrawl.manifests.columns import GivenColumns
from pixtrawl.manifests.reader import BadLine
from pixtrawl.model import Candidate, Query, SourceOutcome
from pixtrawl.sources.base import Page, SourceContext, SourceInfo, SourceSetting
from pixtrawl.sources.lists.list_index import ListIndex, ListWithNotices
from pixtrawl.sources.settings import read_settings

_PAGE: Final = 200  # rows per page
_PLACE: Final = "{label}"


class UrlList:
    """Rows of URL manifests and plain lists."""

    name: ClassVar[str] = "urls"
    info: ClassVar[SourceInfo] = SourceInfo(
        title="URLs from a file",
        base_url="",
        sentence="Gives the rows of a URL manifest or a plain list that belong to a query.",
        verified="real server",
        needs=("file",),
        settings=(
            SourceSetting("file", "", "manifest or list; {label} stands for the query's label"),
            SourceSetting("url_column", "", "column of the URLs (default: recognised by its name)"),
            SourceSetting("label_column", "", "column of the labels"),
            SourceSetting("enabled", "true", "false takes the source out of its groups"),
        ),
        limit="the file's length",
        license="per image",
        terms="Nobody is asked: the rows are your own.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        given = read_settings(self.name, self.info, settings).given
        self._file = given.get("file", "").strip()
        self._given = GivenColumns(
            given.get("url_column") or None, given.get("label_column") or None
        )
        if not self._file:
            raise UsageError("source urls: name the file with --set urls.file=FILE")
        if _PLACE not in self._file and not Path(self._file).exists():
            raise UsageError(f"urls.file: {self._file}: no such file")
        self._index: ListIndex | None = None

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Yield pages of the query's rows, in the order of the file. Raises SourceStop."""
        start = (context.position or {}).get("row")
        done = start if isinstance(start, int) else 0
        given = done > 0
        page: list[Candidate] = []
        row = 0
        for row, candidate in enumerate(await self._rows(query, context), 1):
            if row <= done:
                continue
            page.append(candidate)
            if len(page) == _PAGE:
                given = True
                yield Page(tuple(page), {"row": row})
                page = []
        if page:
            yield Page(tuple(page), {"row": row})
        elif not given:
            message = f"{self._file} has no row for this query"
            raise SourceStop(SourceOutcome.NO_RESULTS, message=message)

    async def aclose(self) -> None:
        """Remove the index of the list."""
        if self._index is not None:
            await self._index.aclose()
            self._index = None

    async def _rows(self, query: Query, context: SourceContext) -> Iterator[Candidate]:
        try:
            if _PLACE in self._file:
                found = self._of_own_file(query, context)
            else:
                if self._index is None:
                    listing = ListWithNotices(Path(self._file), self._given, context.emit)
                    self._index = ListIndex(listing)
                await self._index.ready()
                found = self._index.rows(query.text, query.label)
        except UsageError as error:
            raise SourceStop(SourceOutcome.UNSUPPORTED, message=str(error)) from error
        return (replace(one, query=query.text, label=query.label) for one in found)

    def _of_own_file(self, query: Query, context: SourceContext) -> Iterator[Candidate]:
        """Yield the rows of the query's own file. Raises UsageError at once."""
        path = Path(self._file.replace(_PLACE, query.label))
        if not path.exists():
            return iter(())
        listing = ListWithNotices(path, self._given, context.emit)
        return _with_notices(listing, listing.open())


def _with_notices(
    listing: ListWithNotices, rows: Iterator[Candidate | BadLine]
) -> Iterator[Candidate]:
    for one in rows:
        listing.announce((one,))
        if isinstance(one, Candidate):
            yield one
    listing.end()
