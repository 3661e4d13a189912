"""The tables of scores and embeddings, what older catalogs lack of them, and what came after."""

from __future__ import annotations

from typing import Final

__all__ = ["NEWER"]

# What the owner of a candidate's page says of training and search: JSON; NULL: nothing.
_PAGE_SAID: Final = "ALTER TABLE candidate ADD COLUMN page_said TEXT;"

# What a report counts, from indexes alone, since rows of images and candidates are long. The first
# replaces one without the label, which tells whether an image was moved away from its query.
_COUNTS: Final = """
DROP INDEX sample_query;
CREATE INDEX sample_query ON sample (query_id, state, label);
CREATE INDEX sample_deleted ON sample (size_bytes) WHERE state = 2;
CREATE INDEX candidate_reason ON candidate (query_id, reason) WHERE state = 2;
CREATE INDEX candidate_junk ON candidate (query_id, detail)
  WHERE state = 2 AND reason = 'saved' AND substr(detail, 1, 11) = 'looks like ';
"""

# Digest of names, sizes, times and inodes of all files when they were last as the rows say, so
# that opening a large set need not read its rows. Triggers drop it in the transaction that changes
# an image or the record of its file.
_FILE_LISTING: Final = """
CREATE TABLE file_listing (
  only INTEGER PRIMARY KEY CHECK (only = 0),
  revision INTEGER NOT NULL,         -- grows with each change of an image or a file's record
  digest BLOB                        -- NULL: not known
);
INSERT INTO file_listing VALUES (0, 0, NULL);
CREATE TRIGGER listing_sample_added AFTER INSERT ON sample
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
CREATE TRIGGER listing_sample_changed AFTER UPDATE OF state, label, file_name ON sample
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
CREATE TRIGGER listing_sample_gone AFTER DELETE ON sample
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
CREATE TRIGGER listing_record_added AFTER INSERT ON file_record
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
CREATE TRIGGER listing_record_changed AFTER UPDATE ON file_record
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
CREATE TRIGGER listing_record_gone AFTER DELETE ON file_record
BEGIN
  UPDATE file_listing SET revision = revision + 1, digest = NULL;
END;
"""

# Digest of the folders' names and times from before those files were listed: where it is the same,
# no file came, went or was renamed since. NULL: too young to tell, or not known.
_FOLDER_TIMES: Final = "ALTER TABLE file_listing ADD COLUMN folders BLOB;"

# An embedding reveals much of the picture: it goes with an image that was taken down (kept or not),
# deleted or replaced. A refused image (state 5) keeps its own, by which its like is recognised.
_SCORES: Final = """
CREATE TABLE model (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,         -- name and digest of its content
  note TEXT NOT NULL DEFAULT '{}'    -- JSON: where its files are from, and their hashes
);
CREATE TABLE embedding (
  sample_id INTEGER NOT NULL REFERENCES sample,
  model_id INTEGER NOT NULL REFERENCES model,
  vector BLOB NOT NULL,              -- float16, little-endian, of length 1
  PRIMARY KEY (sample_id, model_id)
) WITHOUT ROWID;
CREATE TABLE score_column (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,                -- bool | float | text
  scoring TEXT NOT NULL,             -- as of --as: its columns are replaced together
  model TEXT NOT NULL
);
CREATE TABLE score (
  sample_id INTEGER NOT NULL REFERENCES sample,
  column_id INTEGER NOT NULL REFERENCES score_column,
  value NOT NULL,
  PRIMARY KEY (sample_id, column_id)
) WITHOUT ROWID;
INSERT INTO model (name) SELECT DISTINCT model FROM relevance WHERE length(embedding) > 0;
INSERT INTO embedding SELECT r.sample_id, m.id, r.embedding FROM relevance r
  JOIN model m ON m.name = r.model WHERE length(r.embedding) > 0;
INSERT INTO score_column (id, name, type, scoring, model)
  SELECT 1, 'relevance', 'float', 'relevance', max(model) FROM relevance
  WHERE score IS NOT NULL HAVING count(*) > 0;
INSERT INTO score_column (id, name, type, scoring, model)
  SELECT 2, 'relevance_outlier', 'bool', 'relevance', model FROM score_column WHERE id = 1;
INSERT INTO score SELECT sample_id, 1, score FROM relevance WHERE score IS NOT NULL;
INSERT INTO score SELECT sample_id, 2, flagged FROM relevance WHERE score IS NOT NULL;
DROP TRIGGER relevance_gone;
DROP TABLE relevance;
CREATE TRIGGER scores_gone AFTER UPDATE OF state ON sample WHEN NEW.state NOT IN (0, 1, 5, 7)
BEGIN
  DELETE FROM score WHERE sample_id = NEW.id;
  DELETE FROM embedding WHERE sample_id = NEW.id;
END;
CREATE TRIGGER embeddings_taken_down AFTER INSERT ON takedown
BEGIN
  DELETE FROM embedding WHERE sample_id IN (
    SELECT id FROM sample WHERE NEW.kind = 'sha256' AND hex(sha256) = upper(NEW.value)
    UNION SELECT sample_id FROM candidate WHERE NEW.kind = 'url'
      AND NEW.value IN (url, fetched_url, final_url)
    UNION SELECT sample_id FROM candidate WHERE NEW.kind = 'domain'
      AND (host = NEW.value OR host LIKE '%.' || NEW.value));
END;
"""

# The model that refused an image of a pool; the reason is the image's own.
_TOPIC: Final = """
CREATE TABLE topic_refused (
  sample_id INTEGER PRIMARY KEY REFERENCES sample,
  model TEXT NOT NULL
);
"""

# Greys of drawn pictures (`fine_greys`); empty: none, or inspected by an older version.
_FINE: Final = "ALTER TABLE sample ADD COLUMN fine BLOB NOT NULL DEFAULT X'';"

NEWER: Final = (_SCORES, _TOPIC, _PAGE_SAID, _COUNTS, _FILE_LISTING, _FOLDER_TIMES, _FINE)
