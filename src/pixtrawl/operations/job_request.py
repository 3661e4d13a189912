"""Requests of a run by a front end: which queries, sources and filters, and where to."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.config.load import change, registered_sources
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.known_queries import known_queries
from pixtrawl.model import Query
from pixtrawl.queries import QueryDefaults, read_queries
from pixtrawl.query_rows import GivenQuery

__all__ = ["JobQuery", "JobRequest", "configured", "queries_of", "require_place"]

# What a request may set. Addresses, keys, files and politeness belong to the person who started the
# program: a request could otherwise open the address guard or read the person's files.
FILTERS: Final = frozenset(
    {
        "size", "color", "type", "aspect", "date", "license", "site", "lang", "region", "safe",
        "min_size", "dedup",
    }
)  # fmt: skip
_MOST_NUMBER: Final = 10_000_000


class JobQuery(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A query; without `number`, that of the request holds."""

    text: str
    label: str = ""
    number: int | None = None


class JobRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A run to be estimated or started; `csv` is the content of a list of queries.

    `number` counts images for each query, `path` is the folder of the data set (`set`: the same).
    """

    queries: Sequence[JobQuery] = ()
    csv: str = ""
    sources: Sequence[str] = ()
    filters: Mapping[str, str] = {}
    number: int = 100
    purpose: Literal["train", "search"] | None = None
    path: str = ""
    set: str = ""

    @property
    def folder(self) -> str:
        """The folder of the data set; "" where none is named."""
        return self.path or self.set


def configured(request: JobRequest, base: Config) -> Config:
    """Return the settings of the run: those of `base`, changed by the request.

    Raises:
        UsageError: an unknown source, a filter that a request may not set, an invalid value.
    """
    for name in request.filters:
        if name not in FILTERS:
            raise UsageError(f"{name!r} is no filter: {', '.join(sorted(FILTERS))}")
    if not 1 <= request.number <= _MOST_NUMBER:
        raise UsageError(f"number is a whole number from 1 to {_MOST_NUMBER:,}")
    values: dict[str, Any] = {"limit": request.number, "set": [], **request.filters}
    if request.sources:
        values["source"] = list(request.sources)
    if request.purpose:
        values["purpose"] = request.purpose
    if request.folder:
        values["output"] = str(Path(request.folder).expanduser().absolute())
    config = change(base, values, known=registered_sources(), place="request")
    sources.expand(config.job.sources, config.sources)  # raises for an unknown one
    return config


def queries_of(request: JobRequest, config: Config) -> list[Query]:
    """Return the queries. Raise UsageError where there are none, or a row cannot be used."""
    defaults = QueryDefaults(limit=config.job.limit, filters=config.filters)
    given: list[str | GivenQuery] = [
        GivenQuery(one.text, one.label, one.number) for one in request.queries
    ]
    if not given and not request.csv.strip():
        raise UsageError("there is no query: give words, or a list with one query a line")
    taken = known_queries(Folder(config.job.output)) if request.folder else []
    if not request.csv.strip():
        return read_queries(given, defaults, taken=taken)
    with tempfile.TemporaryDirectory(prefix="pixtrawl-list-") as name:
        file = Path(name) / "list.csv"
        file.write_text(request.csv, "utf-8")
        try:
            return read_queries([*given, str(file)], defaults, taken=taken)
        except UsageError as error:  # the person has given no such path
            raise UsageError(str(error).replace(str(file), "the list")) from None


def require_place(folder: Path, roots: Sequence[Path]) -> None:
    """Check that a job may write into a folder.

    That is a data set, or a new or empty folder below one of `roots`, with no hidden part. Raise
    UsageError otherwise.
    """
    resolved = folder.resolve()
    inside = [root.resolve() for root in roots if resolved.is_relative_to(root.resolve())]
    own = [root for root in inside if root != Path(root.anchor) and root != resolved]
    if Folder(folder).exists() and inside:
        return
    if not own:
        raise UsageError(
            f"{folder}: data sets go below your home folder, the folder the program was started "
            "in, or one named with --folder"
        )
    if all(any(part.startswith(".") for part in resolved.relative_to(root).parts) for root in own):
        raise UsageError(f"{folder}: choose a folder that is not hidden")
    try:
        if resolved.exists() and (not resolved.is_dir() or any(resolved.iterdir())):
            raise UsageError(f"{folder} is there already and is no data set; choose another name")
    except OSError as error:
        raise UsageError(f"{folder} cannot be read: {error.strerror or error}") from error
