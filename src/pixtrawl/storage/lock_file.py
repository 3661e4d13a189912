"""The lock file: a small recipe from which a colleague rebuilds a data set; written and read.

JSON with one image a line, so that two of them can be compared with `diff`; the same data set gives
the same bytes. Nothing in it depends on when or where it was written.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.labels import label_for
from pixtrawl.model import Candidate, Filters, ImageInfo, Kind, Query, Sample
from pixtrawl.secrets import masked_text, masked_url
from pixtrawl.storage import samples
from pixtrawl.storage.folder import Folder

__all__ = ["Lock", "Locked", "keep_settings", "lock_lines", "read_lock"]

_VERSION: Final = 1
_SETTINGS: Final = ("images", "filters")  # groups that decide what is in a data set
_LOCAL: Final = frozenset({"decoders", "decoder_memory_bytes", "decoder_timeout_s"})
_MAX_NUMBER: Final = 10**9
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class Locked(Struct, frozen=True):
    """One image of a recipe."""

    number: int
    candidate: Candidate
    final_url: str
    sha256: str
    phash: bytes
    size_bytes: int
    filters: Filters = Filters()

    @property
    def query(self) -> Query:
        """The query that it belongs to, for as many images as the recipe has."""
        return Query(self.candidate.query, self.candidate.label, None, self.filters)

    def drift(self, info: ImageInfo, bits: int) -> str | None:
        """What differs in a file fetched now: "" for the same bytes, None for another picture.

        Two files show the same picture where their hashes differ by at most `bits`.
        """
        if info.sha256 == self.sha256:
            return ""
        if not self.phash or not info.phash:
            return None
        distance = (int.from_bytes(self.phash) ^ int.from_bytes(info.phash)).bit_count()
        return f"other bytes, {distance} bits" if distance <= bits else None


class Lock(Struct, frozen=True):
    """A whole recipe."""

    settings: Mapping[str, Mapping[str, object]]
    images: tuple[Locked, ...]


def lock_lines(
    db: sqlite3.Connection, folder: Folder, *, without: frozenset[int] = frozenset()
) -> Iterator[str]:
    """The lock file of a data set, line by line with their ends; `without` images of some ids."""
    queries = [
        {"text": masked_text(text), "label": label, "filters": json.loads(filters)}
        for text, label, filters in db.execute(
            "SELECT text, label, filters FROM query UNION "  # and what a person put elsewhere
            "SELECT q.text, s.label, q.filters FROM sample s JOIN query q ON q.id = s.query_id "
            "WHERE s.state IN (0, 1) AND s.label <> q.label ORDER BY 2, 1, 3"
        )
    ]
    places = {
        (query["text"], query["label"], json.dumps(query["filters"], sort_keys=True)): at
        for at, query in enumerate(queries)
    }
    filters_of = dict(db.execute("SELECT s.id, q.filters FROM sample s JOIN query q ON "
                                 "q.id = s.query_id WHERE s.state IN (0, 1)"))  # fmt: skip
    yield f'{{"pixtrawl_lock": {_VERSION},\n"settings": {_json(_settings(db))},\n"queries": [\n'
    yield ",\n".join(map(_json, queries))
    yield '\n],\n"images": [\n'
    separator = ""
    for sample in samples.read(db, folder, provenance=False, without=without):
        filters = json.dumps(json.loads(filters_of[sample.id]), sort_keys=True)
        at = places[masked_text(sample.candidate.query), sample.label, filters]
        yield separator + _json(_row(sample, at))
        separator = ",\n"
    yield "\n]}\n"


def _settings(db: sqlite3.Connection) -> dict[str, object]:
    row = db.execute("SELECT settings FROM run ORDER BY id DESC LIMIT 1").fetchone()
    every = json.loads(row[0]) if row else {}
    return {
        group: {k: v for k, v in every[group].items() if v is not None and k not in _LOCAL}
        for group in _SETTINGS
        if group in every
    }


def keep_settings(db: sqlite3.Connection, run_id: int, lock: Lock) -> None:
    """Makes a run that rebuilds a recipe one of the recipe's settings: it has the same lock."""
    (text,) = db.execute("SELECT settings FROM run WHERE id = ?", (run_id,)).fetchone()
    every = json.loads(text) | {k: v for k, v in lock.settings.items() if k in _SETTINGS}
    text = json.dumps(every, sort_keys=True, ensure_ascii=False)
    db.execute("UPDATE run SET settings = ? WHERE id = ?", (text, run_id))


def _row(sample: Sample, query: int) -> dict[str, object]:
    found, info = sample.candidate, sample.info
    row: dict[str, object] = {
        "query": query,
        "number": sample.number,
        "url": masked_url(sample.url),
        "final_url": masked_url(sample.final_url) if sample.final_url != sample.url else None,
        "kind": sample.kind.value if sample.kind is not Kind.ORIGINAL else None,
        "sha256": info.sha256,
        "phash": info.phash.hex() or None,
        "size_bytes": info.size_bytes,
        "source": found.source,
        "rank": found.rank or None,
        "page_url": found.page_url and masked_url(found.page_url),
        "title": found.title,
        "license": found.license,
        "license_url": found.license_url and masked_url(found.license_url),
        "creator": found.creator,
        "own": found.own or None,
        "file_stem": found.file_stem,
    }
    return {name: value for name, value in row.items() if value is not None}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def read_lock(path: Path) -> Lock:
    """A recipe. Raises UsageError, with what is wrong and where."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no lock file: {error}") from error
    version = content.get("pixtrawl_lock") if isinstance(content, dict) else None
    if version != _VERSION:
        told = "is no lock file" if version is None else f"is of version {version}, not {_VERSION}"
        raise UsageError(f"{path}: {told}")
    try:
        queries = [_query(row) for row in content["queries"]]
        images = tuple(_locked(row, queries) for row in content["images"])
        settings = {group: dict(values) for group, values in content.get("settings", {}).items()}
        return Lock(settings, images)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"{path}: a row cannot be understood: {error!r}") from error


def _query(row: Mapping[str, Any]) -> Query:
    text, label = str(row["text"]), str(row["label"])
    if label_for(label) != label:  # a path component from a stranger's file
        raise ValueError(f"{label!r} is no label")
    given = {k: str(v) for k, v in row.get("filters", {}).items() if k in Filters.__struct_fields__}
    return Query(text, label, None, Filters(**given))


def _locked(row: Mapping[str, Any], queries: Sequence[Query]) -> Locked:
    number, sha256, phash = int(row["number"]), str(row["sha256"]), str(row.get("phash") or "")
    if not 0 < number < _MAX_NUMBER or not _SHA256.fullmatch(sha256):
        raise ValueError(f"number {number}, sha256 {sha256[:70]!r}")
    query = queries[int(row["query"])]
    texts = ("page_url", "title", "license", "license_url", "creator", "file_stem")
    own = row.get("own")
    candidate = Candidate(
        url=str(row["url"]),
        query=query.text,
        label=query.label,
        source=str(row.get("source") or "urls"),
        rank=int(row.get("rank") or 0),
        kind=Kind(row.get("kind") or Kind.ORIGINAL),
        extra=json.dumps(own, ensure_ascii=False) if isinstance(own, dict) and own else "",
        **{name: str(row[name]) for name in texts if row.get(name) is not None},  # type: ignore[arg-type]
    )
    return Locked(
        number=number,
        candidate=candidate,
        final_url=str(row.get("final_url") or row["url"]),
        sha256=sha256,
        phash=bytes.fromhex(phash) if len(phash) == 64 else b"",
        size_bytes=int(row.get("size_bytes") or 0),
        filters=query.filters,
    )
