"""Third-party data: a test without it is skipped with a reason, or fails where it is promised."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests import shared_data

TESTS = Path(__file__).parent


def test_without_the_folder_a_test_is_skipped_and_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(shared_data.VARIABLE, raising=False)
    monkeypatch.setattr(shared_data, "_BESIDE", tmp_path / "shared")
    with pytest.raises(pytest.skip.Exception, match=r"suites/robots\.jsonl.*CONTRIBUTING"):
        shared_data.shared_rows("suites/robots.jsonl")


def test_where_the_folder_is_promised_a_missing_file_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(shared_data.VARIABLE, str(tmp_path))
    (tmp_path / "rows.jsonl").write_text('{"a": 1}\n{"a": 2}\n', encoding="utf-8")
    assert shared_data.shared_rows("rows.jsonl") == [{"a": 1}, {"a": 2}]
    with pytest.raises(pytest.fail.Exception, match=shared_data.VARIABLE):
        shared_data.shared_text("other.txt")


def test_no_test_looks_for_the_folder_by_itself() -> None:
    spelled = re.compile(r"""parents\[\d\][^\n]*["']shared["']|\.\./shared""")
    for path in TESTS.rglob("*.py"):
        if path.name not in {"shared_data.py", Path(__file__).name}:
            assert not spelled.search(path.read_text(encoding="utf-8")), path
