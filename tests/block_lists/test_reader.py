"""Block lists: every usual form of a file is read, and what cannot be is told with its line."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pixtrawl.block_lists.reader import EITHER, BlockedHash, read
from pixtrawl.errors import UsageError

SHA, MD5, PDQ, SHA1 = "ab" * 32, "cd" * 16, "f8" * 32, "12" * 20

FORMS = {
    "one a line": (f"{SHA}\n{MD5}\n", [(EITHER, SHA), ("md5", MD5)]),
    "comments and empty lines": (f"# list\n\n  # x\n{MD5}\n", [("md5", MD5)]),
    "capitals, blanks, CRLF": (f"  {MD5.upper()}  \r\n", [("md5", MD5)]),
    "byte order mark": (f"\ufeff{MD5}\n", [("md5", MD5)]),
    "no newline at the end": (MD5, [("md5", MD5)]),
    "a comment behind": (f"{SHA} # seen 2024\n", [(EITHER, SHA)]),
    "sha256sum": (f"{SHA}  a, b.jpg\n{SHA} *c.jpg\n", [(EITHER, SHA)] * 2),
    "sha256sum of odd names": (f"\\{SHA}  a\\nb.jpg\n", [(EITHER, SHA)]),
    "sha256sum --tag": (f"SHA256 (a.jpg) = {SHA}\n", [("sha256", SHA)]),
    "kind before": (f"sha256:{SHA}\nPDQ: {PDQ}\nmd5={MD5}\n",
                    [("sha256", SHA), ("pdq", PDQ), ("md5", MD5)]),
    "CSV with a header": (f"id,sha256\n1,{SHA}\n2,\n", [("sha256", SHA)]),
    "CSV with several": (f'"SHA-1","MD5","SHA-256"\n"{SHA1}","{MD5}","{SHA}"\n',
                         [("md5", MD5), ("sha256", SHA)]),
    "CSV, kind in a column": (
        f"hash_type,hash\npdq,{PDQ}\nHASH_MD5,{MD5}\nsha-1,{SHA1}\nSHA256,{SHA}\n",
        [("pdq", PDQ), ("md5", MD5), ("sha256", SHA)]),
    "CSV, kind not told": (f"hash;note\n{SHA};x\n{MD5};y\n", [(EITHER, SHA), ("md5", MD5)]),
    "TSV": (f"pdq\tquality\n{PDQ}\t77\n", [("pdq", PDQ)]),
    "CSV without a header": (f"{PDQ},100,a.jpg\n{SHA},,b.jpg\n", [(EITHER, PDQ), (EITHER, SHA)]),
    "rows with their kind": (f"{PDQ},pdq\n{SHA},sha256\n", [("pdq", PDQ), ("sha256", SHA)]),
    "nothing": ("# none yet\n", []),
}  # fmt: skip

FAULTS = {
    "SHA-1": (f"{MD5}\n{SHA1}\n", "line 2: 40 digits"),
    "words": (f"{SHA}\nhello world\n", "line 2: no hash"),
    "a digit missing": (f"{SHA[:-1]}\n", "line 1: 63 digits"),
    "no digit": (f"md5\n{'z' * 32}\n", "line 2: no hash in hexadecimal"),
    "wrong length in its column": (f"sha256\n{MD5}\n", "line 2: 32 digits are no sha256"),
    "no column": ("name,size\na,1\n", "line 1: no column is called"),
    "a line without end": ("a" * 20_000, "line 1: longer than"),
    "UTF-16": ("\0".join(SHA), "line 1: no text in UTF-8"),
    "a page": ("<html><body>not found</body></html>\n", "line 1: no hash"),
}


def entries(text: str, folder: Path, kind: str = "") -> list[tuple[str, str]]:
    path = folder / "list.txt"
    path.write_text(text, encoding="utf-8", newline="")
    return [(one.kind, one.digest.hex()) for one in read(f"{kind}{path}")]


@pytest.mark.parametrize("form", FORMS)
def test_every_usual_form_is_read(form: str, tmp_path: Path) -> None:
    text, found = FORMS[form]
    assert entries(text, tmp_path) == found


@pytest.mark.parametrize("fault", FAULTS)
def test_a_line_that_holds_no_hash_is_named(fault: str, tmp_path: Path) -> None:
    text, told = FAULTS[fault]
    with pytest.raises(UsageError, match=told) as caught:
        entries(text, tmp_path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_the_kind_before_the_name_holds_for_the_file(tmp_path: Path) -> None:
    assert entries(f"{SHA}\n", tmp_path, "pdq:") == [("pdq", SHA)]
    assert entries(f"{SHA}\n", tmp_path, "sha256:") == [("sha256", SHA)]
    with pytest.raises(UsageError, match="32 digits are no pdq"):
        entries(f"{MD5}\n", tmp_path, "pdq:")


def test_the_quality_beside_a_hash_is_read(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"quality,pdq\n12,{PDQ}\n,{PDQ}\n")
    assert [one.quality for one in read(str(path))] == [12, None]
    path.write_text(f"{PDQ},12,a.jpg\n")
    assert [*read(str(path))] == [BlockedHash(EITHER, bytes.fromhex(PDQ), 12)]


def test_a_file_that_is_not_there_is_reported(tmp_path: Path) -> None:
    for path in (tmp_path / "none.txt", tmp_path):
        with pytest.raises(UsageError, match="no such file"):
            [*read(str(path))]


def test_a_hundred_thousand_lines_take_no_time(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("".join(f"{n:064x}\n" for n in range(100_000)))
    started = time.process_time()
    assert sum(1 for _ in read(str(path))) == 100_000
    assert time.process_time() - started < 3
