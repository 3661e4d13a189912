"""The lease: rows of one group of hosts, given to one shard worker with the state of the hosts.

A shard worker (`engines.shard_worker`) knows no catalog and no cluster. The issuer of leases (an
engine, a cluster, a store) decides which worker holds a host, sends beats while a lease is valid,
and lets the hosts of a lost lease rest for `REST_AFTER_LOSS_S` before it leases them again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from pixtrawl.model import Outcome, Task
from pixtrawl.net.hosts.state import HostState

__all__ = ["BEAT_S", "REST_AFTER_LOSS_S", "SILENCE_S", "Lease", "LeaseLostError", "Settled"]

BEAT_S: Final = 1.0  # between two beats
SILENCE_S: Final = 5.0  # without a beat, after which a worker cancels its own work
REST_AFTER_LOSS_S: Final = 7.0  # more than SILENCE_S: a worker that was cut off has stopped by then

Settled = Callable[[Task, Outcome], None]
"""Takes the outcome of a task; its staged files are the caller's from now on. Must not wait."""


class Lease(Struct, frozen=True, kw_only=True):
    """Rows that one worker may carry out, and the hosts that it may contact for them.

    `epoch` is from 1 and grows each time the same rows are leased: later ones begin with a wait of
    the hosts' delay. The hosts are accounts (`urls.account_of`)
    in the state that their last holder returned; a host not named is unknown.
    """

    id: str
    epoch: int = 0
    tasks: tuple[Task, ...] = ()
    hosts: tuple[HostState, ...] = ()


class LeaseLostError(Exception):
    """The worker has cancelled the rows of a lease, which another worker may hold by now."""
