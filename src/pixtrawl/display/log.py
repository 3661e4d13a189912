"""A log file of a run: one unbuffered line per event, with a timestamp."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from pixtrawl import __version__, events
from pixtrawl.config.groups import Config
from pixtrawl.config.load import SOURCE_KEYS
from pixtrawl.display.screen import clean, note
from pixtrawl.errors import UsageError, innermost
from pixtrawl.report import Report
from pixtrawl.secrets import masked_text, shown_url

__all__ = ["Log"]

_TEXT: Final = 500  # characters of a value: a data: URI may have a million


class Log:
    """A Listener that appends `TIME EVENT name=value ...` to a file; a context manager.

    Texts with spaces, quotes or equals signs are JSON strings; times are ISO 8601 in UTC. Keys,
    passwords and signatures in URLs are masked. Writes are unbuffered, so that a killed run loses
    at most the line being written. If a write fails, the log warns once and stops; the run
    continues.
    """

    def __init__(
        self,
        path: Path,
        config: Config,
        *,
        now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC),
    ) -> None:
        """Open the file for appending. Raises UsageError if that fails."""
        self._path = path
        self._config = config
        self._now = now
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: BinaryIO | None = path.open("ab", buffering=0)
        except OSError as error:
            raise UsageError(f"--log {path}: {error.strerror or error}") from None

    def __enter__(self) -> Log:
        self._add("start", pixtrawl=__version__, settings=_settings(self._config))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            inner = innermost(error)
            self._add("error", kind=type(inner).__name__, message=str(inner))
        self._add("end")
        if self._file is not None:
            self._file.close()

    def __call__(self, event: events.Event, /) -> None:
        """Write one event; events such as the start of a transfer are not logged."""
        name, values = _described(event)
        if name:
            self._add(name, **values)

    def add(self, name: str, **values: object) -> None:
        """Write a line that is not an event of the run, such as a signal."""
        self._add(name, **values)

    def _add(self, name: str, **values: object) -> None:
        if self._file is None:
            return
        time = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        try:
            self._file.write(f"{' '.join([time, name, *_pairs(values)])}\n".encode())
        except OSError as error:
            self._file.close()
            self._file = None
            note(f"warning: --log {self._path}: {error.strerror or error}; no more is logged")


def _settings(config: Config) -> dict[str, Any]:
    """Return the settings that differ from the defaults.

    Of a source's settings, only the common ones appear with their value; others read "set".
    """
    from pixtrawl.pipeline.run_settings import plain_settings

    plain, default = plain_settings(config), plain_settings(Config())
    given: dict[str, Any] = {}
    for group, values in plain.items():
        base = default.get(group)
        if group != "sources" and isinstance(values, dict) and isinstance(base, dict):
            given |= {f"{group}.{k}": v for k, v in values.items() if v != base.get(k)}
    for source, values in config.sources.items():
        given |= {f"{source}.{k}": v if k in SOURCE_KEYS else "set" for k, v in values.items()}
    return given


def _pairs(values: Mapping[str, object]) -> Iterator[str]:
    for name, value in values.items():
        if value is not None and value not in ("", {}):
            yield f"{name}={_written(value)}"


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.3f}"
    if isinstance(value, Mapping | list | tuple):
        return masked_text(json.dumps(value, ensure_ascii=False, default=str))
    text = masked_text(clean(value))
    text = text if len(text) <= _TEXT else f"{text[:_TEXT]}…"
    plain = text and not any(char in text for char in ' "=')
    return text if plain else json.dumps(text, ensure_ascii=False)


def _described(event: events.Event) -> tuple[str, dict[str, Any]]:
    match event:
        case events.RunStarted():
            saved = sum(event.already_saved.values())
            return "run", {"queries": len(event.queries), "already_saved": saved}
        case events.CandidateSettled() | events.RowSettled():
            return "url", _outcome(event)
        case events.SourceStarted():
            return "ask", {"source": event.source, "query": event.query}
        case events.CandidatesFound():
            return "found", {
                "source": event.source, "query": event.query, "count": event.count,
                "new": event.new,
            }  # fmt: skip
        case events.SourceFinished():
            return "source", {
                "source": event.source, "query": event.query, "outcome": str(event.outcome),
                "found": event.found, "detail": dict(event.detail),
            }  # fmt: skip
        case events.QueryFinished():
            query = event.query
            return "query", {"query": query.text, "saved": event.saved, "wanted": query.limit}
        case events.RunFinished():
            return "report", {"totals": event.report.totals.to_dict(), **_end(event.report)}
        case _:
            return _aside(event)


def _aside(event: events.Event) -> tuple[str, dict[str, Any]]:
    match event:
        case events.Notice():
            return event.level, {"message": event.message}
        case events.SourceRests():
            return "rests", {
                "source": event.source, "seconds": event.seconds, "waiting": event.waiting,
                "why": event.why,
            }  # fmt: skip
        case events.HostRests():
            return "rests", {
                "host": event.host, "seconds": event.seconds, "waiting": event.waiting,
                "why": event.why,
            }  # fmt: skip
        case events.SourceResumes():
            return "resumes", {"source": event.source, "rested_s": event.rested_s}
        case events.HostResumes():
            return "resumes", {"host": event.host, "rested_s": event.rested_s}
        case events.DecisionTaken():
            return "decision", {
                "action": event.action, "who": event.who, "file": event.file_name,
                "new_file": event.new_name, "reason": event.reason, "query": event.query,
                "limit": event.limit,
            }  # fmt: skip
        case events.ShardCommitted():
            return "shard", {
                "shard": event.shard, "worker": event.worker, "rows": event.rows,
                "reasons": dict(event.reasons), "bytes": event.fetched_bytes,
            }  # fmt: skip
        case events.Exporting() if event.done == event.total:
            return "exported", {"images": event.total}
        case _:
            return "", {}


def _outcome(event: events.CandidateSettled | events.RowSettled) -> dict[str, Any]:
    outcome = event.outcome
    return {
        "reason": str(outcome.reason), "file": getattr(event, "file_name", None),
        "detail": outcome.detail,
        "http": outcome.http_status or None, "bytes": outcome.size_bytes,
        "seconds": outcome.elapsed_s, "attempts": outcome.attempts,
        "query": event.candidate.query, "url": shown_url(event.candidate.url, outcome.reason),
    }  # fmt: skip


def _end(report: Report) -> dict[str, object]:
    return {"end": report.end_reason, "seconds": report.elapsed_s}
