"""A web of many small JPEGs, each with other bytes, and if asked each another picture."""

from __future__ import annotations

import functools
import io
import os
import subprocess
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.servers import RunningNginx, free_port

_PICTURES = 400  # of which the files are made, where they need not differ by look
_GRAINS = 16
_CONF = """
worker_processes 1; daemon off; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; keepalive_timeout 75s;
  types {{ image/jpeg jpg; }}
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  server {{ listen 0.0.0.0:{port}; root {root}; }}
}}
"""


def _jpeg(seed: int, side: int) -> bytes:
    """A picture of smooth shapes under noise: like no other one by look."""
    soft = np.random.default_rng(seed).integers(0, 255, (7, 9, 3), dtype=np.uint8)
    picture = Image.fromarray(soft).resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
    grain = _grains(side)[seed % _GRAINS]
    pixels = (np.asarray(picture) + grain).clip(0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=75)
    return file.getvalue()


@functools.cache
def _grains(side: int) -> NDArray[np.int16]:
    """A few fields of noise: to draw one for each picture is most of the work."""
    noise = np.random.default_rng(0).normal(0, 6, (_GRAINS, side * 3 // 4, side, 1))
    return noise.astype(np.int16)


def _with_comment(data: bytes, text: bytes) -> bytes:
    """Insert a comment behind the start marker: other bytes, the same picture."""
    return data[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2) + text + data[2:]


def make(folder: Path, count: int, *, side: int = 224, distinct: bool = False) -> None:
    """Write `count` files, but for those that are there; 100 are in each subfolder.

    A folder is for files of one kind: those that are there are not looked at.
    """
    done = folder / f"made-{count}-{side}-{distinct}"
    if done.exists():
        return
    base = [] if distinct else [_jpeg(seed, side) for seed in range(_PICTURES)]
    for number in range(count):
        path = folder / path_of(number)
        if number % 100 == 0:
            path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            continue
        data = _jpeg(number, side) if distinct else base[number % _PICTURES]
        path.write_bytes(_with_comment(data, b"%d" % number))
    done.touch()


def path_of(number: int) -> str:
    """Return the path of a file under the root."""
    return f"{number // 100}/{number}.jpg"


def write_list(path: Path, port: int, count: int, hosts: int, labels: int = 1) -> None:
    """Write a list of the files over so many addresses; with several labels in mixed order."""
    with path.open("w") as file:
        file.write("url,label\n")
        for number in range(count):
            host = f"127.9.{number % hosts // 250}.{number % hosts % 250 + 1}"
            label = number * 7919 % labels
            file.write(f"http://{host}:{port}/{path_of(number)},label {label:04}\n")


class SmallWeb(RunningNginx):
    """nginx at every address of 127.0.0.0/8 while inside the block."""

    def __init__(self, work: Path, root: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.work, self.http = work, free_port()
        (work / "nginx.conf").write_text(_CONF.format(work=work, root=root, port=self.http))


def measured(command: list[str]) -> tuple[int, float, float]:
    """Run a command. Return its exit code, seconds, and CPU seconds with all its processes."""
    began = time.monotonic()
    with Path(os.devnull).open("wb") as nothing:
        process = subprocess.Popen(command, stdout=nothing, stderr=nothing)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.monotonic() - began, used.ru_utime + used.ru_stime
