"""The engine of a job whose settings leave the choice: by its size and the cores of the machine."""

from __future__ import annotations

from typing import Final

from pixtrawl.cores import usable_cores

__all__ = ["AUTO", "LARGE_JOB", "choose", "may_decode_here"]

AUTO: Final = "auto"
LARGE_JOB: Final = 20_000  # files: a minute or so, beside which the start of workers is nothing
_MANY_CORES: Final = 6  # one process gains nothing from more


def choose(engine: str, expected: int, cores: int | None = None) -> str:
    """Return the name of the engine; `expected` is about how many files the job fetches."""
    if engine != AUTO:
        return engine
    has_use = (cores or usable_cores()) > _MANY_CORES and expected >= LARGE_JOB
    return "processes" if has_use else "local"


def may_decode_here(engine: str) -> bool:
    """Return whether the process of the command may start decoders; elsewhere workers do."""
    return engine in ("local", AUTO)
