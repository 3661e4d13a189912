"""All faults together: their addresses, their answers, and what a client should end with."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from pixtrawl.playground.faults import (  # noqa: F401 - each registers its own
    answers,
    content,
    owners,
    transfer,
    wire,
)
from pixtrawl.playground.faults.base import REGISTRY, Case
from pixtrawl.playground.faults.link import LINK_FAULTS, DeadEnds, LinkPlace
from pixtrawl.playground.messages import Answer, ServerRequest, ServerResponse
from pixtrawl.playground.search.listing import FaultEntry
from pixtrawl.playground.store import PictureStore

FAULTS: Final = {name: kind() for name, kind in REGISTRY.items()}
"""Every fault that a server can show, by name."""


@dataclass(frozen=True, slots=True)
class FaultTruth:
    """One fault at one URL."""

    name: str
    url: str
    reason: str
    also: tuple[str, ...]
    sentence: str
    waits: bool  # costs a client seconds
    common: bool


@dataclass
class FaultLine:
    """Knows on which host each fault lies. `origins`: base URL by name of the fault."""

    store: PictureStore
    origins: Mapping[str, str]
    dead_ends: DeadEnds
    patience: float = 1.0
    attempts: Counter[str] = field(default_factory=Counter)

    def truth(self, name: str, slug: str = "fault", index: int = 0) -> FaultTruth:
        """Return the fault `name` about picture `index` of `slug`. Raises KeyError."""
        fault = FAULTS.get(name)
        if fault is not None:
            url = fault.url(self.origins[name], slug, index)
            sentence = inspect.getdoc(fault) or ""
            return FaultTruth(
                name, url, fault.reason, fault.also, sentence, fault.waits, fault.common
            )
        link = {link.name: link for link in LINK_FAULTS}[name]
        origin = next(iter(self.origins.values()))
        url = link.url(LinkPlace(self.dead_ends, origin, self._sound), slug, index)
        return FaultTruth(name, url, link.reason, link.also, link.sentence, link.waits, link.common)

    def names(self, which: str = "all") -> list[str]:
        """Return names of the faults of a choice (none, some, all), in a fixed order."""
        every = [*FAULTS, *(link.name for link in LINK_FAULTS)]
        if which == "none":
            return []
        return every if which == "all" else [n for n in every if self.truth(n).common]

    def entries(self, which: str | Sequence[str]) -> list[FaultEntry]:
        """Return the entries that listings mix in."""
        names = self.names(which) if isinstance(which, str) else list(which)
        out = []
        for name in names:
            truth = self.truth(name)
            out.append(FaultEntry(name, truth.reason, truth.also, partial(self._url, name)))
        return out

    def _url(self, name: str, slug: str, index: int) -> str:
        return self.truth(name, slug, index).url

    def _sound(self, slug: str, index: int) -> bytes:
        file = self.store.get(f"/sound/{slug}/{index}.jpg")
        assert file is not None
        return file.body

    def answer(self, request: ServerRequest) -> Answer | Awaitable[Answer]:
        """Serve /fault/NAME/SLUG/FILE."""
        parts = request.path.split("/")
        fault = FAULTS.get(parts[2]) if len(parts) >= 5 else None
        if fault is None:
            return ServerResponse(b"no such fault", 404, "text/plain")
        digits = "".join(c for c in parts[4].replace("base64", "") if c.isdigit())
        # Percent escapes hold digits; the index stands last, before the extension.
        name = parts[4].rpartition(".")[0] or parts[4]
        tail = name.replace("%20", " ").split(" ")[-1].split(",")[-1]
        index = int(tail) if tail.isdigit() else int(digits or 0)
        self.attempts[request.target] += 1
        case = Case(
            request=request,
            attempt=self.attempts[request.target],
            slug=parts[3],
            index=index % 1_000_000,
            picture=self._sound(parts[3], index % 1_000_000),
            origin=f"http://{request.host}",
            patience=self.patience,
        )
        return fault.answer(case)
