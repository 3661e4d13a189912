"""The remains of a data set without its catalog: the images described, the files, the queries."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field

from pixtrawl.catalog.rebuild.described import Described
from pixtrawl.catalog.rebuild.salvage import Salvaged
from pixtrawl.folder.bare import ODD, described
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.derived.metadata_rows import metadata_row
from pixtrawl.folder.layout import inside
from pixtrawl.labels import label_for

__all__ = ["Remains", "homes", "read"]

_MAX_LIST_BYTES: Final = 256 * 2**20  # of keyword_urls.txt; it is parsed in memory


class Remains(Struct):
    """Descriptions from the files and the readable rest of the catalog."""

    images: dict[str, Described] = field(default_factory=dict)  # by file name
    texts: dict[str, str] = field(default_factory=dict)  # query of each label
    bad_lines: int = 0


def read(folder: Folder, salvaged: Salvaged) -> Remains:
    """Read metadata.jsonl, then keyword_urls.txt and what was salvaged of the catalog."""
    found = Remains()
    for row in _rows(folder.metadata, found):
        _take(found, folder.root, row)
    for sample in salvaged.images:
        _take(found, folder.root, dict(metadata_row(sample)) | {"url": sample.url})
    labels: dict[str, Counter[str]] = {}
    for image in found.images.values():
        labels.setdefault(image.label, Counter())[image.query] += 1
    for text in _queries(folder.keyword_urls):
        found.texts.setdefault(label_for(text), text)
    found.texts |= {label: texts.most_common(1)[0][0] for label, texts in labels.items()}
    found.texts |= {label: text for text, label, *_ in salvaged.queries}
    return found


def _take(found: Remains, root: Path, row: Mapping[str, Any]) -> None:
    try:
        image = described(row, len(found.images) + 1)
        inside(root, image.file_name)
    except ODD:
        found.bad_lines += 1
        return
    found.images[image.file_name] = image


def _rows(metadata: Path, found: Remains) -> Iterator[Mapping[str, Any]]:
    """Yield the lines that are JSON objects; a power cut may have torn others."""
    try:
        with metadata.open("rb") as file:
            for line in file:
                try:
                    row = json.loads(line)
                except ValueError:
                    row = None
                if isinstance(row, dict):
                    yield row
                else:
                    found.bad_lines += 1
    except FileNotFoundError:
        return


def _queries(path: Path) -> list[str]:
    """Return the texts of keyword_urls.txt, the newest record of what was asked."""
    try:
        if path.stat().st_size > _MAX_LIST_BYTES:
            return []
        content = ast.literal_eval(path.read_text("utf-8"))
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        return []  # gone or torn: labels stand for their queries then
    return [text for text in content if isinstance(text, str)] if isinstance(content, dict) else []


def homes(images: Iterable[Described], aliases: Mapping[str, str]) -> dict[tuple[str, str], str]:
    """Return the label of the query of each (text, label), which differs where a person moved it.

    An image counts for the query's own label if the query has images there.
    """
    labels: dict[str, set[str]] = {}
    for image in images:
        labels.setdefault(image.query, set()).add(image.label)
    found: dict[tuple[str, str], str] = {}
    for text, own in labels.items():
        home = _home(text, sorted(own), aliases)
        found |= {(text, label): home or label for label in own}
    return found


def _home(text: str, labels: Sequence[str], aliases: Mapping[str, str]) -> str | None:
    first = label_for(text)
    first = aliases.get(first, first)
    return first if first in labels else None
