"""Fetch the files of known models, in pieces that a later call goes on with, and check them.

Each file comes by ranges of 8 MiB into `NAME.part`, which is renamed once whole. Revision and
licence (as the repository's card and the hub's answer state them) and the SHA-256 of each file are
recorded in `models.lock.json` at the first fetch; from then on files are asked for in that
revision, and another content is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import msgspec

from pixtrawl.config.groups import Config
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import EnvironmentFailedError, FetchError, StorageError, UsageError
from pixtrawl.net.client import Client
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.scoring.models.known_models import KnownModel

__all__ = ["fetch_model", "model_files", "models_folder", "recorded"]

_PIECE_BYTES: Final = 8 << 20
_PIECE_TIMEOUT_S: Final = 300.0
_ATTEMPTS: Final = 4  # for each piece
_LOCK: Final = "models.lock.json"
_REDIRECTS: Final = 10
_MAX_BYTES: Final = 1 << 40
_CARD: Final = "README.md"
_CARD_BYTES: Final = 1 << 20
_BRANCH: Final = "main"
_LICENCE: Final = re.compile(r"^license:[ \t]*[\"']?([A-Za-z0-9.+_-]{1,60})", re.MULTILINE)
_REVISION: Final = re.compile(r"[0-9a-f]{40}")

Progress = Callable[[str, int, int | None], None]  # file, bytes so far, bytes in all


def models_folder(config: Config) -> Path:
    """Return the folder of fetched models: `models.folder`, else in the user's cache."""
    return Path(config.models.folder) if config.models.folder else user_folder("cache") / "models"


def model_files(config: Config, known: KnownModel) -> dict[str, Path]:
    """Return the places of a model's files on this computer, whether there or not."""
    folder = models_folder(config) / known.name
    return {name: folder / name for name in known.files}


def is_here(config: Config, known: KnownModel) -> bool:
    """Return whether all files of a model are on this computer."""
    return all(path.is_file() for path in model_files(config, known).values())


def recorded(config: Config) -> dict[str, Any]:
    """Return the record of all fetched models: repository, base URL, files with hash and size."""
    path = models_folder(config) / _LOCK
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise StorageError(f"{path}: cannot be read ({error})") from error
    return found if isinstance(found, dict) else {}


async def fetch_model(
    config: Config,
    known: KnownModel,
    *,
    expected: Mapping[str, str] | None = None,
    on_progress: Progress = lambda name, done, whole: None,
) -> Path:
    """Return the folder of a model, with its files fetched and checked.

    Args:
        config: `models.base_url`, `models.folder`, and the settings of transfers.
        known: the model.
        expected: SHA-256 of files by local name, as a data set recorded them.
        on_progress: called after each piece with file, bytes so far, and bytes in all.

    Raises:
        EnvironmentFailedError: a file cannot be fetched; the same call goes on where it was.
        UsageError: a file is not what was recorded.
        StorageError: the folder cannot be written.
    """
    folder = models_folder(config) / known.name
    with _storage(folder):
        folder.mkdir(parents=True, exist_ok=True)
    own = recorded(config).get(known.name, {}).get("files", {})
    hashes = {name: str(row.get("sha256")) for name, row in own.items()} | dict(expected or {})
    client = Client(config.fetch)
    try:
        if any(not (folder / name).is_file() for name in known.files):
            await _note_card(client, config, known)
        revision = _noted(config, known, "revision") or _BRANCH
        for name, inside in known.files.items():
            target = folder / name
            if not target.is_file():
                url = f"{config.models.base_url.rstrip('/')}/{known.repository}/resolve/"
                url += f"{revision}/"
                await _fetch(client, url + quote(inside), target, on_progress)
            _check(known, target, hashes.get(name))
    finally:
        await client.aclose()
    if known.settings:
        with _storage(folder):
            (folder / "preprocess.json").write_text(known.settings, encoding="utf-8")
    _record(config, known, folder)
    return folder


def _noted(config: Config, known: KnownModel, name: str) -> str:
    return str(recorded(config).get(known.name, {}).get(name) or "")


async def _note_card(client: Client, config: Config, known: KnownModel) -> None:
    """Record revision and licence of the repository, once; a mirror may state neither."""
    if known.name in recorded(config):
        return
    base = f"{config.models.base_url.rstrip('/')}/{known.repository}/resolve/{_BRANCH}/"
    request = Request(url=base + _CARD, max_bytes=_CARD_BYTES, timeout_s=_PIECE_TIMEOUT_S)
    try:
        response = await follow(request, client.transfer, _REDIRECTS)
    except FetchError:
        return  # the files themselves report trouble
    revision = response.headers.get("x-repo-commit", "")
    front = response.text.split("\n---", 1)[0] if response.text.startswith("---") else ""
    licence = _LICENCE.search(front) if response.status == 200 else None
    row: dict[str, Any] = {
        "repository": known.repository, "base_url": config.models.base_url,
        "revision": revision if _REVISION.fullmatch(revision) else "",
        "licence": licence[1] if licence else "", "files": {},
    }  # fmt: skip
    _write(config, known, row)


async def _fetch(client: Client, url: str, target: Path, on_progress: Progress) -> None:
    part = target.with_name(target.name + ".part")
    with _storage(part):
        done = part.stat().st_size if part.is_file() else 0
    while True:
        response = await _piece(client, url, done)
        if response.status == 416 and done:  # nothing is left: the part was whole
            break
        if response.status not in {200, 206}:
            raise EnvironmentFailedError(_failed(url, f"the server answers {response.status}"))
        ranged = response.status == 206
        whole = _whole_bytes(response, done)
        with _storage(part), part.open("ab" if ranged else "wb") as file:
            file.write(response.body)
            done = file.tell()
        on_progress(target.name, done, whole)
        if not ranged or not response.body or (whole is not None and done >= whole):
            break
    if not done:
        raise EnvironmentFailedError(_failed(url, "the file is empty"))
    with _storage(target):
        os.replace(part, target)  # noqa: PTH105 - of two paths of one folder


async def _piece(client: Client, url: str, start: int) -> Response:
    headers = {
        "Range": f"bytes={start}-{start + _PIECE_BYTES - 1}",
        "Accept-Encoding": "identity",  # a range of a compressed body would be another one
    }
    request = Request(url=url, headers=headers, max_bytes=_MAX_BYTES, timeout_s=_PIECE_TIMEOUT_S)
    error: FetchError | None = None
    for _ in range(_ATTEMPTS):
        try:
            return await follow(request, client.transfer, _REDIRECTS)
        except FetchError as failure:
            error = failure
    assert error is not None
    raise EnvironmentFailedError(_failed(url, f"{error.reason}: {error}")) from error


def _failed(url: str, why: str) -> str:
    return (
        f"{url}: cannot be fetched ({why}); the same command goes on where it was, "
        "`--set models.base_url=URL` names a mirror"
    )


def _whole_bytes(response: Response, start: int) -> int | None:
    """Return the size of the file, by Content-Range (RFC 9110, 14.4) or the body itself."""
    if response.status == 200:
        return len(response.body)
    given, _, whole = response.headers.get("content-range", "").partition("/")
    first = given.removeprefix("bytes ").partition("-")[0].strip()
    if first != str(start):
        raise EnvironmentFailedError(
            _failed(response.url, f"the server sent the range {given!r}, not that from {start}")
        )
    return int(whole) if whole.strip().isdigit() else None


def _check(known: KnownModel, path: Path, expected: str | None) -> None:
    found = _sha256(path)
    if expected is not None and found != expected:
        raise UsageError(
            f"{path}: is not the file that was recorded at the first fetch of {known.name} "
            f"(SHA-256 {found[:12]}..., not {expected[:12]}...); delete it to fetch it again, and "
            f"the entry in {_LOCK} if the model was renewed on purpose"
        )


def _sha256(path: Path) -> str:
    with _storage(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _record(config: Config, known: KnownModel, folder: Path) -> None:
    found = recorded(config)
    files = {
        name: {"path": inside, "sha256": _sha256(folder / name),
               "size_bytes": (folder / name).stat().st_size}
        for name, inside in known.files.items()
    }  # fmt: skip
    row = found.get(known.name, {})
    if row.get("files") == files:
        return
    plain = {"repository": known.repository, "base_url": config.models.base_url}
    _write(config, known, {"revision": "", "licence": "", **row, **plain, "files": files})


def _write(config: Config, known: KnownModel, row: Mapping[str, Any]) -> None:
    found = recorded(config) | {known.name: row}
    path = models_folder(config) / _LOCK
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with _storage(path):
        temporary.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
        temporary.replace(path)


@contextmanager
def _storage(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: cannot be written ({error.strerror or error})") from error
