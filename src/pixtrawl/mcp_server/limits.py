"""The limits that the person who starts the server sets: folders, images, bytes, jobs."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.operations.job import JobRecord, known_jobs

__all__ = ["DEFAULT_BYTES", "DEFAULT_IMAGES", "DEFAULT_JOBS", "AssistantLimits"]

DEFAULT_IMAGES: Final = 1000
DEFAULT_BYTES: Final = 2 * 2**30
DEFAULT_JOBS: Final = 2
_MOST_LISTED: Final = 100


class AssistantLimits(Struct, frozen=True, kw_only=True):
    """The limits of one server.

    `roots` are absolute folders: nothing is read or written outside of them. `most_images` and
    `most_bytes` hold for one job, `most_jobs` for jobs at the same time. With `asks` the person is
    asked before anything is fetched, removed, moved or written.
    """

    roots: tuple[Path, ...]
    most_images: int = DEFAULT_IMAGES
    most_bytes: int = DEFAULT_BYTES
    most_jobs: int = DEFAULT_JOBS
    asks: bool = True

    @property
    def shown_roots(self) -> str:
        """The folders in one line."""
        return ", ".join(map(str, self.roots))

    def path(self, name: str) -> Path:
        """Return the absolute path, without symbolic links, that an assistant means by a name.

        A relative name is looked for below each root; the name of a root that is a data set means
        that root. Raise UsageError for a path outside of the roots.
        """
        if not name.strip() or "\0" in name:
            raise UsageError("name a folder, such as 'cats'")
        given = Path(name).expanduser()
        places = [given] if given.is_absolute() else [root / given for root in self.roots]
        own = [root for root in self.roots if name in {".", root.name} and Folder(root).exists()]
        chosen = next((one for one in [*places, *own] if Folder(one).exists()), places[0])
        try:
            found = chosen.resolve()
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror or error}") from error
        if not self.allows(found):
            raise UsageError(
                f"{name} lies outside of the folders of this server ({self.shown_roots}); only the "
                "person who starts it can add one, with --folder DIR"
            )
        return found

    def allows(self, path: Path) -> bool:
        """Return whether a path lies in one of the roots, symbolic links followed."""
        found = path.resolve()
        return any(found.is_relative_to(root.resolve()) for root in self.roots)

    def data_set(self, name: str) -> Folder:
        """Return a data set that is there. Raise UsageError."""
        folder = Folder(self.path(name))
        folder.require()
        return folder

    def data_sets(self) -> list[Path]:
        """Return the data sets in the roots: those of known jobs, and what lies directly there."""
        found: dict[Path, None] = {}
        for record in self.jobs():
            found[Path(record.path).resolve()] = None
        for root in self.roots:
            found[root.resolve()] = None
            if root.is_dir():
                found |= dict.fromkeys(sorted(one.resolve() for one in root.iterdir()))
        sets = [one for one in found if self.allows(one) and Folder(one).exists()]
        return sets[:_MOST_LISTED]

    def jobs(self) -> list[JobRecord]:
        """Return the known jobs on data sets in the roots, newest first."""
        return [one for one in known_jobs().jobs if self.allows(Path(one.path))]
