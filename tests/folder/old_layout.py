"""A data set as older versions left it: everything of pixtrawl's in a hidden folder."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

_PLACES = (
    (r"\.pixtrawl-catalog\.sqlite3(.*)", r"catalog.sqlite3\1"),
    (r"\.pixtrawl-staging-(.*)\.part", r"staging/\1"),
    (r"\.pixtrawl-quarantine-(.*)\.held", r"quarantine/\1.jpg"),
    (r"\.pixtrawl-evidence-(.*?)(\.held)?", r"evidence/\1"),
    (r"\.pixtrawl-renditions-(.*)", r"renditions/\1"),
    (r"\.pixtrawl-(lock)", r"\1"),
)


def to_old_layout(root: Path) -> Path:
    """Moves the files of a data set to where the old layout had them. Returns its control folder."""
    old = root / ".pixtrawl"
    for part in ("staging", "evidence", "quarantine"):
        (old / part).mkdir(parents=True)
    for path in root.glob(".pixtrawl-*"):
        for pattern, place in _PLACES:
            if match := re.fullmatch(pattern, path.name):
                target = old / match.expand(place)
                target.parent.mkdir(exist_ok=True)
                path.rename(target)
    with closing(sqlite3.connect(old / "catalog.sqlite3")) as db, db:
        for row_id, name in db.execute("SELECT id, staged_name FROM sample").fetchall():
            short = (name or "").removeprefix(".pixtrawl-staging-").removesuffix(".part")
            db.execute("UPDATE sample SET staged_name = ? WHERE id = ?", (short or None, row_id))
    return old
