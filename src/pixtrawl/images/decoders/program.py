"""The decoder program as a process: command line, environment, and early start.

Separate from `launch` because it needs neither asyncio nor the image rules: a command starts this
program before it imports its own modules and reads its settings, and both start in parallel (0.1 s
each). The decoder's settings are sent to it later.
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from pixtrawl.errors import EngineError

if TYPE_CHECKING:  # the early start must not import them
    from pixtrawl.config.groups import Images
    from pixtrawl.transform import Transform

__all__ = [
    "PROGRAM", "Settings", "Zygote", "abandon", "command", "environment", "head_start", "limits_of",
    "prepare", "settings_of", "start_zygote",
]  # fmt: skip

PROGRAM: Final = Path(__file__).with_name("worker_main.py")
Settings = Mapping[str, object]

_LIBRARIES: Final = ("numpy", "PIL", "simplejpeg", "pyseccomp")
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "TZ")
# No BLAS threads: each decoder has one core, and the seccomp filter forbids threads.
_ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def command(program: Path, settings: Settings | None, control: int) -> list[str]:
    """Return the command line; `control` is the program's end of the control socket, or -1.

    Without `settings` the program waits for them on that socket. Raises EngineError.
    """
    if not sys.executable:
        raise EngineError("decoders need a Python interpreter, and this process knows none")
    everything = {
        "paths": _library_folders(),
        "package": str(Path(__file__).resolve().parents[2]),
        "parent": os.getpid(),
        "control": control,
        "settings": settings,
    }
    return [sys.executable, "-I", "-S", str(program), json.dumps(everything)]


def _library_folders() -> list[str]:
    folders = []
    for name in _LIBRARIES:
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            continue
        file = Path(spec.origin).resolve()
        folder = file.parent.parent if spec.submodule_search_locations else file.parent
        if str(folder) not in folders:
            folders.append(str(folder))
    return folders


def environment() -> dict[str, str]:
    """Return the program's whole environment."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | dict.fromkeys(_ONE_THREAD, "1")


class Zygote(NamedTuple):
    """A started zygote that has not sent HELLO yet. It exits when `control` is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    def end(self) -> None:
        """End an unused zygote."""
        self.control.close()
        self.process.kill()
        self.process.wait()


def start_zygote(program: Path, settings: Settings) -> Zygote:
    """Return a zygote for these settings: a new one, or the one started early.

    Takes less than a millisecond, as it does not wait for HELLO. Raises OSError, EngineError.
    """
    prepared = _prepared.pop(_key(program, settings), None)
    if prepared is not None:
        return prepared
    zygote = _ahead.pop() if _ahead and program == PROGRAM else _spawn(program)
    try:
        zygote.control.send(json.dumps(settings).encode())
    except BaseException:
        zygote.end()
        raise
    return zygote


def _spawn(program: Path) -> Zygote:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - a program of this package
                command(program, None, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # keep Ctrl-C in the terminal from reaching it
            )
    except BaseException:
        ours.close()
        raise
    return Zygote(process, ours)


def settings_of(images: Images, staging: Path, transform: Transform | None = None) -> Settings:
    """Return the decoder settings for this staging folder."""
    return {
        "staging": str(staging.resolve()),
        "memory_bytes": images.decoder_memory_bytes,
        "max_pixels": images.max_pixels,
        "timeout_s": images.decoder_timeout_s,
        "limits": limits_of(images),
        "transform": None if transform is None else transform.plain(),
    }


def limits_of(images: Images) -> dict[str, int]:
    """Return the fields of `cost_limits.CostLimits`."""
    return {
        "scans": images.max_scans,
        "frames": images.max_frames,
        "frame_pixels": max(images.max_frame_pixels, images.max_pixels),
        "blocks": images.max_blocks,
    }


def head_start() -> None:
    """Start a zygote before the settings are read. Failure is ignored: one is started later.

    An unused one ends with `abandon`, or with this process, when its socket closes.
    """
    if sys.platform == "linux" and not _ahead:
        try:
            _ahead.append(_spawn(PROGRAM))
        except (OSError, EngineError):
            return  # `start_zygote` will raise the error


def prepare(images: Images, staging: Path, transform: Transform | None = None) -> None:
    """Send the settings, now known, to a zygote that `start_zygote` will return."""
    if images.check != "full":
        abandon()
    elif sys.platform == "linux":
        settings = settings_of(images, staging, transform)
        try:
            _prepared[_key(PROGRAM, settings)] = start_zygote(PROGRAM, settings)
        except (OSError, EngineError):
            return  # as above


def abandon() -> None:
    """End the zygote that was started early and not used."""
    for zygote in (*_ahead, *_prepared.values()):
        zygote.end()
    _ahead.clear()
    _prepared.clear()


_ahead: Final[list[Zygote]] = []
_prepared: Final[dict[str, Zygote]] = {}


def _key(program: Path, settings: Settings) -> str:
    return json.dumps([str(program), settings], sort_keys=True)
