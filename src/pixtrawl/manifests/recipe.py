"""Reads and writes the lock file, a small recipe from which others can rebuild a data set.

It is JSON with one image per line, for comparison with `diff`. Its output is deterministic: it does
not depend on time or machine, and the same data set gives the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from pixtrawl.batches import batches
from pixtrawl.errors import UsageError
from pixtrawl.labels import label_for
from pixtrawl.model import Candidate, Filters, ImageInfo, Kind, Query, Sample
from pixtrawl.secrets import masked_text, masked_url

__all__ = ["Recipe", "RecipeImage", "read_recipe", "recipe_lines"]

_VERSION: Final = 1
_SETTINGS: Final = ("images", "filters")  # groups that affect the content of a data set
_LOCAL: Final = frozenset(
    {"decoders", "decoder_memory_bytes", "decoder_timeout_s", "decoder_stall_s"}
)
_SORTED: Final = msgspec.json.Encoder(order="sorted").encode
_MAX_NUMBER: Final = 10**9
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


class RecipeImage(Struct, frozen=True):
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
        """The query that the image belongs to, without a limit on the number of images."""
        return Query(self.candidate.query, self.candidate.label, None, self.filters)

    def drift(self, info: ImageInfo, bits: int) -> str | None:
        """Return how a newly fetched file differs: "" for the same bytes, None for another image.

        The image counts as the same if the perceptual hashes differ by at most `bits` bits.
        """
        if info.sha256 == self.sha256:
            return ""
        if not self.phash or not info.phash:
            return None
        distance = (int.from_bytes(self.phash) ^ int.from_bytes(info.phash)).bit_count()
        return f"other bytes, {distance} bits" if distance <= bits else None


class Recipe(Struct, frozen=True):
    """The content of a lock file."""

    settings: Mapping[str, Mapping[str, object]]
    images: tuple[RecipeImage, ...]

    @property
    def deciding_settings(self) -> dict[str, Mapping[str, object]]:
        """The groups of settings that affect the content of a data set."""
        return {group: values for group, values in self.settings.items() if group in _SETTINGS}


def recipe_lines(
    settings: Mapping[str, Mapping[str, object]],
    queries: Iterable[tuple[str, str, str]],
    images: Iterable[tuple[Sample, str]],
    models: Sequence[Mapping[str, object]] = (),
) -> Iterator[str]:
    """Yield the text of a recipe in pieces of some lines.

    `settings` are those of the newest run, `queries` are (text, label, filters as JSON), `images`
    are (sample, filters of its query as JSON), `models` those that scored images, with the hashes
    of their files.
    """
    asked = [
        {"text": masked_text(text), "label": label, "filters": json.loads(filters)}
        for text, label, filters in queries
    ]
    places = {
        (row["text"], row["label"], json.dumps(row["filters"], sort_keys=True)): at
        for at, row in enumerate(asked)
    }
    yield f'{{"pixtrawl_lock": {_VERSION},\n"settings": {_json(_portable(settings))},\n'
    if models:
        yield '"models": [\n' + ",\n".join(map(_json, models)) + "\n],\n"
    yield '"queries": [\n'
    yield ",\n".join(map(_json, asked))
    yield '\n],\n"images": [\n'
    sort, separator = lru_cache(_sorted_filters), ""
    for batch in batches(images):
        rows = [
            _row(sample, places[masked_text(sample.candidate.query), sample.label, sort(filters)])
            for sample, filters in batch
        ]
        yield separator + ",\n".join(map(_row_json, rows))
        separator = ",\n"
    yield "\n]}\n"


def _sorted_filters(filters: str) -> str:
    return json.dumps(json.loads(filters), sort_keys=True)


def _portable(settings: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Return the settings that affect the content and do not depend on the machine."""
    return {
        group: {k: v for k, v in settings[group].items() if v is not None and k not in _LOCAL}
        for group in _SETTINGS
        if group in settings
    }


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


def _row_json(row: Mapping[str, object]) -> str:
    """Return an image's row as `_json` does, three times as fast where it has no own columns.

    Those may hold integers of more than 64 bits.
    """
    return _json(row) if "own" in row else msgspec.json.format(_SORTED(row), indent=0).decode()


def read_recipe(path: Path) -> Recipe:
    """Return the recipe in a lock file. Raise UsageError if it cannot be read or is invalid."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: is no lock file: {error}") from error
    version = content.get("pixtrawl_lock") if isinstance(content, dict) else None
    if version != _VERSION:
        problem = (
            "is no lock file" if version is None else f"is of version {version}, not {_VERSION}"
        )
        raise UsageError(f"{path}: {problem}")
    try:
        queries = [_query(row) for row in content["queries"]]
        images = tuple(_image(row, queries) for row in content["images"])
        settings = {group: dict(values) for group, values in content.get("settings", {}).items()}
        return Recipe(settings, images)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise UsageError(f"{path}: a row cannot be understood: {error!r}") from error


def _query(row: Mapping[str, Any]) -> Query:
    text, label = str(row["text"]), str(row["label"])
    if label_for(label) != label:  # untrusted: it becomes a path component
        raise ValueError(f"{label!r} is no label")
    given = {k: str(v) for k, v in row.get("filters", {}).items() if k in Filters.__struct_fields__}
    return Query(text, label, None, Filters(**given))


def _image(row: Mapping[str, Any], queries: Sequence[Query]) -> RecipeImage:
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
    return RecipeImage(
        number=number,
        candidate=candidate,
        final_url=str(row.get("final_url") or row["url"]),
        sha256=sha256,
        phash=bytes.fromhex(phash) if len(phash) == 64 else b"",
        size_bytes=int(row.get("size_bytes") or 0),
        filters=query.filters,
    )
