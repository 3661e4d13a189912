"""Health check of sources: send one query to each, concurrently, and report the outcomes."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.config import parse
from pixtrawl.config.groups import Config
from pixtrawl.errors import FetchError, SourceStop, UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.net.client import Client
from pixtrawl.net.source_http import SourceHttp
from pixtrawl.pipeline.discovery.opening import delay_s
from pixtrawl.pipeline.run_settings import known_secrets
from pixtrawl.sources.base import Source, SourceContext

LIMIT_S: Final = 25.0  # for one source; all are asked concurrently
_CLOSING_S: Final = 4.0
NOT_ASKED: Final = "not_asked"
_TEXT: Final = "cat"
_SPECIES: Final = "Felis catus"  # for sources of the group `species`, which use scientific names


class Health(Struct, frozen=True, kw_only=True):
    """The health of one source. `status` is a `SourceOutcome`, or `not_asked`."""

    name: str
    status: str
    found: int = 0
    elapsed_s: float = 0.0
    kind: str = ""  # of a block
    message: str = ""
    next_step: str = ""
    evidence: tuple[str, ...] = ()  # paths

    @property
    def well(self) -> bool:
        """Whether the source answered well or was not asked."""
        return self.status in {SourceOutcome.OK, NOT_ASKED}


async def ask_all(
    names: Iterable[str],
    config: Config,
    evidence: Path | Folder,
    *,
    everyone: bool,
    on_result: Callable[[Health], None],
) -> list[Health]:
    """Send one query to each source, concurrently, and return the results in the order of names.

    Args:
        names: the sources.
        config: settings, with base URLs and other settings of the sources.
        evidence: folder for saved responses of sources that did not deliver.
        everyone: whether the user named no source; then those that are disabled, lack a need or
            must be enabled first are not asked.
        on_result: called with each result as soon as it is there.
    """
    with tempfile.TemporaryDirectory(prefix="pixtrawl-doctor-") as staging:
        client = Client(config.fetch, staging=Path(staging))

        async def one(name: str) -> Health:
            why_not = _why_not(name, config) if everyone else ""
            if why_not:
                health = Health(name=name, status=NOT_ASKED, message=why_not)
            else:
                health = await _ask(name, config, client, evidence)
            on_result(health)
            return health

        try:
            return await asyncio.gather(*(one(name) for name in names))
        finally:
            await client.aclose()


def _why_not(name: str, config: Config) -> str:
    """Return why a source that was not named by the user is not asked; "" if it is."""
    given = config.source(name)
    lacking = sources.missing(name, config.sources)
    if lacking:
        return "; ".join(lacking)
    if not sources.load(name).info.base_url and not _address(given):
        return "has no server of its own"
    switched_off = "enabled" in given and not parse.boolean(given["enabled"])
    starts_browser = "browser" in sources.load(name).info.needs
    if switched_off or (starts_browser and "enabled" not in given and not _address(given)):
        return f"is not switched on; to ask it: pixtrawl doctor --sources {name}"
    return ""


def _address(given: Mapping[str, str]) -> bool:
    return bool(given.get("base_url") or given.get("url"))


async def _ask(name: str, config: Config, client: Client, evidence: Path | Folder) -> Health:
    started = time.perf_counter()

    def answer(status: SourceOutcome, found: int = 0, **detail: object) -> Health:
        said = {key: str(detail.get(key) or "") for key in ("kind", "message", "next_step")}
        saved = detail.get("evidence")
        return Health(
            name=name,
            status=status.value,
            found=found,
            elapsed_s=round(time.perf_counter() - started, 2),
            evidence=tuple(map(str, saved)) if isinstance(saved, list | tuple) else (),
            **said,
        )

    try:
        source = sources.opened(name, config.source(name), config.fetch)
    except UsageError as error:
        return answer(SourceOutcome.UNSUPPORTED, message=error)
    keep = _EvidenceFolder(
        EvidenceStore(evidence, secrets=known_secrets(config)),
        evidence.root if isinstance(evidence, Folder) else None,
    )
    http = SourceHttp(client, delay_s=delay_s(source, config.source(name)))
    try:
        async with asyncio.timeout(LIMIT_S):
            found = await _first_page(source, SourceContext(http=http, evidence=keep, wanted=1))
        if found:
            return answer(SourceOutcome.OK, found)
        message = "ended without a result and without saying that there is none"
        return answer(SourceOutcome.CHANGED, message=message)
    except SourceStop as stop:
        return answer(stop.outcome, 0, **stop.detail)
    except FetchError as error:
        return answer(SourceOutcome.NETWORK_ERROR, message=error, next_step="check the connection")
    except TimeoutError:
        message = f"no answer in {LIMIT_S:g} s"
        return answer(SourceOutcome.NETWORK_ERROR, message=message)
    except Exception as error:  # noqa: BLE001 - a bug in a source is reported as its health
        message = f"the source itself failed: {type(error).__name__}: {error}"
        return answer(SourceOutcome.CHANGED, message=message)
    finally:
        with suppress(TimeoutError):
            await asyncio.wait_for(source.aclose(), _CLOSING_S)


async def _first_page(source: Source, context: SourceContext) -> int:
    """Return the number of candidates on the first page with any; earlier pages may be empty."""
    query = Query(_question(source.name), "cat", 1)
    async with aclosing(source.discover(query, context)) as pages:  # type: ignore[type-var]
        async for page in pages:
            if page.candidates:
                return len(page.candidates)
    return 0


def _question(name: str) -> str:
    return _SPECIES if sources.groups_of(name) == ("species",) else _TEXT


class _EvidenceFolder(Struct, frozen=True):
    """An evidence store whose paths include the data set folder, if there is one."""

    store: EvidenceStore
    root: Path | None  # of the data set that it belongs to

    def save(self, name: str, content: bytes | str) -> str:
        path = self.store.save(name, content)
        return path if self.root is None or not path else str(self.root / path)
