"""Say in plain words how far a decoder is contained on this system."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from pixtrawl.images.decoders import sandbox

__all__ = ["Containment", "report"]

_NETWORK_ABI, _SCOPES_ABI = 4, 6


class Containment(Struct, frozen=True):
    """One thing that a decoder taken over by a file may or may not do."""

    topic: str
    holds: bool
    sentence: str


def report(held: int) -> Iterator[Containment]:
    """Yield what holds and what does not, by the bits that `sandbox.contain` returned."""
    filters, abi = bool(held & sandbox.SECCOMP), sandbox.landlock_abi(held)
    landlock = f"Landlock ABI {abi}" if abi else "no Landlock in this kernel"
    yield _files(filters, abi, landlock)
    if filters:
        yield Containment("network", True, "opens no connection (system call filter)")
    else:
        text = "may open UDP and local sockets" if abi >= _NETWORK_ABI else "may open connections"
        yield Containment("network", False, f"{text} ({landlock}, no system call filter)")
    scopes = "Landlock scopes, too" if abi >= _SCOPES_ABI else "this kernel has no Landlock scopes"
    if filters:
        text = f"starts no program, signals no other process (system call filter; {scopes})"
    else:
        signals = "signals no other process" if abi >= _SCOPES_ABI else "may end your processes"
        text = f"may start programs, {signals} (no system call filter; {scopes})"
    yield Containment("processes", filters, text)
    limits = bool(held & sandbox.RLIMITS)
    text = "is limited" if limits else "is not wholly limited"
    yield Containment("resources", limits, f"{text} in memory, CPU time and open files")
    ends = bool(held & sandbox.PARENT_DEATH)
    text = "ends with the run, however that ends" if ends else "ends when its pipe closes"
    yield Containment("end", ends, text)


def _files(filters: bool, abi: int, landlock: str) -> Containment:
    if filters:
        text = "opens no file and sees no name: it gets open files (system call filter"
        return Containment("files", True, f"{text}; {landlock})")
    if abi:
        text = f"opens no file ({landlock}), but may learn which names exist"
        return Containment("files", True, text)
    return Containment("files", False, f"may read every file of yours ({landlock}, no filter)")
