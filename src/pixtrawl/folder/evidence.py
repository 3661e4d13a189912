"""Stores the answers of sources that failed, pages and screenshots, for a person to inspect."""

from __future__ import annotations

import hashlib
import re
import shutil
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError
from pixtrawl.folder import layout
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence_page import safe_page, text_of
from pixtrawl.secrets import NO_SECRETS, KnownSecrets, masked_text

__all__ = ["EvidenceStore", "copy_out", "where"]

_MAX_BYTES: Final = 4 * 2**20  # of one page; result pages have 1-2 MB, screenshots less
_PICTURES: Final = frozenset({"png", "jpg", "webp"})
_PAGES: Final = frozenset({"html", "htm"})
_TEXTS: Final = frozenset({"html", "htm", "json", "txt"})
_SAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


_OLD: Final = f"{layout.OLD_CONTROL}/evidence/"


class EvidenceStore:
    """Keeps the newest answer under each name; a later one overwrites an earlier one."""

    def __init__(
        self,
        place: Path | Folder,
        *,
        secrets: KnownSecrets = NO_SECRETS,
        pictures: bool = True,
    ) -> None:
        """Store into `place`: a data set, as hidden files, or a separate folder.

        `secrets` of this run are masked. Without `pictures` no screenshot is kept.
        """
        self._secrets = secrets
        self._pictures = pictures
        self._set = place if isinstance(place, Folder) else None
        self._folder = place.root if isinstance(place, Folder) else place

    def save(self, name: str, content: bytes | str) -> str:
        """Store an answer, cut at 4 MiB. Return its path; in a data set, relative to its folder.

        A page loses everything active (`evidence_page`); other text is masked. The path is "" for a
        picture if pictures are not kept.

        `name` may contain a query's text: characters other than letters, digits, dot, dash and
        underscore are replaced, and a hash of the original name keeps such names distinct.
        """
        stem, dot, extension = name.rpartition(".")
        kind = extension.lower() if dot else ""
        if kind in _PICTURES:
            if not self._pictures:
                return ""
            data = content if isinstance(content, bytes) else content.encode()
        else:
            data = self._text(kind, content[:_MAX_BYTES]).encode("utf-8", "replace")
            if kind not in _TEXTS:  # such as XML and SVG, which browsers run scripts in
                stem, dot, extension = name, ".", "txt"
        safe = _SAFE.sub("_", stem if dot else name).strip("._")[:80]
        if safe != (stem if dot else name):
            safe += "-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:8]
        file_name = safe + ("." + _SAFE.sub("", extension)[:8] if dot else "")
        if self._set is not None:
            file_name = layout.evidence_name(file_name)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / file_name
        path.write_bytes(data[:_MAX_BYTES])
        return file_name if self._set is not None else str(path)

    def _text(self, kind: str, content: bytes | str) -> str:
        page = kind in _PAGES or (kind not in _TEXTS and "<" in text_of(content[:1024]))
        text = safe_page(content) if page else masked_text(text_of(content))
        return self._secrets.masked(text)


def where(folder: Folder, path: str) -> str:
    """Return the current path of evidence that an older version recorded as `path`."""
    if not path.startswith(_OLD) or (folder.root / path).exists():
        return path
    return layout.evidence_name(path.removeprefix(_OLD))


def copy_out(folder: Folder, target: Path) -> list[Path]:
    """Copy all evidence into `target`, under names that programs open. Return the files.

    Raise StorageError if a file cannot be copied.
    """
    found = {
        name: path
        for path in sorted(folder.root.iterdir())
        if (name := layout.parse_evidence_name(path.name)) is not None
    }
    if (folder.root / _OLD).is_dir():
        found |= {path.name: path for path in sorted((folder.root / _OLD).iterdir())}
    try:
        if found:
            target.mkdir(parents=True, exist_ok=True)
        return [Path(shutil.copyfile(path, target / name)) for name, path in found.items()]
    except OSError as error:
        raise StorageError(f"cannot write {target}: {error}") from error
