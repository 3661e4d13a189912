"""A pool of sandboxed decoders: a file that crashes, hangs or explodes affects only itself.

Each decoder has a short queue, so that it never idles; the oldest file is the current one, and thus
the culprit when the decoder dies or takes too long. The files behind it go to other decoders, each
alone. Process pool libraries cost 0.25 to 0.6 ms an image and have neither limits nor culprits.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from msgspec.structs import replace

from pixtrawl.config.groups import Images
from pixtrawl.cores import usable_cores
from pixtrawl.errors import EngineError
from pixtrawl.events import Listener, Notice, ignore
from pixtrawl.images import record
from pixtrawl.images.decoders import launch, sandbox
from pixtrawl.images.decoders.decoder import LIFE, Blame, Decoder, InspectionTask, cause
from pixtrawl.images.decoders.program import PROGRAM, limits_of, settings_of
from pixtrawl.images.formats.cost_limits import CostLimits
from pixtrawl.images.interface import Pdq, Verdict
from pixtrawl.model import Reason
from pixtrawl.portrait import Portrait
from pixtrawl.transform import Transform

__all__ = ["DecoderPool"]

_START_FAILURES: Final = 3
_MOST_LOST: Final = 3  # decoders that a file may lose to the machine before a later run takes it


class DecoderPool:
    """`images.interface.Inspector` over sandboxed processes, started at the first file.

    Bound to the event loop that uses it first. With `isolation=False` threads of this process
    decode: as fast, but a hostile file can then harm the whole process.
    """

    program: ClassVar[Path] = PROGRAM

    def __init__(
        self,
        images: Images,
        staging: Path,
        *,
        transform: Transform | None = None,
        isolation: bool = True,
        emit: Listener = ignore,
    ) -> None:
        self.images = images
        self._transform = transform
        self._staging = staging.resolve()
        self.staging = str(self._staging)
        self._isolation = isolation
        self._emit = emit
        self._size = images.decoders or usable_cores()
        self._pending: deque[InspectionTask] = deque()
        self._decoders: set[Decoder] = set()
        self._launcher: launch.Launcher | None = None
        self._launching: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._failure: EngineError | None = None
        self._held: int | None = None
        self._next = 0
        self._closed = False
        self._quiet = asyncio.Event()
        self._slots = asyncio.Semaphore(self._size)

    async def inspect(self, name: str, size_bytes: int) -> Verdict:
        """Inspect one staged file. Raises EngineError when decoders cannot be started."""
        if size_bytes == 0:
            return Verdict(None, Reason.EMPTY_BODY)
        kind = record.INSPECT if self._transform is None else record.RENDER
        verdict: Verdict = await self._ask(kind, name, size_bytes)
        return verdict

    async def rights(self, name: str) -> dict[str, str | bool] | None:
        """Return the rights statements inside one staged file (`record.RIGHTS_FIELDS`).

        Empty where the file has none or crashes its decoder; None where nothing is known, because
        the machine stopped or starved the decoders. Raises EngineError.
        """
        found: Verdict | dict[str, str | bool] = await self._ask(record.RIGHTS, name, 0)
        if isinstance(found, Verdict):
            return None if found.reason is Reason.DECODER_LOST else {}
        return found

    async def pdq(self, name: str, size_bytes: int) -> list[Pdq] | Verdict:
        """Return the PDQ hashes of one staged file (`images.appearance.pdq.pdq_of`).

        A verdict where the file crashes its decoder or takes it too long. Raises EngineError.
        """
        answer: list[Pdq] | Verdict = await self._ask(record.PDQ, name, size_bytes)
        return answer

    async def portrait(self, name: str, size_bytes: int) -> Portrait | None:
        """Describe one staged file for comparison with its copies; None where it does not decode.

        Raises EngineError.
        """
        answer: Portrait | Verdict | None = await self._ask(record.PORTRAIT, name, size_bytes)
        return None if isinstance(answer, Verdict) else answer

    def begin(self) -> None:
        """Start decoders without waiting for them, while the first file is being fetched."""
        if self._isolation and not (self._decoders or self._closed or self._failure):
            self.pump(wanted=self._size)

    async def prepare(self) -> None:
        """Start one decoder now, so that the first file need not wait. Raises EngineError."""
        if not self._isolation or self._held is not None:
            return
        self.pump(wanted=1)
        while self._held is None and self._failure is None:
            self._quiet.clear()
            await self._quiet.wait()
        if self._failure is not None:
            raise self._failure

    def containment(self) -> Mapping[str, bool]:
        """Return which sandbox mechanisms are active; all False before the first decoder."""
        held = self._held or 0
        means = {name: bool(held & bit) for bit, name in sandbox.MEANS.items()}
        return {"process of its own": self._held is not None, **means}

    @property
    def held(self) -> int | None:
        """The bits of `sandbox.contain`; None before the first decoder."""
        return self._held

    async def aclose(self) -> None:
        """End all decoders and cancel the files still waiting."""
        self._closed = True
        for starting in self._launching:
            starting.cancel()
        for task in [*self._pending, *(t for d in self._decoders for t in d.tasks)]:
            task.future.cancel()
        self._pending.clear()
        for decoder in self._decoders:
            busy = bool(decoder.tasks)
            decoder.leave()
            if busy and decoder.link is not None:
                decoder.link.kill()
        await asyncio.gather(*self._launching, return_exceptions=True)
        await self._wait_for_ends()
        if self._launcher is not None:
            await self._launcher.aclose()
            self._launcher = None
        await self._wait_for_ends()

    async def _wait_for_ends(self) -> None:
        deadline = asyncio.get_running_loop().time() + 2.0
        while self._decoders and (left := deadline - asyncio.get_running_loop().time()) > 0:
            self._quiet.clear()
            try:
                await asyncio.wait_for(self._quiet.wait(), left)
            except TimeoutError:
                for decoder in self._decoders:
                    decoder.kill(Reason.DECODER_TIMEOUT, "did not end")

    # -- asking --------------------------------------------------------------------------------

    async def _ask(self, kind: int, name: str, size_bytes: int) -> Any:
        if not _is_file_name(name):
            raise EngineError(f"not the name of a staged file: {name!r}")
        if not self._isolation:
            async with self._slots:
                return await asyncio.to_thread(self._here, kind, name)
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise EngineError("the decoders have been closed")
        self._next = (self._next + 1) & 0xFFFFFFFF
        future = asyncio.get_running_loop().create_future()
        self._pending.append(InspectionTask(self._next, kind, name, size_bytes, future))
        self.pump()
        return await future

    def _here(self, kind: int, name: str) -> Any:
        """Run the inspection in a thread (no isolation)."""
        from pixtrawl.images import inspect
        from pixtrawl.images.appearance import pdq, portrait
        from pixtrawl.images.metadata import rights  # imports decoders into this process

        try:
            data = (self._staging / name).read_bytes()
        except OSError as error:
            return Verdict(None, Reason.STORE_FAILED, str(error))
        if kind == record.RIGHTS:
            packed = record.pack_rights(0, rights.read_rights(data))
            return record.unpack_rights(packed, 0)
        if kind == record.PDQ:
            return pdq.pdq_of(data, self.images.max_pixels)
        if kind == record.PORTRAIT:
            return portrait.portrait(data, self.images.max_pixels)
        limits = CostLimits(**limits_of(self.images))
        verdict = inspect.inspect_bytes(data, self.images.max_pixels, self._transform, limits)
        packed = record.pack_verdict(0, verdict)
        checked = record.unpack_verdict(packed, 0, len(data), self.images.max_pixels)
        return replace(checked, rendition=verdict.rendition)

    def read(self, task: InspectionTask, answer: bytes) -> Any:
        """Parse and check an answer. Raises HostileAnswerError."""
        if task.kind == record.RIGHTS:
            return record.unpack_rights(answer, task.number)
        if task.kind == record.PDQ:
            return record.unpack_pdq(answer, task.number)
        if task.kind == record.PORTRAIT:
            return record.unpack_portrait(answer, task.number, self.images.max_pixels)
        asked = (answer, task.number, task.size_bytes, self.images.max_pixels)
        if task.kind == record.RENDER and self._transform is not None:
            return record.unpack_rendered(*asked, self._transform)
        return record.unpack_verdict(*asked)

    # -- decoders ------------------------------------------------------------------------------

    def pump(self, wanted: int = 0) -> None:
        """Give waiting files to decoders with room; start decoders while there are too few."""
        while self._pending:
            task = self._pending[0]
            if task.future.done():  # cancelled by its caller
                self._pending.popleft()
                continue
            free = [decoder for decoder in self._decoders if decoder.room_for(task)]
            if not free:
                break
            self._pending.popleft()
            min(free, key=lambda decoder: len(decoder.tasks)).take(task)
        for decoder in self._decoders:
            if decoder.taken >= LIFE and not decoder.tasks and not decoder.leaving:
                decoder.leave()
        if not (self._pending or wanted):
            return
        staying = sum(1 for d in self._decoders if not d.leaving and d.taken < LIFE)
        starting = sum(1 for d in self._decoders if not d.ready)
        wanted = min(max(wanted, staying - starting + len(self._pending)), self._size)
        for _ in range(wanted - staying if not self._closed and self._failure is None else 0):
            self._start_one()

    def _start_one(self) -> None:
        decoder = Decoder(self)
        self._decoders.add(decoder)
        starting = asyncio.get_running_loop().create_task(self._launch(decoder))
        self._launching.add(starting)
        starting.add_done_callback(self._launching.discard)

    async def _launch(self, decoder: Decoder) -> None:
        if self._launcher is None:
            await asyncio.to_thread(self._staging.mkdir, parents=True, exist_ok=True)
            self._launcher = self._launcher or self.make_launcher()
        try:
            decoder.link = await self._launcher.launch(decoder)
        except EngineError as error:
            self._failures += 1
            self._forget(decoder, error)
        except asyncio.CancelledError:
            self._decoders.discard(decoder)
            decoder.leave()
            raise
        else:
            if decoder.leaving:
                decoder.leave()
            self.pump()

    def make_launcher(self) -> launch.Launcher:
        return launch.launcher(
            self.program, settings_of(self.images, self._staging, self._transform)
        )

    def greeted(self, held: int) -> None:
        """Register that a decoder is ready; `held` has the bits of the active mechanisms."""
        self._failures = 0
        if self._held is None:
            self._held = held
            missing = [name for bit, name in sandbox.MEANS.items() if not held & bit]
            if missing:
                text = f"decoders run without {', '.join(missing)}: this system lacks it"
                self._emit(Notice(text, "warning"))
        self._quiet.set()
        self.pump()

    def renew(self) -> None:
        """Start a new zygote, where the present one does not react; its decoders end with it."""
        if self._launcher is not None:
            self._launcher.renew()

    def lost(self, decoder: Decoder, exit_code: int | None) -> None:
        """Handle a decoder's exit: its oldest file is the culprit, unless it was dismissed."""
        tasks, decoder.tasks = decoder.tasks, deque()
        blame = decoder.blame
        if tasks and decoder.ready and (blame is None or blame.task is tasks[0]):
            self._settle(tasks, blame or Blame(*cause(exit_code), tasks[0]))
        for task in reversed(tasks):
            task.alone = True
            self._pending.appendleft(task)
        if not (decoder.ready or decoder.leaving or decoder.excused):
            self._failures += 1
            for other in self._decoders:  # one cause, counted once, however many were starting
                other.excused = not other.ready
        self._forget(
            decoder, EngineError(f"decoders end before they start ({cause(exit_code)[1]})")
        )

    def _settle(self, tasks: deque[InspectionTask], blame: Blame) -> None:
        """Give the culprit its verdict; leave it queued where the machine may be at fault."""
        culprit = tasks[0]
        culprit.lost += blame.reason is Reason.DECODER_LOST
        if blame.reason is Reason.DECODER_LOST and culprit.lost < _MOST_LOST:
            return
        tasks.popleft()
        if not culprit.future.done():
            culprit.future.set_result(Verdict(None, blame.reason, blame.detail))

    def _forget(self, decoder: Decoder, error: EngineError) -> None:
        decoder.leaving = True
        decoder.unlimit()
        self._decoders.discard(decoder)
        self._quiet.set()
        if self._failures >= _START_FAILURES and self._failure is None:
            self._failure = EngineError(f"{error}; tried {self._failures} times")
            for task in self._pending:
                if not task.future.done():
                    task.future.set_exception(self._failure)
            self._pending.clear()
        self.pump(wanted=1 if self._held is None else 0)


def _is_file_name(name: str) -> bool:
    return (
        0 < len(name.encode()) <= 255 and name not in (".", "..") and not set(name) & set("/\\\0")
    )
