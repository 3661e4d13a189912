"""Who runs: pixtrawl, what people use today, and the bounds. A name to a command line."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import Corpus

_HERE = Path(__file__).parent
_DRIVERS = _HERE / "drivers"
PEER_LIST = _HERE / "peers.txt"


@dataclass(frozen=True, slots=True)
class Place:
    """Where one scenario happens."""

    urls: Path  # one a line
    out: Path
    corpus: Corpus
    peers: Path  # the python of their environment
    ca_file: Path
    ca_folder: Path


Command = Callable[[Place], Sequence[str]]


def peers_python(folder: Path, *packages: str) -> Path:
    """Their own environment, made once from `peers.txt`, or of these packages."""
    python = folder / "bin" / "python"
    if not python.exists():
        uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
        subprocess.run([uv, "venv", "-q", "-p", sys.executable, str(folder)], check=True)
        wanted = packages or ("-r", str(PEER_LIST))
        install = [uv, "pip", "install", "-q", "--python", str(python), *wanted]
        subprocess.run(install, check=True)
    return python


def pixtrawl(*options: str) -> Command:
    def command(place: Place) -> Sequence[str]:
        return [
            sys.executable, "-m", "pixtrawl", "download", str(place.urls), "-o", str(place.out),
            "-q", "--allow-address", "127.0.0.0/8", *options,
        ]  # fmt: skip

    return command


def _curl(place: Place) -> Sequence[str]:
    config = place.urls.with_suffix(".curl")
    lines = []
    for number, url in enumerate(place.urls.read_text().split()):
        lines += [f'url = "{url}"', f'output = "{place.out}/{number}"']
    config.write_text("\n".join(lines))
    return [
        "curl", "-s", "-L", "--fail", "--parallel", "--parallel-max", "256", "--max-time", "30",
        "-K", str(config),
    ]  # fmt: skip


def _wget(place: Place) -> Sequence[str]:
    return ["wget", "-q", "-P", str(place.out), "--ca-certificate", str(place.ca_file), "-i",
            str(place.urls)]  # fmt: skip


def _aria2(place: Place) -> Sequence[str]:
    return [
        "aria2c", "-q", "-j256", "-x1", "--file-allocation=none", "--connect-timeout=10",
        "--timeout=10", "--max-tries=2", f"--ca-certificate={place.ca_file}", "-d",
        str(place.out), "-i", str(place.urls),
    ]  # fmt: skip


def _driver(name: str, *before: str) -> Command:
    def command(place: Place) -> Sequence[str]:
        script = str(_DRIVERS / f"{name}.py")
        return [str(place.peers), script, *before, str(place.urls), str(place.out)]

    return command


def _gallery_dl(place: Place) -> Sequence[str]:
    program = str(place.peers.with_name("gallery-dl"))
    return [program, "-q", "--config-ignore", "-D", str(place.out), "-i", str(place.urls)]


_PROCESSES = 2  # of img2dataset: one for each core of the machine that the figures are from


def _img2dataset(*options: str) -> Command:
    """img2dataset with work for all of its processes.

    A shard is what one process takes at a time, and its default of 10,000 URLs would leave all
    processes but one idle on a shorter list.
    """

    def command(place: Place) -> Sequence[str]:
        program = str(place.peers.with_name("img2dataset"))
        count = sum(1 for _ in place.urls.open())
        return [
            program, "--url_list", str(place.urls), "--input_format", "txt", "--output_folder",
            str(place.out / "i2d"), "--processes_count", str(_PROCESSES), "--thread_count", "128",
            "--number_sample_per_shard", str(min(10_000, -(-count // _PROCESSES))),
            "--enable_wandb", "False", *options,
        ]  # fmt: skip

    return command


def _hashed(command: Command) -> Command:
    """With authorities from a hashed folder alone; OpenSSL has a file by default."""

    def hashed(place: Place) -> Sequence[str]:
        return [
            "env",
            "SSL_CERT_FILE=/dev/null",
            f"SSL_CERT_DIR={place.ca_folder}",
            *command(place),
        ]

    return hashed


def _bare(place: Place) -> Sequence[str]:
    count = sum(1 for _ in place.urls.open())
    return [sys.executable, str(_DRIVERS / "bare_decoder.py"), str(place.corpus.folder), str(count)]


def _curl_beside_bare(place: Place) -> Sequence[str]:
    """What fetching and checking cost without any program that ties them together.

    curl writes the files while the bare decoder, on the same cores, decodes and hashes its own.
    """
    script = f"{shlex.join(_curl(place))} & {shlex.join(_bare(place))}; wait"
    return ["sh", "-c", script]


FETCH: Mapping[str, Command] = {
    "curl --parallel 256": _curl,
    "wget": _wget,
    "aria2c -j256": _aria2,
    "pixtrawl --check none": pixtrawl("--check", "none", "--dedup", "exact", "--per-host", "64"),
    "gallery-dl": _gallery_dl,
    "Scrapy FilesPipeline": _driver("scrapy_urls", "files"),
    "icrawler, 50 threads": _driver("icrawler_urls"),
    "img2dataset, no decode": _img2dataset(
        "--output_format", "files", "--disable_all_reencoding", "True"
    ),
    "requests, 10 threads": _driver("requests_threads"),
}
HTTPS_ONLY: Mapping[str, Command] = {
    "img2dataset, no decode, hashed CA folder": _hashed(FETCH["img2dataset, no decode"]),
}
FULL: Mapping[str, Command] = {
    "bare decoder + sha256": _bare,
    "curl beside the bare decoder": _curl_beside_bare,
    "pixtrawl --dedup strict": pixtrawl("--dedup", "strict", "--per-host", "64"),
    "pixtrawl (near)": pixtrawl("--per-host", "64"),
    "img2dataset, decode, keep bytes": _img2dataset(
        "--output_format", "files", "--resize_mode", "no", "--skip_reencode", "True"
    ),
    "Scrapy ImagesPipeline": _driver("scrapy_urls", "images"),
}


def _bare_shrinker(place: Place) -> Sequence[str]:
    count = sum(1 for _ in place.urls.open())
    driver = str(_DRIVERS / "bare_shrinker.py")
    return [sys.executable, driver, str(place.corpus.folder), str(count)]


_TO_SHARDS = ("--to", "webdataset", "--resize", "border:256", "--encode", "jpg", "--quality", "95")
_FIT = ("--per-host", "64", *_TO_SHARDS)


def _export(images: Path, shards: Path) -> Sequence[str]:
    return [
        sys.executable,
        "-m",
        "pixtrawl",
        "export",
        str(images),
        "-o",
        str(shards),
        "-q",
        *_TO_SHARDS,
    ]


def export_only(images: Path) -> Command:
    """The second of the two commands, on a data set that is there."""
    return lambda place: _export(images, place.out / "shards")


SHARDS: Mapping[str, Command] = {
    "bare decode, resize, encode": _bare_shrinker,
    "pixtrawl, one pass, --dedup strict": pixtrawl("--dedup", "strict", *_FIT),
    "pixtrawl, one pass (near)": pixtrawl(*_FIT),
    "img2dataset, 256 webdataset": _img2dataset("--output_format", "webdataset"),
}
SMALL_ONLY: Mapping[str, Command] = {
    "pixtrawl, full job": pixtrawl(),
    "img2dataset, 256 webdataset": SHARDS["img2dataset, 256 webdataset"],
}
WEB_ONLY: Mapping[str, Command] = {
    "pixtrawl": pixtrawl("--timeout", "20"),
    "pixtrawl --check none": pixtrawl("--timeout", "20", "--check", "none", "--dedup", "exact"),
}


def installed(name: str) -> bool:
    """Whether the system has what a contender needs."""
    program = name.split()[0]
    return program not in {"wget", "aria2c", "curl"} or shutil.which(program) is not None


_ASK = """
from importlib.metadata import version
for name in ("img2dataset", "icrawler", "scrapy", "gallery-dl", "requests"):
    print(name, version(name))
"""


def versions(peers: Path) -> dict[str, str]:
    """What was measured."""
    found = {"python": sys.version.split()[0], "cores": str(os.cpu_count())}
    frozen = subprocess.run([str(peers), "-c", _ASK], capture_output=True, text=True).stdout
    found.update(line.split() for line in frozen.splitlines())  # type: ignore[misc]
    for program in ("curl", "wget", "aria2c"):
        if path := shutil.which(program):
            text = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
            found[program] = " ".join(text.split("\n")[0].split()[:3])
    return found
