"""`Dataset`: the images of a folder or a selection of them, ordered by label and number."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy as shallow_copy
from pathlib import Path
from typing import TYPE_CHECKING, overload

from msgspec import Struct

from pixtrawl.brief import cut
from pixtrawl.dataset.by_models import ByModels
from pixtrawl.dataset.conditions import check, matches
from pixtrawl.dataset.life import Life, log_changes_by_hand
from pixtrawl.dataset.listing import BriefList
from pixtrawl.dataset.outputs import Outputs
from pixtrawl.dataset.places import samples_of
from pixtrawl.dataset.publishing import Publishing
from pixtrawl.errors import PixtrawlError
from pixtrawl.folder.sample_list import Samples
from pixtrawl.model import Sample
from pixtrawl.report import Report

if TYPE_CHECKING:
    from pixtrawl.pipeline.curating.curate import Copy
    from pixtrawl.pipeline.outcomes import Outcomes

__all__ = ["Dataset", "DuplicateGroup"]


class DuplicateGroup(Struct, frozen=True):
    """A kept image and the near duplicates that were dropped in its favour."""

    kept: Sample
    copies: tuple[Copy, ...]

    def __repr__(self) -> str:
        return f"<DuplicateGroup {cut(self.kept.file_name, 200)} +{len(self.copies)}>"


class Dataset(Life, Outputs, Publishing, ByModels):
    """A data set: its report, and its images ordered by label and number.

    `len(ds)`, `ds[0].path`, `for sample in ds`, `ds.report.totals.saved`, `ds.verdict`.

    As the result of a run it holds the images of that run's queries and the run's report; opened
    with `pixtrawl.open(folder)` it holds everything in the folder.

    It follows the folder: `len()`, iteration and indexing reflect later runs and files deleted by
    hand. A filtered data set is a fixed selection: it does not grow, and iteration skips images
    that are gone. An index or a slice costs one query of the catalog, whatever the size; 8 bytes
    per image are held in memory. It can be pickled, forked and used by several threads: each
    process and thread has its own connection.

    A set of shards is opened in the same way, by its folder or URL. Its images come in the order of
    shards and rows, as of the opening, and are read shard by shard: `sample.read()` gives the bytes
    of one, and `sample.path` raises. What changes a data set needs a folder.

    Example:
        >>> ds = pixtrawl.open("images")
        >>> sharp = ds.filter(sharpness__gt=100, label="tabby cat")
        >>> loader = torch.utils.data.DataLoader(sharp.to_torch(transform), num_workers=4)
    """

    def __init__(
        self,
        root: Path | str,
        report: Report | None = None,
        *,
        query_ids: Iterable[int] | None = None,
    ) -> None:
        """Open a folder, or a set of shards. Raise UsageError if it holds no data set."""
        self._query_ids = None if query_ids is None else tuple(query_ids)
        self._samples = samples_of(root, self._query_ids)
        log_changes_by_hand(self._samples)
        self._report = report
        self._ids: Sequence[int] | None = None  # of a filtered one; None: every image

    @property
    def root(self) -> Path:
        """The folder of the data set, as an absolute path: `ds.root / "metadata.jsonl"`.

        Raise UsageError for a set of shards.
        """
        return self._samples.folder.root

    @property
    def report(self) -> Report:
        """The report of the run that returned this data set, else of all runs on the folder."""
        if self._report is None:
            if not isinstance(self._samples, Samples):
                self._report = self._samples.report()
            else:
                from pixtrawl.pipeline.report import report

                self._report = report(self.root)
        return self._report

    @property
    def verdict(self) -> str:
        """The report as the last screen of `pixtrawl run`: results, shortfalls and next steps."""
        import shlex

        from pixtrawl.display.verdict import verdict

        return verdict(self.report, where=shlex.quote(self._samples.shown))

    @property
    def labels(self) -> list[str]:
        """The labels of its images, sorted; the position of a label is its class index."""
        return self._samples.labels(self._ids)

    def __len__(self) -> int:
        return len(self._samples) if self._ids is None else len(self._ids)

    def __iter__(self) -> Iterator[Sample]:
        return iter(self._samples) if self._ids is None else self._samples.some(self._ids)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> BriefList[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | BriefList[Sample]:
        ids = self._samples.ids() if self._ids is None else self._ids
        if isinstance(index, slice):
            return BriefList(self._samples.together(ids[index]))
        try:
            sample_id = ids[index]
        except IndexError:
            raise IndexError(f"image {index} of {len(ids)}") from None
        return self._samples.by_id(sample_id)

    def __repr__(self) -> str:
        return f"Dataset({cut(self._samples.shown, 200)!r}, {cut(self._standing(), 180)})"

    def _repr_html_(self) -> str:
        """Return HTML for a notebook: counts by label, queries that are short, first pictures."""
        from pixtrawl.dataset.preview import STRIP_COUNT, page

        shown: Sequence[Sample] = ()
        counts: Mapping[str, int] = {}
        try:
            counts = self._counts()
            shown = self._firsts(STRIP_COUNT)
        except (PixtrawlError, sqlite3.Error):
            pass  # the headline shows the error
        return page(f"{self._samples.shown}: {self._standing()}", counts, shown)

    def _firsts(self, count: int) -> Sequence[Sample]:
        if self._ids is None:
            return self._samples.firsts(count)
        from pixtrawl.dataset.sheet import spread

        return spread(self, count)

    def _standing(self) -> str:
        """Return a summary such as `253 images of 3 labels`; never raise, since `repr` calls it."""
        try:
            counts = self._counts()
        except (PixtrawlError, sqlite3.Error) as error:
            return f"not readable: {error}"
        images, labels = sum(counts.values()), len(counts)
        text = f"{images} image{'s' * (images != 1)}"
        if labels != 1:
            text += f" of {labels} labels"
        elif images:
            text += f" of {next(iter(counts))!r}"
        if self._report is not None and self._ids is None:
            from pixtrawl.amounts import plural

            queries = self._report.queries
            if short := sum(query.is_short for query in queries):
                text += f", {short} of {plural(len(queries), 'query', 'queries')} short"
        return text

    def _counts(self) -> Mapping[str, int]:
        return self._samples.counts(self._ids)

    # -- choosing

    def filter(
        self, predicate: Callable[[Sample], bool] | None = None, **conditions: object
    ) -> Dataset:
        """Return the images for which `predicate` is true and all conditions hold.

        A condition is a column of metadata.jsonl, equal to a value or with the suffix `__gt`,
        `__ge`, `__lt`, `__le`, `__ne`, `__in` or `__contains`:
        `filter(sharpness__gt=100, license_id__in=["cc0", "pdm"])`.

        Raises:
            UsageError: no such column or comparison.
        """
        from pixtrawl.folder.derived.metadata_rows import metadata_row

        ids, rest = self._samples.chosen(conditions, self._ids)
        if rest:
            for sample in self._samples.some(ids[:1]):
                check(metadata_row(sample), rest)
        if rest or predicate is not None:
            ids = array(
                "q",
                (
                    sample.id
                    for sample in self._samples.some(ids)
                    if (not rest or matches(metadata_row(sample), rest))
                    and (predicate is None or predicate(sample))
                ),
            )
        chosen = shallow_copy(self)
        chosen._ids = ids
        return chosen

    def sort(self, column: str, *, descending: bool = False) -> Dataset:
        """Return the images in the order of a column of metadata.jsonl, such as a score.

        Images without a value come last; equal ones keep their order.

        Raises:
            UsageError: no such column.

        Example:
            >>> ds.sort("relevance", descending=True)[:100]
        """
        from pixtrawl.dataset.ordering import ordered

        chosen = shallow_copy(self)
        chosen._ids = array("q", ordered(self, column, descending=descending))
        return chosen

    def duplicates(self) -> BriefList[DuplicateGroup]:
        """Return each image that replaced near duplicates, together with those that were dropped.

        `pixtrawl dedup DIR --undo SHA256` restores a dropped one.
        """
        from pixtrawl.pipeline.curating.curate import copies

        found: dict[str, list[Copy]] = {}
        for copy in copies(self._samples.folder):
            found.setdefault(copy.of, []).append(copy)
        return BriefList(
            DuplicateGroup(sample, tuple(found[sample.file_name]))
            for sample in self
            if sample.file_name in found
        )

    def outcomes(
        self,
        *,
        reason: str | Collection[str] = (),
        status: str | Collection[str] = (),
        query: str | Collection[str] = (),
    ) -> Outcomes:
        """Return the outcome of every URL: an iterable of `UrlOutcome` with `len()`, `to_pandas()`.

        It covers the whole data set even if this one is filtered. `ds.outcomes(status="failed")`
        lists the failed URLs.

        Args:
            reason: only these reasons, such as `not_found`.
            status: only these: saved, duplicate, near_duplicate, rejected, failed, skipped.
            query: only these queries, by text or label.

        Raises:
            UsageError: no such reason, status or query.
        """
        if not isinstance(self._samples, Samples):
            return self._samples.outcomes(reason=reason, status=status, query=query)
        from pixtrawl.pipeline.outcomes import Outcomes

        return Outcomes(self.root, reason=reason, status=status, query=query)
