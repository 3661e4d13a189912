"""Pictures over HTTP: thumbnails, and the pictures themselves with a fixed type."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from pixtrawl.catalog.views import rows as look_rows
from pixtrawl.catalog.views.rows import PictureRow
from pixtrawl.folder.layout import parse_evidence_name
from pixtrawl.images.formats.sniff import sniff
from pixtrawl.studio.messages import StudioError
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.thumbs import SIZES_PX, picture_file
from pixtrawl.studio.sets.views import parse_ref
from pixtrawl.studio.studio import Studio

__all__ = ["evidence", "picture", "thumb"]

# What every browser shows as a picture and never as a page. Others are shown as WebP made of them.
_TYPES: Final = {
    "jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp", "gif": "image/gif",
    "avif": "image/avif",
}  # fmt: skip
_HEAD_BYTES: Final = 4096
_LARGEST_PX: Final = SIZES_PX[-1]
_ISOLATED: Final = {"Content-Security-Policy": "default-src 'none'; sandbox"}


async def thumb(request: Request) -> Response:
    """Answer with a thumbnail as WebP."""
    text = request.query_params.get("px", str(SIZES_PX[0]))
    px = next((one for one in SIZES_PX[:2] if str(one) == text), None)
    if px is None:
        raise StudioError(400, "px is 160 or 320")
    data_set, row, path = await _found(request)
    return await _small(request, data_set, row, path, px)


async def picture(request: Request) -> Response:
    """Answer with the picture; one of a format that browsers do not show as a large WebP."""
    data_set, row, path = await _found(request)
    format_ = await _studio(request).run(lambda: _format(path))
    kind = _TYPES.get(format_)
    if kind is None:
        return await _small(request, data_set, row, path, _LARGEST_PX)
    headers = {**_ISOLATED, **_caching(request, row), "Content-Type": kind}
    return FileResponse(path, headers=headers)


async def evidence(request: Request) -> Response:
    """Answer with what was kept of a source's answer: a screenshot, or a page as plain text."""
    studio, name = _studio(request), request.path_params["name"]
    key = request.path_params["set"]

    def look() -> tuple[Path, str]:
        root = studio.require(key).folder.root
        path = root / name
        sound = parse_evidence_name(name) is not None and not set(name) & set("/\\\0")
        if not sound or not path.is_file() or path.resolve().parent != root.resolve():
            raise StudioError(404, "there is no such evidence")
        return path, _TYPES.get(_format(path), "text/plain; charset=utf-8")

    path, kind = await studio.run(look)
    return FileResponse(path, headers={**_ISOLATED, "Content-Type": kind})


async def _found(request: Request) -> tuple[OpenSet, PictureRow, Path]:
    """Return where a picture is. Raise StudioError 404 where it is gone or must not be shown."""
    studio = _studio(request)
    kind, row_id = parse_ref(request.path_params["image"])
    read = look_rows.sample_picture if kind == "s" else look_rows.candidate_picture

    def look() -> tuple[OpenSet, PictureRow, Path]:
        data_set = studio.require(request.path_params["set"])
        row = data_set.read(lambda db: read(db, row_id))
        path = None if row is None else picture_file(data_set.folder, row)
        if row is None or path is None:
            raise StudioError(404, "there is no picture to show")
        return data_set, row, path

    return await studio.run(look)


async def _small(
    request: Request, data_set: OpenSet, row: PictureRow, path: Path, px: int
) -> Response:
    data = await _studio(request).thumbs.get(data_set.folder, path, row.sha256, px)
    if data is None:
        raise StudioError(404, "no thumbnail can be made of this file")
    headers = {**_ISOLATED, **_caching(request, row)}
    return Response(data, headers=headers, media_type="image/webp")


def _caching(request: Request, row: PictureRow) -> dict[str, str]:
    """Let the browser keep an answer for good where its address has the version of the bytes."""
    version = request.query_params.get("v", "")
    held = len(version) >= 16 and row.sha256.startswith(version)
    return {"Cache-Control": "private, max-age=31536000, immutable" if held else "no-store"}


def _format(path: Path) -> str:
    """Return the format by the file's content, never by its name; "" for an unknown one."""
    try:
        with path.open("rb") as file:
            return sniff(file.read(_HEAD_BYTES)) or ""
    except OSError:  # moved in between
        return ""


def _studio(request: Request) -> Studio:
    found: Studio = request.app.state.studio
    return found
