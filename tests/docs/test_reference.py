"""The reference pages say what the code says; nothing that a user can set is left out."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from pixtrawl import errors
from pixtrawl.cli.exit_codes import EXIT_CODES
from pixtrawl.config.table import table
from pixtrawl.model import REASONS, Reason

DOCS = Path(__file__).parents[2] / "docs"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_reference", DOCS / "make_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    ["settings.md", "exit-codes.md", "reasons.md", "sources.md", "secrets.md", "security.md"],
)
def test_a_reference_page_is_what_its_generator_writes(name: str) -> None:
    written = (DOCS / name).read_text("utf-8")
    assert written == _generator().PAGES[name](), "run: python docs/make_reference.py"


def test_every_setting_option_and_variable_is_documented() -> None:
    page = (DOCS / "settings.md").read_text("utf-8")
    for row in table():
        for word in (row.key, row.flag, row.variable):
            assert word is None or f"`{word}`" in page, word


def test_every_reason_is_documented_with_its_sentence() -> None:
    page = (DOCS / "reasons.md").read_text("utf-8")
    for reason in Reason:
        assert f"| `{reason}` | {REASONS[reason].sentence} |" in page


def test_every_exit_code_of_the_error_tree_has_a_meaning() -> None:
    codes = {value for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert codes == set(EXIT_CODES)
