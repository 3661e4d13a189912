"""The catalog's tables, and the migrations from older versions.

A migration and its version number commit together (`PRAGMA user_version` is transactional), so a
catalog that a kill left between two migrations is brought up to date by the next start.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from pixtrawl.catalog.schema.newer import NEWER
from pixtrawl.errors import StorageError

_V1: Final = """
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  started_at TEXT NOT NULL,
  ended_at TEXT,
  version TEXT NOT NULL,
  settings TEXT NOT NULL,            -- JSON, secrets left out
  end_reason TEXT,                   -- done | interrupted | budget
  elapsed_s REAL NOT NULL DEFAULT 0,
  fetched_bytes INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE query (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  label TEXT NOT NULL,
  filters TEXT NOT NULL,             -- JSON object, sorted keys
  wanted INTEGER,                    -- NULL: all there are
  run_id INTEGER NOT NULL,           -- the last run that asked for it
  UNIQUE (text, label, filters)
);
CREATE TABLE source_state (
  query_id INTEGER NOT NULL REFERENCES query,
  source TEXT NOT NULL,
  slice TEXT NOT NULL DEFAULT '',    -- '' for the query itself, else the variation asked
  outcome TEXT,
  found INTEGER NOT NULL DEFAULT 0,
  new INTEGER NOT NULL DEFAULT 0,    -- of them, unknown before
  detail TEXT NOT NULL DEFAULT '{}',
  position TEXT,                     -- JSON, opaque: where to go on
  exhausted INTEGER NOT NULL DEFAULT 0,
  run_id INTEGER NOT NULL,
  PRIMARY KEY (query_id, source, slice)
) WITHOUT ROWID;
CREATE TABLE candidate (
  id INTEGER PRIMARY KEY,
  query_id INTEGER NOT NULL REFERENCES query,
  key BLOB NOT NULL,                 -- 16 bytes of the canonical URL
  url TEXT NOT NULL,                 -- byte for byte as found
  host TEXT NOT NULL,
  kind TEXT NOT NULL,
  source TEXT NOT NULL,
  rank INTEGER NOT NULL,
  page_url TEXT, title TEXT, width INTEGER, height INTEGER, thumb_url TEXT,
  license TEXT, license_url TEXT, creator TEXT,
  alternates TEXT,                   -- JSON [[url, kind], ...]
  picture BLOB,                      -- key of the picture's id at a search engine, where it has one
  state INTEGER NOT NULL DEFAULT 0,  -- 0 open, 1 open but its host is crowded, 2 settled
  reason TEXT, detail TEXT, http_status INTEGER, attempts INTEGER,
  fetched_url TEXT, final_url TEXT, sha256 BLOB, size_bytes INTEGER, elapsed_s REAL,
  sample_id INTEGER,                 -- the sample it became or is a copy of
  distance INTEGER,                  -- bits, where it is a near duplicate
  alike INTEGER NOT NULL DEFAULT 0,  -- 1: same bytes, or same look and size, as its sample
  run_id INTEGER
);
CREATE UNIQUE INDEX candidate_key ON candidate (query_id, key);
CREATE INDEX candidate_open ON candidate (query_id, state, kind = 'thumbnail', id) WHERE state < 2;
CREATE INDEX candidate_crowded ON candidate (query_id, host, id) WHERE state = 1;
CREATE INDEX candidate_picture ON candidate (query_id, picture) WHERE picture IS NOT NULL;
CREATE INDEX candidate_sha256 ON candidate (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX candidate_sample ON candidate (sample_id) WHERE sample_id IS NOT NULL;
CREATE TABLE also_found (            -- the same URL or picture under another source or rank
  candidate_id INTEGER NOT NULL REFERENCES candidate,
  source TEXT NOT NULL,
  rank INTEGER NOT NULL,
  url TEXT, page_url TEXT, title TEXT, license TEXT, license_url TEXT, creator TEXT,
  PRIMARY KEY (candidate_id, source, rank)
) WITHOUT ROWID;
CREATE TABLE sample (
  id INTEGER PRIMARY KEY,
  label TEXT NOT NULL,
  number INTEGER NOT NULL,
  file_name TEXT NOT NULL,
  query_id INTEGER NOT NULL REFERENCES query,
  candidate_id INTEGER NOT NULL REFERENCES candidate,
  state INTEGER NOT NULL,            -- 0 accepted, 1 placed, 2 deleted by hand, 3 replaced, 4 down,
                                     -- 5 withdrawn, 6 under another label now, 7 wanted back
  withdrawn_for TEXT,                -- the reason, in state 5
  staged_name TEXT,
  sha256 BLOB NOT NULL,
  format TEXT NOT NULL,
  width INTEGER NOT NULL, height INTEGER NOT NULL, frames INTEGER NOT NULL,
  size_bytes INTEGER NOT NULL, orientation INTEGER NOT NULL, flat INTEGER NOT NULL,
  phash BLOB NOT NULL, phash_trim BLOB NOT NULL, thumb BLOB NOT NULL,
  measures TEXT NOT NULL,            -- JSON
  kind TEXT NOT NULL,
  rights TEXT NOT NULL DEFAULT '{}', -- JSON: what the file itself states, and its owner of its use
  fetched_at TEXT NOT NULL
);
CREATE INDEX sample_bytes ON sample (label, sha256);
CREATE INDEX sample_sha256 ON sample (sha256);
CREATE INDEX sample_number ON sample (label, number);
CREATE INDEX sample_query ON sample (query_id, state);
CREATE INDEX sample_accepted ON sample (state) WHERE state = 0;
CREATE INDEX sample_withdrawn ON sample (state) WHERE state = 5;
CREATE TABLE conflict (              -- the same picture under two labels
  sample_id INTEGER NOT NULL REFERENCES sample,
  other_id INTEGER NOT NULL REFERENCES sample,  -- the one that was there first
  distance INTEGER NOT NULL,         -- 0: same bytes, or no bit of the hash differs
  PRIMARY KEY (sample_id, other_id)
) WITHOUT ROWID;
CREATE TABLE pardon (                -- looks like another image and stays all the same: a person
  label TEXT NOT NULL,               -- took the decision back
  sha256 BLOB NOT NULL,
  PRIMARY KEY (label, sha256)
) WITHOUT ROWID;
CREATE TABLE takedown (
  kind TEXT NOT NULL,                -- domain | sha256 | url | phash
  value TEXT NOT NULL,
  at TEXT NOT NULL,
  PRIMARY KEY (kind, value)
) WITHOUT ROWID;
"""

_V2: Final = """
CREATE TABLE relevance (             -- how well an image fits its query, by a model of the user's
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  model TEXT NOT NULL,               -- name and digest of what made the embedding
  score REAL,                        -- cosine with the query, -1 to 1; NULL: embedded only
  flagged INTEGER NOT NULL DEFAULT 0,
  embedding BLOB NOT NULL            -- float16, little-endian, of length 1
);
CREATE TRIGGER relevance_gone AFTER UPDATE OF state ON sample WHEN NEW.state NOT IN (0, 1)
BEGIN
  DELETE FROM relevance WHERE sample_id = NEW.id;
END;
"""

# Partial indexes for the counts in the data card of each run: few rows of perhaps millions.
_V3: Final = """
CREATE INDEX candidate_opt_out ON candidate (reason)
  WHERE reason IN ('robots_txt', 'robots_header');
CREATE INDEX sample_down ON sample (state) WHERE state = 4;
"""

# A list's own columns and file names, and the time at which each candidate was settled.
_V4: Final = """
ALTER TABLE candidate ADD COLUMN extra TEXT;       -- JSON object: the list's own columns
ALTER TABLE candidate ADD COLUMN file_stem TEXT;   -- file name that the list asks for
ALTER TABLE candidate ADD COLUMN settled_at TEXT;
ALTER TABLE also_found ADD COLUMN extra TEXT;
ALTER TABLE query ADD COLUMN extra TEXT;           -- JSON object: the query list's own columns
ALTER TABLE sample ADD COLUMN stem_key TEXT;       -- what must be unique of a file name from a list
CREATE INDEX sample_stem ON sample (label, stem_key) WHERE stem_key IS NOT NULL;
CREATE TABLE own_column (            -- what the own columns of all lists hold, in the order seen
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL                 -- null | bool | int | float | text
);
"""

# Relabelled images and renamed labels, and how to undo that.
_V5: Final = """
CREATE INDEX sample_by_number ON sample (number);
CREATE INDEX sample_left_behind ON sample (state) WHERE state = 6;
CREATE INDEX sample_wanted_back ON sample (query_id) WHERE state = 7;
CREATE TABLE moving (                -- decided and committed; the file may not be renamed yet
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  source TEXT NOT NULL               -- where its file was
);
CREATE TABLE relabelled (            -- what a person moved, newest last
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL,            -- what was moved at once is taken back at once
  at TEXT NOT NULL,
  sample_id INTEGER,                 -- NULL: the label itself was renamed
  old_label TEXT NOT NULL,
  new_label TEXT NOT NULL,
  old_name TEXT NOT NULL DEFAULT ''  -- file name before
);
CREATE TABLE label_alias (           -- a label that was renamed, and what it is called now
  old TEXT PRIMARY KEY,
  new TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE taken_with (            -- bytes that were taken down because of another rule or a name
  sha256 TEXT NOT NULL,
  because TEXT NOT NULL,             -- "domain example.org", "file cat/000001.jpg"
  PRIMARY KEY (sha256, because)
) WITHOUT ROWID;
"""

# A covering index on the kept images in their order, which saves reading their rows of 5 KB each.
# It has the column `state` because older versions of SQLite would read it from the row otherwise.
_V6: Final = """
CREATE INDEX sample_kept ON sample (label, number, state, query_id, file_name)
  WHERE state IN (0, 1);
"""

# The decisions of people, from the journal of decisions.
_V7: Final = """
CREATE TABLE decision (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  batch TEXT NOT NULL,               -- what was decided at once is undone at once
  state INTEGER NOT NULL,            -- 0 waits for the end of the run, 1 holds, 2 undone, 3 had no
                                     -- effect
  line TEXT NOT NULL,                -- the record, JSON
  note TEXT NOT NULL DEFAULT '{}'    -- JSON: what undoing it needs
);
CREATE INDEX decision_batch ON decision (batch);
CREATE INDEX decision_waits ON decision (state) WHERE state = 0;
CREATE TABLE refused (               -- images that a person refused
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  refill INTEGER NOT NULL,           -- 1: another image takes the place
  words TEXT NOT NULL DEFAULT ''     -- the person's reason
);
CREATE TABLE journal_mark (          -- how far the journal of decisions was read
  only INTEGER PRIMARY KEY CHECK (only = 0),
  offset INTEGER NOT NULL            -- bytes
);
"""

# Hashes that block lists hold and nothing else needs, once a list asked for them.
_CONTENT_HASH: Final = """
CREATE TABLE content_hash (
  sha256 BLOB PRIMARY KEY,
  md5 BLOB,
  pdq BLOB                           -- quality and hashes of the eight turns, of each picture
) WITHOUT ROWID;
"""

# Whether the files made from the catalog (metadata.jsonl and others) lack changes of its images.
_DERIVED_MARK: Final = """
CREATE TABLE derived_stale (only INTEGER PRIMARY KEY CHECK (only = 0));
CREATE TRIGGER sample_added AFTER INSERT ON sample
BEGIN
  INSERT OR IGNORE INTO derived_stale VALUES (0);
END;
CREATE TRIGGER sample_changed AFTER UPDATE OF state, label, file_name ON sample
BEGIN
  INSERT OR IGNORE INTO derived_stale VALUES (0);
END;
"""

_OPTED_OUT: Final = """
CREATE INDEX candidate_opted_out ON candidate (reason) WHERE reason = 'opted_out';
"""

# What files were like when their bytes were last known. Images of older catalogs count as durable.
_FILE_RECORDS: Final = """
CREATE TABLE file_record (
  sample_id INTEGER PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  ctime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL
);
CREATE TABLE durable_point (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  sample_id INTEGER NOT NULL,        -- up to this image every placed file was on the disk
  boot TEXT NOT NULL DEFAULT '',     -- id of the system's start when newer ones were placed
  number INTEGER NOT NULL DEFAULT 0  -- highest image number whose row is gone
);
INSERT INTO durable_point (only, sample_id) SELECT 0, coalesce(max(id), 0) FROM sample;
CREATE TABLE edited (                -- images that a person edited
  sample_id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  sha256 BLOB NOT NULL               -- of the bytes before
);
"""

# Which of two copies was found to be better; an image whose pairs are all here is left alone.
_COMPARED: Final = """
CREATE TABLE compared (
  kept BLOB NOT NULL,                -- SHA-256 of the better one
  other BLOB NOT NULL,
  why TEXT NOT NULL,
  PRIMARY KEY (kept, other)
) WITHOUT ROWID;
"""

# Texts that may become captions, what a person or a model wrote, and the origins chosen.
_CAPTIONS: Final = """
ALTER TABLE candidate ADD COLUMN alt TEXT;
ALTER TABLE candidate ADD COLUMN page_text TEXT;
ALTER TABLE also_found ADD COLUMN alt TEXT;
ALTER TABLE also_found ADD COLUMN page_text TEXT;
CREATE TABLE caption (
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  text TEXT NOT NULL,
  origin TEXT NOT NULL               -- hand | model
);
CREATE TRIGGER caption_gone AFTER DELETE ON sample  -- ids are given again
BEGIN
  DELETE FROM caption WHERE sample_id = OLD.id;
END;
CREATE TABLE caption_chain (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  chain TEXT NOT NULL                -- as of --caption
);
"""

# Colours of 16x16 cells; empty: inspected by a version that did not keep them.
_CHROMA: Final = "ALTER TABLE sample ADD COLUMN chroma BLOB NOT NULL DEFAULT X'';"

MIGRATIONS: Final[tuple[str, ...]] = (
    _V1, _V2, _V3, _V4, _V5, _V6, _V7, _CONTENT_HASH, _DERIVED_MARK, _OPTED_OUT,
    _FILE_RECORDS, _COMPARED, _CAPTIONS, _CHROMA, *NEWER,
)  # fmt: skip


def migrate(connection: sqlite3.Connection) -> None:
    """Migrate the catalog to the newest version. Raise StorageError for one of a newer pixtrawl."""
    version = require_readable(connection)
    for number in range(version, len(MIGRATIONS)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            for statement in _statements(MIGRATIONS[number]):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            if connection.in_transaction:  # SQLite rolls back itself on some errors of the disk
                connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def require_readable(connection: sqlite3.Connection) -> int:
    """Return the catalog's version. Raise StorageError for one of a newer pixtrawl."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > len(MIGRATIONS):
        raise StorageError(
            f"the catalog was written by a newer pixtrawl (format {version}, this one knows "
            f"{len(MIGRATIONS)}); upgrade pixtrawl to go on"
        )
    return int(version)


def _statements(script: str) -> list[str]:
    """Split a script into statements, since `executescript` would commit the transaction."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if sqlite3.complete_statement(current):
            statements.append(current)
            current = ""
    return statements
