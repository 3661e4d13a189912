"""One decoder process as seen by the pool: its files, its time limit, the meaning of its exit."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from typing import Any, Final, Protocol

from msgspec import Struct

from pixtrawl.config.groups import Images
from pixtrawl.images import launch, record
from pixtrawl.images.interface import Verdict
from pixtrawl.model import Reason

__all__ = ["LIFE", "Decoder", "Owner", "Task", "cause"]

LIFE: Final = 2000  # files until a decoder is replaced, to bound leaks and reset CPU limits
# Files queued at a decoder, the current one included. Several small ones let the event loop sleep
# longer (a full job takes 3 to 5 % less time than with two); large ones are not queued behind each
# other, so that another decoder can take the next.
_MOST_FILES: Final = 4
_SURE_FILES: Final = 2
_MOST_BYTES: Final = 2**20
_BYTES_PER_SECOND: Final = 4 * 2**20  # each so many bytes allow one second more


class Owner(Protocol):
    """The part of the pool that a decoder uses."""

    images: Images
    staging: str

    def read(self, task: Task, answer: bytes) -> Any:
        """Parse and check an answer. Raises HostileAnswerError."""
        ...

    def greeted(self, held: int) -> None: ...

    def lost(self, decoder: Decoder, exit_code: int | None) -> None: ...

    def pump(self) -> None: ...


class Task(Struct, eq=False):
    """One file to inspect."""

    number: int
    kind: int
    name: str
    size_bytes: int
    future: asyncio.Future[Any]
    alone: bool = False  # was queued behind a culprit: gets a decoder without other files


class Decoder:
    """A decoder process with its queue of files."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.link: launch.Link | None = None
        self.tasks: deque[Task] = deque()
        self.taken = 0
        self.ready = False
        self.leaving = False
        self.verdict: tuple[Reason, str] | None = None  # why the pool killed it
        self._buffer = bytearray()
        self._timer: asyncio.TimerHandle | None = None
        self._due_at = 0.0  # 0: no deadline
        self._allowed_s = 0.0
        self._limit(launch.START_TIMEOUT_S)

    def room_for(self, task: Task) -> bool:
        if self.link is None or not self.ready:
            return False  # HELLO may arrive before `launch` returns
        if self.leaving or self.verdict or self.taken >= LIFE:
            return False
        if self.tasks and (task.alone or self.tasks[0].alone):
            return False
        if len(self.tasks) < _SURE_FILES:
            return True
        held_bytes = sum(held.size_bytes for held in self.tasks)
        return len(self.tasks) < _MOST_FILES and held_bytes + task.size_bytes <= _MOST_BYTES

    def take(self, task: Task) -> None:
        assert self.link is not None
        request = record.Request(task.kind, task.number, task.name).pack()
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
        magic, _, held = record.HELLO.unpack_from(self._buffer)
        del self._buffer[: record.HELLO.size]
        if magic != record.MAGIC:
            self.kill(Reason.DECODER_CRASHED, "no decoder answered")
            return
        self.ready = True
        self._due_at = 0.0
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
        self._due_at = 0.0
        if self.tasks:
            self._limit_head()
        self._owner.pump()

    def _limit_head(self) -> None:
        allowance = self.tasks[0].size_bytes / _BYTES_PER_SECOND
        self._limit(self._owner.images.decoder_timeout_s + allowance)

    def _limit(self, seconds: float) -> None:
        """Set a deadline for the current file; one timer serves many files."""
        loop = asyncio.get_running_loop()
        self._allowed_s = seconds
        self._due_at = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_at(self._due_at, self._look)
        elif self._due_at < self._timer.when():
            self._timer.cancel()
            self._timer = loop.call_at(self._due_at, self._look)

    def _look(self) -> None:
        self._timer = None
        if not self._due_at:
            return
        loop = asyncio.get_running_loop()
        if loop.time() < self._due_at:
            self._timer = loop.call_at(self._due_at, self._look)
        else:
            self.kill(Reason.DECODER_TIMEOUT, f"not done in {self._allowed_s:.1f} s")

    def unlimit(self) -> None:
        """Cancel the deadline."""
        self._due_at = 0.0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def kill(self, reason: Reason, detail: str) -> None:
        self.verdict = self.verdict or (reason, detail)
        if self.link is not None:
            self.link.kill()

    def leave(self) -> None:
        """Let the process finish: it has answered everything."""
        self.leaving = True
        self.unlimit()
        if self.link is not None:
            self.link.close()


def cause(exit_code: int | None) -> tuple[Reason, str]:
    """Return the reason and detail for the file at which a decoder exited unexpectedly."""
    if exit_code is None:
        return Reason.DECODER_CRASHED, "the decoder ended"
    if exit_code >= 0:
        return Reason.DECODER_CRASHED, f"the decoder ended with status {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        name = f"signal {-exit_code}"
    reason = {
        # Sent by the kernel when it is out of memory.
        "SIGKILL": Reason.DECODER_MEMORY,
        "SIGXCPU": Reason.DECODER_TIMEOUT,
    }.get(name, Reason.DECODER_CRASHED)
    return reason, f"the decoder was ended by {name}"
