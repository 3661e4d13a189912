"""The decoder program as a process: its command line, its environment, and its head start.

Apart from `launch` because it needs neither asyncio nor the image rules: a command starts the
program before it imports the rest of itself and reads its settings, and both then come up side by
side (0.1 s each). What it is to decode, and where, it is told when that is known.
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

if TYPE_CHECKING:  # a head start comes before they are loaded
    from pixtrawl.config.groups import Images
    from pixtrawl.transform import Transform

__all__ = [
    "PROGRAM", "Settings", "Zygote", "abandon", "command", "environment", "head_start", "prepare",
    "settings_of", "start_zygote",
]  # fmt: skip

PROGRAM: Final = Path(__file__).with_name("worker_main.py")
Settings = Mapping[str, object]

_LIBRARIES: Final = ("numpy", "PIL", "simplejpeg", "pyseccomp")
_PASSED_ON: Final = ("LD_LIBRARY_PATH", "SYSTEMROOT", "WINDIR", "TZ")
# BLAS must not start threads: there is one core for each decoder, and the filter allows none.
_ONE_THREAD: Final = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def command(program: Path, settings: Settings | None, control: int) -> list[str]:
    """How the program is started; `control` is its end of the control socket, -1 without one.

    Without `settings` it waits for them on that socket. Raises EngineError.
    """
    if not sys.executable:
        raise EngineError("decoders need a Python interpreter, and this process knows none")
    everything = {
        "paths": _library_folders(),
        "package": str(Path(__file__).resolve().parent.parent),
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
    """All that the program sees of ours."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | dict.fromkeys(_ONE_THREAD, "1")


class Zygote(NamedTuple):
    """A started zygote, which has yet to say hello. It ends when `control` is closed."""

    process: subprocess.Popen[bytes]
    control: socket.socket

    def end(self) -> None:
        """Ends one that was not asked for anything."""
        self.control.close()
        self.process.kill()
        self.process.wait()


def start_zygote(program: Path, settings: Settings) -> Zygote:
    """One for these settings: new, or the one that was given a head start.

    Takes less than a millisecond: the child is started and no more. Raises OSError, EngineError.
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
            process = subprocess.Popen(  # noqa: S603 - our own program
                command(program, None, theirs.fileno()),
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


def head_start() -> None:
    """Starts a zygote for settings that are yet to be read; without one, nothing is lost.

    One that is never asked for ends with `abandon`, or with this process, as its socket does.
    """
    if sys.platform == "linux" and not _ahead:
        try:
            _ahead.append(_spawn(PROGRAM))
        except (OSError, EngineError):
            return  # whoever asks for it is told why


def prepare(images: Images, staging: Path, transform: Transform | None = None) -> None:
    """Settings are known: a zygote is told of them, that `start_zygote` will be asked for."""
    if images.check != "full":
        abandon()
    elif sys.platform == "linux":
        settings = settings_of(images, staging, transform)
        try:
            _prepared[_key(PROGRAM, settings)] = start_zygote(PROGRAM, settings)
        except (OSError, EngineError):
            return  # as above


def abandon() -> None:
    """Ends what nobody has asked for."""
    for zygote in (*_ahead, *_prepared.values()):
        zygote.end()
    _ahead.clear()
    _prepared.clear()


_ahead: Final[list[Zygote]] = []
_prepared: Final[dict[str, Zygote]] = {}


def _key(program: Path, settings: Settings) -> str:
    return json.dumps([str(program), settings], sort_keys=True)
