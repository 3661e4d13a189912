"""Save live responses of a source and their parsed results in a zip file for a bug report."""

from __future__ import annotations

import asyncio
import json
import platform
import tempfile
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, to_builtins

from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError
from pixtrawl.model import Query, SourceOutcome
from pixtrawl.operations.source_pages import candidate_facts

if TYPE_CHECKING:
    from pixtrawl.sources.replay.recording import Exchange
    from pixtrawl.sources.replay.replayed import Replayed

__all__ = ["VERDICT", "SavedAnswer", "save_answer"]

VERDICT: Final = "verdict.json"
_LIMIT_S: Final = 60.0
_ENDINGS: Final = (("json", ".json"), ("html", ".html"), ("javascript", ".js"))
_MAX_TOLD: Final = 100  # candidates in the verdict


class SavedAnswer(Struct, frozen=True, kw_only=True):
    """The result of saving; `verdict` is the content of `verdict.json` in the file."""

    file: Path
    source: str
    outcome: SourceOutcome
    message: str
    results: int
    answers: int
    verdict: dict[str, Any]


async def save_answer(
    name: str, text: str, config: Config, target: Path | None = None
) -> SavedAnswer:
    """Query a source once; write its masked responses and the parsed results to a zip file.

    Args:
        name: the source.
        text: the query.
        config: settings, with those of the source.
        target: zip file to write; None: named after source and time, in the current folder.

    Raises:
        UsageError: the source reads files or a browser, or lacks something; the file exists or
            cannot be written.
    """
    from pixtrawl import sources

    _refuse(name)
    for sentence in sources.missing(name, config.sources):
        raise UsageError(sentence)
    path = target or Path(f"{name}-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
    if path.exists():
        raise UsageError(f"{path}: is there already; choose another with -o FILE")
    found, exchanges, read_again = await _ask(name, text, config)
    verdict = _verdict(name, text, found, exchanges, read_again, config)
    _pack(path, verdict, exchanges)
    return SavedAnswer(
        file=path,
        source=name,
        outcome=found.outcome,
        message=verdict["message"],
        results=len(found.candidates),
        answers=len(exchanges),
        verdict=verdict,
    )


def _refuse(name: str) -> None:
    from pixtrawl import sources

    needs = sources.load(name).info.needs
    if "file" in needs:
        raise UsageError(f"{name} asks nobody: there is no answer to save")
    if "browser" in needs:
        raise UsageError(
            f"{name} is read inside a browser: save its page there (Ctrl-S), then "
            f"pixtrawl sources check {name} PAGE"
        )


async def _ask(
    name: str, text: str, config: Config
) -> tuple[Replayed, list[Exchange], Replayed | None]:
    """Return the outcome of one query, its masked exchanges, and the result of parsing these."""
    from pixtrawl import sources
    from pixtrawl.folder.evidence import EvidenceStore
    from pixtrawl.net.client import Client
    from pixtrawl.net.source_http import SourceHttp
    from pixtrawl.pipeline.discovery.opening import delay_s
    from pixtrawl.sources.api.lists import ListingSource
    from pixtrawl.sources.replay.reader import ask, replay_answers
    from pixtrawl.sources.replay.recording import Recording

    given = config.source(name)
    source = sources.opened(name, given, config.fetch)
    if isinstance(source, ListingSource):
        source.at_once = 1  # the first record shows the format
    with tempfile.TemporaryDirectory(prefix="pixtrawl-save-") as folder:
        client = Client(config.fetch, staging=Path(folder))
        recording = Recording(SourceHttp(client, delay_s=delay_s(source, given)))
        kept = EvidenceStore(Path(folder))
        try:
            async with asyncio.timeout(_LIMIT_S):
                found = await ask(source, Query(text, text, 100), recording, kept)
        except TimeoutError:
            found = _late(name)
        finally:
            await client.aclose()
        exchanges = recording.masked(_secrets(name, config))
        again = None
        if exchanges:
            again = await replay_answers(name, [e.response for e in exchanges], given, kept)
        return found, exchanges, again


def _late(name: str) -> Replayed:
    from pixtrawl.sources.replay.replayed import Replayed

    message = f"{name} did not answer within {_LIMIT_S:g} s"
    return Replayed(SourceOutcome.NETWORK_ERROR, detail={"message": message})


def _secrets(name: str, config: Config) -> list[str]:
    """Return the user's secrets, which must not go into the file."""
    from pixtrawl.sources import is_secret, keys

    given = config.source(name)
    values = [value for key, value in given.items() if is_secret(name, key)]
    return [*values, keys.key_of(name, given)]


def _verdict(
    name: str,
    text: str,
    found: Replayed,
    exchanges: list[Exchange],
    again: Replayed | None,
    config: Config,
) -> dict[str, Any]:
    from pixtrawl import __version__
    from pixtrawl.sources.replay.recording import mask

    plain: dict[str, Any] = {
        "source": name,
        "query": text,
        "pixtrawl": __version__,
        "python": platform.python_version(),
        "asked_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "outcome": found.outcome.value,
        "kind": str(found.detail.get("kind") or ""),
        "message": str(found.detail.get("message") or ""),
        "results": len(found.candidates),
        "missing": found.missing,
        "candidates": [to_builtins(candidate_facts(one)) for one in found.candidates[:_MAX_TOLD]],
        "read_again": None
        if again is None
        else {"outcome": again.outcome.value, "results": len(again.candidates)},
        "answers": [
            {
                "file": _file_name(at, one),
                "method": one.method,
                "url": one.asked,
                "status": one.response.status,
                "headers": dict(one.response.headers),
                "bytes": len(one.response.body),
            }
            for at, one in enumerate(exchanges, 1)
        ],
    }
    masked: dict[str, Any] = json.loads(
        mask(json.dumps(plain, ensure_ascii=False), _secrets_of(name, config))
    )
    return masked


def _secrets_of(name: str, config: Config) -> list[str]:
    return [secret for secret in _secrets(name, config) if len(secret) >= 4]


def _file_name(at: int, one: Exchange) -> str:
    kind = one.response.headers.get("content-type", "")
    return f"answer-{at}{next((end for word, end in _ENDINGS if word in kind), '.txt')}"


def _pack(path: Path, verdict: dict[str, Any], exchanges: list[Exchange]) -> None:
    """Write the zip file atomically. Raises UsageError if that fails."""
    partly = path.with_name(f"{path.name}.part")
    try:
        with zipfile.ZipFile(partly, "x", zipfile.ZIP_DEFLATED) as packed:
            packed.writestr(VERDICT, json.dumps(verdict, ensure_ascii=False, indent=1))
            for at, one in enumerate(exchanges, 1):
                packed.writestr(_file_name(at, one), one.response.body)
        partly.rename(path)
    except OSError as error:
        partly.unlink(missing_ok=True)
        raise UsageError(
            f"{path}: {error.strerror or error}; choose another with -o FILE"
        ) from None
