"""One decoder process as seen by the pool: its files, its time limit, the meaning of its exit."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from typing import Any, Final, Protocol

from msgspec import Struct

from pixtrawl.config.groups import Images
from pixtrawl.images import record
from pixtrawl.images.decoders import launch
from pixtrawl.images.decoders.cpu_clock import allowance_s, cpu_clock
from pixtrawl.images.decoders.time_limit import TimeLimit
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Reason

__all__ = ["LIFE", "Blame", "Decoder", "InspectionTask", "Owner", "cause"]

LIFE: Final = 2000  # files until a decoder is replaced, to bound leaks and reset CPU limits
# Files queued at a decoder, the current one included. Several small ones let the event loop sleep
# longer (a full job takes 3 to 5 % less time than with two); large ones are not queued behind each
# other, so that another decoder can take the next.
_MOST_FILES: Final = 4
_SURE_FILES: Final = 2
_MOST_BYTES: Final = 2**20
_KILLED_S: Final = 5.0  # after so long without its exit, more than the decoder hangs
# Signals by which a file can end its decoder; any other one came from outside.
_OWN_SIGNALS: Final = frozenset(
    {"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP", "SIGXFSZ"}
)
_OWN_LIMITS: Final = frozenset({"SIGXCPU", "SIGPROF"})


class Owner(Protocol):
    """The part of the pool that a decoder uses."""

    images: Images
    staging: str

    def read(self, task: InspectionTask, answer: bytes) -> Any:
        """Parse and check an answer. Raises HostileAnswerError."""
        ...

    def greeted(self, held: int) -> None: ...

    def lost(self, decoder: Decoder, exit_code: int | None) -> None: ...

    def renew(self) -> None:
        """Give up the process that starts and ends decoders: it does not react."""
        ...

    def pump(self) -> None: ...


class InspectionTask(Struct, eq=False):
    """One file to inspect."""

    number: int
    kind: int
    name: str
    size_bytes: int
    future: asyncio.Future[Any]
    alone: bool = False  # was queued behind a culprit: gets a decoder without other files
    lost: int = 0  # decoders that were lost while they were at this file


class Blame(Struct):
    """Why the pool kills a decoder, and the file that it was at."""

    reason: Reason
    detail: str
    task: InspectionTask | None


class Decoder:
    """A decoder process with its queue of files."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.link: launch.Link | None = None
        self.tasks: deque[InspectionTask] = deque()
        self.taken = 0
        self.ready = False
        self.leaving = False
        self.excused = False  # its start failed for a reason that is already counted
        self.blame: Blame | None = None
        self._buffer = bytearray()
        self._killed: asyncio.TimerHandle | None = None
        self._limit = TimeLimit(self.kill, owner.images.decoder_stall_s)
        self._limit.await_start(launch.START_TIMEOUT_S)

    def room_for(self, task: InspectionTask) -> bool:
        if self.link is None or not self.ready:
            return False  # HELLO may arrive before `launch` returns
        if self.leaving or self.blame or self.taken >= LIFE:
            return False
        if self.tasks and (task.alone or self.tasks[0].alone):
            return False
        if len(self.tasks) < _SURE_FILES:
            return True
        held_bytes = sum(held.size_bytes for held in self.tasks)
        return len(self.tasks) < _MOST_FILES and held_bytes + task.size_bytes <= _MOST_BYTES

    def take(self, task: InspectionTask) -> None:
        assert self.link is not None
        request = record.InspectionRequest(task.kind, task.number, task.name).pack()
        try:
            self.link.send(request, f"{self._owner.staging}/{task.name}")
        except OSError as error:  # the file is gone, or too many files are open
            task.future.set_result(Verdict(None, Reason.STORE_FAILED, str(error)))
            return
        self.taken += 1
        self.tasks.append(task)
        if len(self.tasks) == 1:
            self._limit_head()

    # -- launch.Receiver ---------------------------------------------------------------------

    def received(self, data: bytes) -> None:
        self._buffer += data
        if not self.ready:
            self._greet()
        while self.tasks and len(self._buffer) >= (size := self._awaited()) > 0:
            answer = bytes(self._buffer[:size])
            del self._buffer[:size]
            self._answered(answer)
        if self.ready and not self.tasks and self._buffer:
            self.kill(Reason.DECODER_CRASHED, "the decoder sent an unrequested answer")

    def ended(self, exit_code: int | None) -> None:
        self.unlimit()
        self._owner.lost(self, exit_code)

    # -- inner -------------------------------------------------------------------------------

    def _greet(self) -> None:
        if len(self._buffer) < record.HELLO.size:
            return
        magic, pid, held = record.HELLO.unpack_from(self._buffer)
        del self._buffer[: record.HELLO.size]
        if magic != record.MAGIC:
            self.kill(Reason.DECODER_CRASHED, "no decoder answered")
            return
        self.ready = True
        self._limit.started(cpu_clock(pid))
        self._owner.greeted(held)

    def _awaited(self) -> int:
        """Return the size of the answer to the oldest file; 0 where it is invalid."""
        try:
            return record.answer_size(self.tasks[0].kind, self._buffer)
        except record.HostileAnswerError as error:
            self.kill(Reason.DECODER_CRASHED, str(error))
            self._buffer.clear()
            return 0

    def _answered(self, answer: bytes) -> None:
        task = self.tasks[0]
        try:
            result: Any = self._owner.read(task, answer)
        except record.HostileAnswerError as error:
            self.kill(Reason.DECODER_CRASHED, str(error))
            self._buffer.clear()
            return
        self.tasks.popleft()
        if not task.future.done():
            task.future.set_result(result)
        self._limit.end()
        if self.tasks:
            self._limit_head()
        self._owner.pump()

    def _limit_head(self) -> None:
        timeout_s = self._owner.images.decoder_timeout_s
        self._limit.begin(allowance_s(timeout_s, self.tasks[0].size_bytes))

    def unlimit(self) -> None:
        """Cancel all timers."""
        self._limit.close()
        if self._killed is not None:
            self._killed.cancel()
            self._killed = None

    def kill(self, reason: Reason, detail: str) -> None:
        """End the process; the file that it is at gets this reason, unless its answer arrives."""
        if self.blame is None:
            self.blame = Blame(reason, detail, self.tasks[0] if self.tasks else None)
        if self.link is not None:
            self.link.kill()
        if self._killed is None:
            self._killed = asyncio.get_running_loop().call_later(_KILLED_S, self._owner.renew)

    def leave(self) -> None:
        """Let the process finish: it has answered everything."""
        self.leaving = True
        self._limit.close()
        if self.link is not None:
            self.link.close()


def cause(exit_code: int | None) -> tuple[Reason, str]:
    """Return the reason and detail for the file at which a decoder exited unexpectedly.

    A signal from outside, such as the SIGKILL of a system that is short of memory, says nothing
    about the file: a decoder's own memory has a limit.
    """
    if exit_code is None:
        return Reason.DECODER_LOST, "the decoder ended"
    if exit_code >= 0:
        return Reason.DECODER_CRASHED, f"the decoder ended with status {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    reason = Reason.DECODER_LOST
    if name in _OWN_SIGNALS:
        reason = Reason.DECODER_CRASHED
    elif name in _OWN_LIMITS:
        reason = Reason.DECODER_TIMEOUT
    return reason, f"the decoder was ended by {name}"
