"""Rows to build data sets from."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pixtrawl.catalog import frontier, run_log, samples
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.files import records as file_records
from pixtrawl.catalog.frontier import QueryRow
from pixtrawl.folder import files
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import file_name, staged_name
from pixtrawl.model import Candidate, ImageInfo, Outcome, Query, Reason, Task


class Data:
    """A data set under construction."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root)
        self.folder.create()
        self.catalog = Catalog(self.folder.catalog)
        self.run_id = self.catalog.write_now(lambda db: run_log.begin_run(db, "test", {}))

    def query(self, text: str = "cat", limit: int | None = 10) -> QueryRow:
        query = Query(text, text, limit)
        return self.catalog.write_now(lambda db: frontier.ensure_query(db, query, self.run_id))

    def add(self, row: QueryRow, *urls: str) -> int:
        candidates = [
            Candidate(url=url, query=row.query.text, label=row.query.label, source="t", rank=i)
            for i, url in enumerate(urls, 1)
        ]
        return self.catalog.write_now(
            lambda db: frontier.add(db, row.id, candidates, thumbnails=False)
        )

    def tasks(self, row: QueryRow, count: int = 100) -> list[Task]:
        return self.catalog.write_now(lambda db: frontier.claim(db, row, after=0, count=count))

    def accept(self, task: Task, content: bytes, *, number: int | None = None) -> str:
        """Commits a decision about a staged file; does not rename it. Returns the file name."""
        staged = self.folder.staging / staged_name(f"s{task.id}")
        staged.write_bytes(content)
        info = ImageInfo(
            format="jpeg", width=4, height=3, size_bytes=len(content),
            sha256=files.sha256_of(staged),
        )  # fmt: skip
        outcome = Outcome(reason=Reason.SAVED, info=info, staged_name=staged.name, url="u")

        def write(db: sqlite3.Connection) -> str:
            place = number or samples.next_number(db)
            name = file_name(task.candidate.label, place, "jpg")
            sample_id = samples.accept(db, task, outcome, place, name)
            frontier.settle(db, task.id, outcome, self.run_id, sample_id=sample_id)
            return name

        return self.catalog.write_now(write)

    def finish(self) -> None:
        """Leave the data set as a finished run does: every image in place, nothing staged."""
        self.catalog.write_now(self._place)
        self.catalog.close()

    def _place(self, db: sqlite3.Connection) -> None:
        rows = db.execute("SELECT id, file_name, staged_name FROM sample").fetchall()
        for sample_id, name, staged in rows:
            (self.folder.staging / staged).unlink()
            record = file_records.record_of((self.folder.root / name).stat())
            file_records.put(db, [(sample_id, record)])
        samples.mark_placed(db, [sample_id for sample_id, _, _ in rows], durable=True)

    def states(self) -> list[int]:
        return self.catalog.write_now(
            lambda db: [r[0] for r in db.execute("SELECT state FROM sample ORDER BY id")]
        )
