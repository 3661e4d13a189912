"""The error tree, and the exit code that each branch ends the command with.

PixtrawlError                 1   an unexpected error
├── UsageError                2   bad option, unreadable input, unknown name
│   └── MissingExtraError     2   an optional part is not installed; names the command
│       └── MissingPackageError   the same of a library that no extra brings
├── EnvironmentFailedError    5   what the run stands on failed
│   ├── StorageError          5   catalog locked, newer or damaged; disk full
│   └── EngineError           5   decoders or cluster cannot be started
├── ExportError               1   an exporter cannot write what was asked
├── PictureError              1   a file of the data set does not decode
├── SourceStop                -   a source ends with an outcome other than ok (never leaves a run)
└── FetchError                -   one transfer failed (turned into a Reason by the worker)

Exit codes: 0 everything asked for is there; 1 unexpected error; 2 usage error or unreadable input;
3 a query got fewer images than asked for; 4 nothing was saved; 5 the environment failed;
130 interrupted (resumable).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:  # every command begins here, and the model takes longer to load than all of it
    from pixtrawl.model import Reason, SourceOutcome

EXIT_OK: Final = 0
EXIT_UNEXPECTED: Final = 1
EXIT_USAGE: Final = 2
EXIT_SHORT: Final = 3
EXIT_NOTHING: Final = 4
EXIT_ENVIRONMENT: Final = 5
EXIT_INTERRUPTED: Final = 130


class PixtrawlError(Exception):
    """Base of all errors that pixtrawl raises on purpose, with messages that users can act on.

    Its message is for the user and names the next step; `exit_code` is what the command ends with.

    Example:
        >>> try:
        ...     pixtrawl.open("nothing here")
        ... except pixtrawl.PixtrawlError as error:
        ...     print(error)
    """

    exit_code: ClassVar[int] = EXIT_UNEXPECTED

    def _render_traceback_(self) -> list[str]:
        """Return one line for notebooks: the traceback would show our own code only."""
        return _one_line(self)


class StoppedError(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button: the data set is in order, and the same call goes on.

    A KeyboardInterrupt, so that a script that is stopped ends as one.
    """

    def _render_traceback_(self) -> list[str]:
        return _one_line(self)


class ShortWarning(UserWarning):
    """A run has brought less than was asked for; `ds.verdict` says why and names the next step.

    The functions warn at the line that called them: what is short, why, and what to do next;
    `warnings.simplefilter("error", pixtrawl.ShortWarning)` makes it an error.
    """


def _one_line(error: BaseException) -> list[str]:
    return [f"{type(error).__name__}: {error}"]


def innermost(error: BaseException) -> BaseException:
    """Return the one error to report of an exception group: one of ours if there is any."""
    while isinstance(error, BaseExceptionGroup):
        ours = (one for one in error.exceptions if isinstance(one, PixtrawlError))
        error = next(ours, error.exceptions[0])
    return error


class UsageError(PixtrawlError):
    """The user's input cannot be used; the message names file and line, or the option."""

    exit_code = EXIT_USAGE


class ArgumentError(UsageError, TypeError):
    """A function was called with an argument that it does not have, or one of another kind."""


class MissingExtraError(UsageError):
    """An optional part is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs an optional part: pip install 'pixtrawl[{extra}]'")
        self.what = what
        self.extra = extra

    def __reduce__(self) -> tuple[type[MissingExtraError], tuple[str, str]]:
        return type(self), (self.what, self.extra)


class MissingPackageError(MissingExtraError):
    """A library of the user's own choice is not installed; no extra brings it."""

    def __init__(self, what: str, package: str) -> None:
        UsageError.__init__(self, f"{what} needs {package}: pip install {package}")
        self.what = what
        self.extra = package


class EnvironmentFailedError(PixtrawlError):
    """The environment failed: disk, lock, browser or decoders."""

    exit_code = EXIT_ENVIRONMENT


class StorageError(EnvironmentFailedError):
    """The data set folder cannot be used."""

    is_explained: bool = False  # its message says where, what is safe and what to do next


class EngineError(EnvironmentFailedError):
    """The engine cannot carry out work."""


class ExportError(PixtrawlError):
    """An exporter cannot write what was asked."""


class PictureError(PixtrawlError):
    """A file of the data set does not decode, though it did when it was saved.

    `to_torch()`, `to_hf()` and pictures in notebooks raise it, with the path and what is wrong with
    the file.
    """


class SourceStop(PixtrawlError):  # noqa: N818 - an end with a reason, not always an error
    """A source ends for one query with an outcome other than ok.

    `detail` holds plain JSON values; keys in use: `kind` (of a block), `message`, `next_step`,
    `http_status`, `evidence` (paths of files).
    """

    def __init__(self, outcome: SourceOutcome, **detail: object) -> None:
        super().__init__(f"{outcome}: {detail.get('message', '')}")
        self.outcome = outcome
        self.detail: Mapping[str, object] = detail

    def __reduce__(self) -> tuple[object, ...]:
        return _source_stop, (self.outcome, dict(self.detail))


def _source_stop(outcome: SourceOutcome, detail: dict[str, object]) -> SourceStop:
    return SourceStop(outcome, **detail)


class FetchError(PixtrawlError):
    """One transfer did not give a usable answer."""

    def __init__(
        self,
        reason: Reason,
        detail: str = "",
        *,
        http_status: int = 0,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail
        self.http_status = http_status
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[object, ...]:
        return _fetch_error, (self.reason, self.detail, self.http_status, self.retry_after_s)


def _fetch_error(
    reason: Reason, detail: str, http_status: int, retry_after_s: float | None
) -> FetchError:
    return FetchError(reason, detail, http_status=http_status, retry_after_s=retry_after_s)
