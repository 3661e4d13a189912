"""Settings of the documentation site: `make docs` builds it into .docs/."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
_REPOSITORY = _PROJECT["urls"]["Repository"]

project = "pixtrawl"
author = "The pixtrawl authors"
copyright = author
version = release = _PROJECT["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["make_reference.py"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
default_role = "code"  # docstrings are written in Markdown's habit: `name` is code

html_theme = "furo"
html_title = "pixtrawl"
html_theme_options = {"source_repository": _REPOSITORY, "source_branch": "main",
                      "source_directory": "docs/"}  # fmt: skip
# Nothing is loaded from elsewhere: the site works from a folder and without a network.
linkcheck_ignore = [r"https?://(?!localhost)"]


def _outside(_app: Any, _docname: str, source: list[str]) -> None:
    """Point links that leave docs/ at the repository, where these files can be seen."""
    source[0] = source[0].replace("](../", f"]({_REPOSITORY}/blob/main/")


def setup(app: Any) -> None:
    app.connect("source-read", _outside)
