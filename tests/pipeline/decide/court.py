"""A judge with a catalog of its own and pictures that are nothing but numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pixtrawl.catalog import frontier
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.config.groups import Images
from pixtrawl.dedup import Level
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, ImageInfo, Kind, Outcome, Query, Reason, Task
from pixtrawl.pipeline.decide.decision import Decision
from pixtrawl.pipeline.decide.judge import Judge
from tests.catalog.data import Data


def picture(look: int, copy: int = 0, size: tuple[int, int] = (400, 300), **more: Any) -> ImageInfo:
    """Info of a picture: `look` decides its hash, `copy` its bytes."""
    phash = hashlib.sha256(f"look {look}".encode()).digest()
    sha256 = hashlib.sha256(f"{look} {copy}".encode()).hexdigest()
    return ImageInfo(
        format="jpeg", width=size[0], height=size[1], size_bytes=1000 + copy, sha256=sha256,
        phash=phash, phash_trim=phash, thumb=(phash * 128), **more,
    )  # fmt: skip


class Court(Data):
    """A data set, its judge, and tasks that come one by one."""

    def __init__(self, root: Path, level: Level = Level.NEAR, **images: Any) -> None:
        super().__init__(root)
        self.judge = Judge(level, self.run_id, Rules(Images(**images)))
        self._urls: Iterator[int] = iter(range(10_000))

    def join(self, label: str = "cat", limit: int | None = None) -> QueryRow:
        row = self.query(label, limit)
        self.judge.expect(row.id, limit, row.saved)
        self.catalog.write_now(lambda db: self.judge.load(db, label))
        return row

    def task(self, row: QueryRow, url: str | None = None, rank: int = 1) -> Task:
        url = url or f"http://h{next(self._urls)}.example/x.jpg"
        query: Query = row.query
        one = Candidate(url=url, query=query.text, label=query.label, source="t", rank=rank)
        self.catalog.write_now(lambda db: frontier.add(db, row.id, [one], thumbnails=True))
        return next(t for t in self.tasks(row, 10_000) if t.candidate.url == url)

    def decide(self, *pairs: tuple[Task, Outcome]) -> list[Decision]:
        return self.catalog.write_now(lambda db: self.judge.decide(db, list(pairs)))

    def one(self, task: Task, info: ImageInfo, kind: Kind = Kind.ORIGINAL) -> Decision:
        return self.decide((task, saved(task, info, kind)))[0]

    def open_count(self, row: QueryRow) -> int:
        return self.catalog.write_now(lambda db: frontier.open_count(db, row.id))


def saved(task: Task, info: ImageInfo, kind: Kind = Kind.ORIGINAL) -> Outcome:
    outcome = Outcome(reason=Reason.SAVED, info=info, url=task.candidate.url, kind=kind)
    return replace(outcome, staged_name=f"staged-{task.id}")
