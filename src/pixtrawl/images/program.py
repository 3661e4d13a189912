"""The decoder program as a process: its command line, its environment, and its head start.

Apart from `launch` because it needs neither asyncio nor the image rules: a command starts the
program before it imports the rest of itself, and both then come up side by side (0.2 s each).
"""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pixtrawl.config.groups import Images
from pixtrawl.errors import EngineError
from pixtrawl.transform import Transform

__all__ = [
    "PROGRAM", "Settings", "Zygote", "command", "environment", "head_start", "settings_of",
    "start_zygote",
]  # fmt: skip

PROGRAM: Final = Path(__file__).with_name("worker_main.py")
Settings = Mapping[str, object]

_LIBRARIES: Final = ("numpy", "PIL", "simplejpeg", "pyseccomp")
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "TZ")
# BLAS must not start threads: there is one core for each decoder, and the filter allows none.
_ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def command(program: Path, settings: Settings, control: int) -> list[str]:
    """How the program is started; `control` is its end of the control socket, -1 without one.

    Raises EngineError.
    """
    if not sys.executable:
        raise EngineError("decoders need a Python interpreter, and this process knows none")
    everything = {
        **settings,
        "paths": _library_folders(),
        "package": str(Path(__file__).resolve().parent.parent),
        "parent": os.getpid(),
        "control": control,
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
    """All that the program sees of ours."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | dict.fromkeys(_ONE_THREAD, "1")


@dataclass(frozen=True, slots=True)
class Zygote:
    """A started zygote, which has yet to say hello. It ends when `control` is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket


def start_zygote(program: Path, settings: Settings) -> Zygote:
    """Starts one, or takes the one that was given a head start with the same settings.

    Takes less than a millisecond: the child is started and no more. Raises OSError, EngineError.
    """
    ahead = _ahead.pop(_key(program, settings), None)
    if ahead is not None:
        return ahead
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    try:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own program
                command(program, settings, theirs.fileno()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=environment(),
                cwd="/",
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # Ctrl-C in the terminal is not for it
            )
    except BaseException:
        ours.close()
        raise
    return Zygote(process, ours)


def settings_of(images: Images, staging: Path, transform: Transform | None = None) -> Settings:
    """What decoders of this folder are told."""
    return {
        "staging": str(staging.resolve()),
        "memory_bytes": images.decoder_memory_bytes,
        "max_pixels": images.max_pixels,
        "transform": None if transform is None else transform.plain(),
    }


def head_start(images: Images, staging: Path, transform: Transform | None = None) -> None:
    """Starts a zygote that `start_zygote` will be asked for; without one, nothing is lost.

    One that is never asked for ends with this process, as its socket does.
    """
    if sys.platform != "linux" or images.check != "full":
        return
    settings = settings_of(images, staging, transform)
    try:
        _ahead[_key(PROGRAM, settings)] = start_zygote(PROGRAM, settings)
    except (OSError, EngineError):
        return  # whoever asks for it is told why


_ahead: Final[dict[str, Zygote]] = {}


def _key(program: Path, settings: Settings) -> str:
    return json.dumps([str(program), settings], sort_keys=True)
