"""Messages between an engine and its worker processes: msgpack, each with its length before it.

The first message to a worker is its pickled `WorkerSpec`; nothing else is pickled.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
from msgspec import Struct

from pixtrawl.events import Event, HostRests, HostResumes, Notice
from pixtrawl.model import Outcome, Task
from pixtrawl.net.hosts.state import HostState

__all__ = [
    "Abandoned",
    "Beat",
    "Cancel",
    "Failed",
    "ForwardedEvent",
    "Frames",
    "Give",
    "Grant",
    "Order",
    "Recall",
    "Renew",
    "Report",
    "Returned",
    "SetRate",
    "Settle",
    "Wants",
    "WorkerReady",
    "frame",
    "pack",
    "unpack_order",
    "unpack_report",
]  # fmt: skip

_SIZE: Final = struct.Struct("<I")


class _Message(Struct, frozen=True, array_like=True, tag=True):
    """Base of all messages."""


# -- to a worker


class Beat(_Message, frozen=True, array_like=True, tag=True):
    """The sender is there. In both directions."""


class Give(_Message, frozen=True, array_like=True, tag=True):
    """Tasks to carry out."""

    tasks: list[Task]


class Grant(_Message, frozen=True, array_like=True, tag=True):
    """A host that the worker may contact from now on."""

    state: HostState


class Recall(_Message, frozen=True, array_like=True, tag=True):
    """A host that another worker waits for, to be returned once its requests have ended."""

    host: str


class SetRate(_Message, frozen=True, array_like=True, tag=True):
    """The worker's share of `--limit-rate`."""

    bytes_s: int


class Cancel(_Message, frozen=True, array_like=True, tag=True):
    """Cancel all tasks in progress; answered by `Abandoned`."""


class Renew(_Message, frozen=True, array_like=True, tag=True):
    """Answers `Abandoned`: orders that follow are no longer of the time before it."""


# -- from a worker


class WorkerReady(_Message, frozen=True, array_like=True, tag=True):
    """The worker takes tasks."""


class Settle(_Message, frozen=True, array_like=True, tag=True):
    """Outcomes, by the ids of their tasks."""

    outcomes: list[tuple[int, Outcome]]


class Wants(_Message, frozen=True, array_like=True, tag=True):
    """A request waits for this host."""

    host: str


class Returned(_Message, frozen=True, array_like=True, tag=True):
    """A recalled host, given back."""

    state: HostState


class ForwardedEvent(_Message, frozen=True, array_like=True, tag=True):
    """An event for the listeners of the run: the one that is there."""

    rests: HostRests | None = None
    resumes: HostResumes | None = None
    notice: Notice | None = None

    @classmethod
    def of(cls, event: Event) -> ForwardedEvent | None:
        """Return the message for an event; None for one that no listener needs from a worker."""
        if isinstance(event, HostRests):
            return cls(rests=event)
        if isinstance(event, HostResumes):
            return cls(resumes=event)
        return cls(notice=event) if isinstance(event, Notice) else None

    @property
    def event(self) -> Event | None:
        return self.rests or self.resumes or self.notice


class Abandoned(_Message, frozen=True, array_like=True, tag=True):
    """All tasks in progress were cancelled; with `silence` all hosts are lost, too."""

    silence: bool


class Failed(_Message, frozen=True, array_like=True, tag=True):
    """The worker cannot go on: the kind of its error (`EngineError`, ...) and the message."""

    kind: str
    message: str


Order = Beat | Give | Grant | Recall | SetRate | Cancel | Renew
Report = Beat | WorkerReady | Settle | Wants | Returned | ForwardedEvent | Abandoned | Failed

_ENCODER: Final = msgspec.msgpack.Encoder()
_ORDERS: Final = msgspec.msgpack.Decoder(Order)
_REPORTS: Final = msgspec.msgpack.Decoder(Report)


def frame(data: bytes) -> bytes:
    """Return bytes with their length before them."""
    return _SIZE.pack(len(data)) + data


def pack(messages: Iterable[Order | Report]) -> bytes:
    """Return the frames of messages, to be written at once."""
    return b"".join(frame(_ENCODER.encode(message)) for message in messages)


def unpack_order(data: bytes) -> Order:
    """Read the content of a frame to a worker. Raise msgspec.DecodeError."""
    order: Order = _ORDERS.decode(data)
    return order


def unpack_report(data: bytes) -> Report:
    """Read the content of a frame from a worker. Raise msgspec.DecodeError."""
    report: Report = _REPORTS.decode(data)
    return report


class Frames:
    """Cuts a stream of bytes into the contents of its frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the contents of the frames that are complete now."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) - start >= _SIZE.size:
            (size,) = _SIZE.unpack_from(buffer, start)
            end = start + _SIZE.size + size
            if len(buffer) < end:
                break
            yield bytes(buffer[start + _SIZE.size : end])
            start = end
        del buffer[:start]
