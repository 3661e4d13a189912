"""What was taken down, and remembering it: domains, URLs, bytes and looks that never come back.

The rows of removed images stay, without their picture, so that neither number nor bytes return.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.model import Candidate, ImageInfo, Reason
from pixtrawl.secrets import masked_url
from pixtrawl.storage import files, quarantine, samples
from pixtrawl.storage.folder import Folder
from pixtrawl.storage.journal import now
from pixtrawl.storage.samples import State
from pixtrawl.urls import host_of, same_or_subdomain, url_key

__all__ = [
    "KINDS",
    "Rule",
    "Taken",
    "TakenDown",
    "finish",
    "load",
    "matching",
    "parse_rule",
    "remember",
    "remove",
]

KINDS: Final = ("domain", "url", "sha256", "phash")
_HASH_BITS: Final = 256
_STRICT_BITS: Final = 31  # never two natural pictures (dedup.near)


class Rule(Struct, frozen=True):
    """One thing that was taken down. A phash's value is `HEX:BITS`."""

    kind: str
    value: str
    at: str = ""


class Taken(Struct, frozen=True):
    """A kept image that rules apply to."""

    sample_id: int
    file_name: str
    sha256: str
    why: str


def parse_rule(kind: str, text: str) -> Rule:
    """A rule as a user writes it. Raises UsageError."""
    text = text.strip()
    if kind == "domain":
        host = host_of(f"http://{text.removeprefix('*').removeprefix('.')}/")
        if not host or "/" in text:
            raise UsageError(f"--domain: {text!r} is no host name (example: example.org)")
        return Rule(kind, host)
    if kind == "url":
        if not host_of(text) and not text.lower().startswith("data:"):
            raise UsageError(f"--url: {text!r} is no URL")
        return Rule(kind, text)
    lowered = text.lower()
    if kind == "sha256":
        if not re.fullmatch(r"[0-9a-f]{64}", lowered):
            raise UsageError(f"--sha256: {text!r} is not 64 hexadecimal digits")
        return Rule(kind, lowered)
    match = re.fullmatch(r"([0-9a-f]{64})(?::(\d{1,3}))?", lowered)
    if match is None or int(match[2] or 0) > _HASH_BITS // 4:
        raise UsageError(
            f"--phash: {text!r} is not 64 hexadecimal digits, perhaps with a distance of at most "
            f"{_HASH_BITS // 4} bits behind a colon"
        )
    return Rule(kind, f"{match[1]}:{match[2] or _STRICT_BITS}")


class TakenDown:
    """All rules of a data set, ready to be asked."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._domains = [rule.value for rule in rules if rule.kind == "domain"]
        self._urls = {url_key(rule.value) for rule in rules if rule.kind == "url"}
        self._sha256 = {rule.value for rule in rules if rule.kind == "sha256"}
        self._looks = [_look(rule.value) for rule in rules if rule.kind == "phash"]

    def why_url(self, candidate: Candidate, url: str) -> str | None:
        """Why this URL of a candidate is never fetched again, or None."""
        if not self.rules:
            return None
        for one in (url, candidate.url, candidate.page_url or ""):
            if one and (why := self._why(one)) is not None:
                return why
        return None

    def _why(self, url: str) -> str | None:
        # What is asked for may be copied from where addresses are masked.
        if self._urls and not self._urls.isdisjoint((url_key(url), url_key(masked_url(url)))):
            return "its URL"
        host = host_of(url) if self._domains else ""
        found = (domain for domain in self._domains if same_or_subdomain(host, domain))
        domain = next(found, None) if host else None
        return None if domain is None else f"domain {domain}"

    def why_content(self, info: ImageInfo) -> str | None:
        """Why this picture is never kept again, or None."""
        if info.sha256 in self._sha256:
            return "its bytes"
        for wanted, bits in self._looks:
            for own in (info.phash, info.phash_trim):
                if own and (int.from_bytes(own) ^ wanted).bit_count() <= bits:
                    return "its look"
        return None


def _look(value: str) -> tuple[int, int]:
    digits, _, bits = value.partition(":")
    return int(digits, 16), int(bits)


def load(db: sqlite3.Connection) -> TakenDown:
    """What a data set was told."""
    return TakenDown([Rule(*row) for row in db.execute("SELECT kind, value, at FROM takedown")])


def remember(db: sqlite3.Connection, rules: Sequence[Rule]) -> None:
    """Adds rules; open candidates that they name are settled at once."""
    at = now()
    db.executemany(
        "INSERT OR IGNORE INTO takedown (kind, value, at) VALUES (?, ?, ?)",
        ((r.kind, r.value, at) for r in rules),
    )
    down = TakenDown([rule for rule in rules if rule.kind in {"domain", "url"}])
    if not down.rules:
        return
    rows = db.execute("SELECT id, url, page_url FROM candidate WHERE state < 2")
    named = [row_id for row_id, url, page in rows if down.why_url(_bare(url, page), url)]
    db.executemany(
        "UPDATE candidate SET state = 2, reason = ? WHERE id = ?",
        ((Reason.TAKEN_DOWN.value, row_id) for row_id in named),
    )


def _bare(url: str, page_url: str | None) -> Candidate:
    return Candidate(url=url, query="", label="", source="", page_url=page_url)


def matching(db: sqlite3.Connection, down: TakenDown) -> Iterator[Taken]:
    """The kept images that the rules apply to."""
    rows = db.execute(
        "SELECT s.id, s.file_name, s.sha256, s.format, s.phash, s.phash_trim, c.url, c.page_url, "
        "c.fetched_url, c.final_url FROM sample s JOIN candidate c ON c.id = s.candidate_id "
        "WHERE s.state IN (0, 1) ORDER BY s.label, s.number"
    )
    for row in rows:
        info = ImageInfo(format=row[3], sha256=row[2].hex(), phash=row[4], phash_trim=row[5])
        why = down.why_content(info)
        for url in (row[8], row[9], row[6]):
            why = why or (down.why_url(_bare(row[6], row[7]), url) if url else None)
        if why is not None:
            yield Taken(row[0], row[1], info.sha256, why)


def remove(db: sqlite3.Connection, taken: Sequence[Taken]) -> None:
    """Marks images as taken down and remembers their bytes; `finish` removes the files."""
    for one in taken:
        samples.mark(db, one.sample_id, State.TAKEN_DOWN)
        db.execute("UPDATE sample SET thumb = X'' WHERE id = ?", (one.sample_id,))
    remember(db, [Rule("sha256", one.sha256) for one in taken])


def finish(db: sqlite3.Connection, folder: Folder) -> int:
    """Removes the files of images that were taken down, and their copies that were kept aside.

    Returns how many. A file of other bytes under such a name is somebody else's and stays.
    """
    count = 0
    rows = db.execute(
        "SELECT id, file_name, sha256 FROM sample WHERE state = ?", (State.TAKEN_DOWN.value,)
    ).fetchall()
    for sample_id, name, sha256 in rows:
        count += _remove_file(folder.root / name, sha256.hex())
        copies = db.execute(
            "SELECT sha256 FROM candidate WHERE sample_id = ? AND sha256 IS NOT NULL", (sample_id,)
        ).fetchall()
        for copy in {sha256, *(row[0] for row in copies)}:
            aside = quarantine.find(folder, copy.hex())
            if aside is not None:
                files.discard(aside)
    return count


def _remove_file(path: Path, sha256: str) -> bool:
    if not path.is_file() or files.sha256_of(path) != sha256:
        return False
    files.discard(path)
    files.remove_empty(path.parent)
    return True
