"""Takedown rules for domains, URLs, SHA-256 and perceptual hashes, and the images they removed.

The rows of removed images stay, without their thumbnail, so that neither their numbers nor their
bytes are used again.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from pixtrawl.catalog import samples
from pixtrawl.catalog.run_log import now
from pixtrawl.catalog.schema.states import KEPT, CandidateState, SampleState, any_of
from pixtrawl.errors import UsageError
from pixtrawl.model import Candidate, ImageInfo, Reason
from pixtrawl.secrets import masked_url
from pixtrawl.urls import host_of, same_or_subdomain, url_key

__all__ = [
    "KINDS",
    "Rule",
    "Taken",
    "TakenDown",
    "TakenDownImage",
    "causes",
    "count_removed",
    "digests",
    "digests_removed",
    "forget",
    "held",
    "load",
    "matching",
    "note_cause",
    "parse_rule",
    "remember",
    "remove",
    "removed",
]

KINDS: Final = ("domain", "url", "sha256", "phash")
_HASH_BITS: Final = 256
_STRICT_BITS: Final = 31  # no two different natural pictures are so close (dedup.near)


class Rule(Struct, frozen=True):
    """A takedown rule. The value of a phash is `HEX:BITS`, with the greatest distance in bits."""

    kind: str
    value: str
    at: str = ""


class Taken(Struct, frozen=True):
    """A kept image that rules apply to."""

    sample_id: int
    file_name: str
    sha256: str
    why: str


class TakenDownImage(Struct, frozen=True):
    """An image that was taken down; all digests are hexadecimal."""

    file_name: str
    sha256: str
    every_sha256: frozenset[str]  # its own and those of its copies


def parse_rule(kind: str, text: str) -> Rule:
    """Parse a rule as a user writes it. Raise UsageError where it is malformed."""
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
    """The rules of a data set, prepared for matching."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._domains = [rule.value for rule in rules if rule.kind == "domain"]
        self._urls = {url_key(rule.value) for rule in rules if rule.kind == "url"}
        self._sha256 = {rule.value for rule in rules if rule.kind == "sha256"}
        self._looks = [_look(rule.value) for rule in rules if rule.kind == "phash"]

    def why_url(self, candidate: Candidate, url: str) -> str | None:
        """Return why this URL of a candidate must not be fetched, or None."""
        if not self.rules:
            return None
        for one in (url, candidate.url, candidate.page_url or ""):
            if one and (why := self._why(one)) is not None:
                return why
        return None

    def _why(self, url: str) -> str | None:
        # The rule's URL may be copied from output in which secrets are masked.
        if self._urls and not self._urls.isdisjoint((url_key(url), url_key(masked_url(url)))):
            return "its URL"
        host = host_of(url) if self._domains else ""
        found = (domain for domain in self._domains if same_or_subdomain(host, domain))
        domain = next(found, None) if host else None
        return None if domain is None else f"domain {domain}"

    def why_content(self, info: ImageInfo) -> str | None:
        """Return why this picture must not be kept, or None."""
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
    """Load the takedown rules of a data set."""
    return TakenDown([Rule(*row) for row in db.execute("SELECT kind, value, at FROM takedown")])


def remember(db: sqlite3.Connection, rules: Sequence[Rule]) -> None:
    """Add rules and settle the open candidates that they match by URL or domain."""
    at = now()
    db.executemany(
        "INSERT OR IGNORE INTO takedown (kind, value, at) VALUES (?, ?, ?)",
        ((r.kind, r.value, at) for r in rules),
    )
    down = TakenDown([rule for rule in rules if rule.kind in {"domain", "url"}])
    if not down.rules:
        return
    rows = db.execute(
        f"SELECT id, url, page_url FROM candidate WHERE state < {CandidateState.SETTLED}"
    )
    named = [row_id for row_id, url, page in rows if down.why_url(_bare(url, page), url)]
    db.executemany(
        f"UPDATE candidate SET state = {CandidateState.SETTLED}, reason = ? WHERE id = ?",
        ((Reason.TAKEN_DOWN.value, row_id) for row_id in named),
    )


def _bare(url: str, page_url: str | None) -> Candidate:
    return Candidate(url=url, query="", label="", source="", page_url=page_url)


def matching(db: sqlite3.Connection, down: TakenDown, *, states: str = KEPT) -> Iterator[Taken]:
    """Yield the images in `states` that the rules match, by label and number."""
    rows = db.execute(
        "SELECT s.id, s.file_name, s.sha256, s.format, s.phash, s.phash_trim, c.url, "
        "c.page_url, "
        "c.fetched_url, c.final_url FROM sample s JOIN candidate c ON c.id = s.candidate_id "
        f"WHERE s.state IN {states} ORDER BY s.label, s.number"
    )
    for row in rows:
        info = ImageInfo(format=row[3], sha256=row[2].hex(), phash=row[4], phash_trim=row[5])
        why = down.why_content(info)
        for url in (row[8], row[9], row[6]):
            why = why or (down.why_url(_bare(row[6], row[7]), url) if url else None)
        if why is not None:
            yield Taken(row[0], row[1], info.sha256, why)


def remove(db: sqlite3.Connection, taken: Sequence[Taken], rules: Sequence[Rule] = ()) -> None:
    """Mark images as taken down and add rules for their bytes.

    `folder.decisions.removals` removes the files. `rules` are those that the user gave: each is
    recorded as a cause of the removals it matches.
    """
    ids = {one.sample_id: one for one in taken}
    for rule in rules:
        for one in matching(db, TakenDown([rule])):
            if one.sample_id in ids:
                note_cause(db, one.sha256, f"{rule.kind} {rule.value}")
    for one in taken:
        if one.why == "named":
            note_cause(db, one.sha256, f"file {one.file_name}")
        samples.mark(db, one.sample_id, SampleState.TAKEN_DOWN)
        db.execute(
            "UPDATE sample SET thumb = X'', chroma = X'', fine = X'' WHERE id = ?",
            (one.sample_id,),
        )
    remember(db, [Rule("sha256", one.sha256) for one in taken])


def note_cause(db: sqlite3.Connection, sha256: str, because: str) -> None:
    """Record why these bytes were taken down: `domain a.example`, or `file cat/000001.jpg`."""
    db.execute("INSERT OR IGNORE INTO taken_with VALUES (?, ?)", (sha256, because))


def causes(db: sqlite3.Connection) -> dict[str, list[str]]:
    """Return the causes of removals by SHA-256: "domain example.org", "file cat/000001.jpg"."""
    found: dict[str, list[str]] = {}
    for sha256, because in db.execute("SELECT sha256, because FROM taken_with ORDER BY 1, 2"):
        found.setdefault(sha256, []).append(because)
    return found


def forget(db: sqlite3.Connection, rules: Sequence[Rule], *, strict: bool = False) -> list[int]:
    """Delete rules, and the SHA-256 rules that they alone caused.

    Candidates that no rule matches any more are opened again. Return the ids of the removed images
    that no rule matches any more. Raise UsageError for an unknown rule if `strict`.
    """
    known = {(rule.kind, rule.value) for rule in load(db).rules}
    for rule in rules:
        if (rule.kind, rule.value) not in known and strict:
            raise UsageError(f"{rule.kind} {rule.value}: no such rule (see `takedown DIR --list`)")
        db.execute("DELETE FROM takedown WHERE kind = ? AND value = ?", (rule.kind, rule.value))
        name = f"{rule.kind} {rule.value}"
        came_along = [
            sha for (sha,) in db.execute("SELECT sha256 FROM taken_with WHERE because = ?", (name,))
        ]
        if rule.kind == "sha256":  # asked for by its bytes: drop all causes
            db.execute("DELETE FROM taken_with WHERE sha256 = ?", (rule.value,))
        db.execute("DELETE FROM taken_with WHERE because = ?", (name,))
        for sha256 in came_along:
            db.execute(
                "DELETE FROM takedown WHERE kind = 'sha256' AND value = ?1 AND "
                "NOT EXISTS (SELECT 1 FROM taken_with WHERE sha256 = ?1)",
                (sha256,),
            )
    _reopen(db)
    rows = [
        row[0]
        for row in db.execute(f"SELECT id FROM sample WHERE state = {SampleState.TAKEN_DOWN}")
    ]
    names = {name for name, _ in held(db, rows)}
    return [
        row_id
        for row_id, name in db.execute(
            f"SELECT id, file_name FROM sample WHERE state = {SampleState.TAKEN_DOWN}"
        )
        if name not in names
    ]


def _reopen(db: sqlite3.Connection) -> None:
    """Open the candidates that no rule matches any more, but not those of removed images."""
    down = load(db)
    rows = db.execute(
        "SELECT id, url, page_url, sha256 FROM candidate "
        f"WHERE state = {CandidateState.SETTLED} AND reason = 'taken_down' "
        f"AND id NOT IN (SELECT candidate_id FROM sample WHERE state = {SampleState.TAKEN_DOWN})"
    ).fetchall()
    digests = {rule.value for rule in down.rules if rule.kind == "sha256"}
    free = [
        (row_id,)
        for row_id, url, page, sha256 in rows
        if down.why_url(_bare(url, page), url) is None
        and (sha256 is None or sha256.hex() not in digests)
    ]
    db.executemany(
        f"UPDATE candidate SET state = {CandidateState.OPEN}, reason = NULL WHERE id = ?", free
    )


def held(db: sqlite3.Connection, sample_ids: Sequence[int]) -> list[tuple[str, str]]:
    """Return file name and cause of those of these removed images that rules still match."""
    down, wanted = load(db), set(sample_ids)
    return [
        (one.file_name, one.why)
        for one in matching(db, down, states=any_of(SampleState.TAKEN_DOWN))
        if one.sample_id in wanted
    ]


def count_removed(db: sqlite3.Connection) -> int:
    """Return the number of images that were taken down."""
    query = f"SELECT count(*) FROM sample WHERE state = {SampleState.TAKEN_DOWN}"
    return int(db.execute(query).fetchone()[0])


def removed_ids(db: sqlite3.Connection) -> list[int]:
    """Return the ids of the images that were taken down."""
    rows = db.execute(f"SELECT id FROM sample WHERE state = {SampleState.TAKEN_DOWN}")
    return [row[0] for row in rows]


def digests(db: sqlite3.Connection) -> set[str]:
    """Return the SHA-256 (hex) that rules name."""
    rows = db.execute("SELECT value FROM takedown WHERE kind = 'sha256'")
    return {value for (value,) in rows}


def digests_removed(db: sqlite3.Connection) -> set[str]:
    """Return the SHA-256 of the images that were taken down."""
    rows = db.execute(f"SELECT sha256 FROM sample WHERE state = {SampleState.TAKEN_DOWN}")
    return {sha256.hex() for (sha256,) in rows}


def removed(db: sqlite3.Connection) -> list[TakenDownImage]:
    """Return every image that was taken down, with the digests of its copies."""
    rows = db.execute(
        f"SELECT id, file_name, sha256 FROM sample WHERE state = {SampleState.TAKEN_DOWN}"
    ).fetchall()
    return [
        TakenDownImage(name, sha256.hex(), frozenset({sha256.hex(), *_copies(db, sample_id)}))
        for sample_id, name, sha256 in rows
    ]


def _copies(db: sqlite3.Connection, sample_id: int) -> list[str]:
    rows = db.execute(
        "SELECT sha256 FROM candidate WHERE sample_id = ? AND sha256 IS NOT NULL", (sample_id,)
    )
    return [sha256.hex() for (sha256,) in rows]
