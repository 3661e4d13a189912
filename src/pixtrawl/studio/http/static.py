"""Serves the files of the page: only those that lie in `web/`, with fixed types."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from pixtrawl.studio.messages import StudioError

__all__ = ["ENTER", "WEB", "page_file"]

WEB: Final = Path(__file__).parents[1] / "web"
ENTER: Final = 'location.replace("/");\n'
_TYPES: Final = {
    "css": "text/css", "html": "text/html", "ico": "image/x-icon", "js": "text/javascript",
    "json": "application/json", "map": "application/json", "mjs": "text/javascript",
    "png": "image/png", "svg": "image/svg+xml", "txt": "text/plain", "webp": "image/webp",
    "woff2": "font/woff2",
}  # fmt: skip


def page_file(path: str, root: Path = WEB) -> Response:
    """Return a file of the page. Raise StudioError where there is none."""
    suffix = path.rpartition(".")[2].lower()
    parts = path.split("/")
    sound = all(
        part and not part.startswith(".") and not set(part) & set("\\:\0") for part in parts
    )
    kind = _TYPES.get(suffix)
    file = root.joinpath(*parts) if sound else root
    if kind is None or not sound or not file.is_file() or not _is_inside(file, root):
        if path.startswith("vendor/") or path == "index.html":
            raise StudioError(404, _unfinished(root))
        raise StudioError(404, "there is no such file")
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    # Revalidated at each load: after an upgrade no old script meets a new one.
    headers = {"Cache-Control": "no-cache", "Content-Type": f"{kind}{charset}"}
    return FileResponse(file, headers=headers)


def _is_inside(file: Path, root: Path) -> bool:
    return file.resolve().is_relative_to(root.resolve())


def _unfinished(root: Path) -> str:
    if (root / "vendor").is_dir():
        return "this file of the page is missing; reinstall with: pip install 'pixtrawl[studio]'"
    return "the scripts of the page are not fetched yet; in a source tree run: make setup"
