"""What can go wrong with a browser, as one error with a kind."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pixtrawl.browser.devtools_page import DevtoolsError, DevtoolsTimeoutError
from pixtrawl.errors import PixtrawlError


class Trouble(StrEnum):
    """What kind of failure a `BrowserFailure` is."""

    MISSING = "missing"  # no playwright, no browser, or it does not start
    GONE = "gone"  # the browser or the tab ended
    MOVED = "moved"  # the page went elsewhere while we looked at it
    NETWORK = "network"  # the page could not be loaded
    SCRIPT = "script"  # the page answers with nonsense


class BrowserFailure(PixtrawlError):  # noqa: N818 - a failure by its kind
    """The browser did not do what it was asked; never leaves a source."""

    def __init__(self, trouble: Trouble, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble
        self.next_step = next_step


_SIGNS: Final = (
    (Trouble.GONE, ("has been closed", "Connection closed", "crashed", "Target closed",
                    "Browser closed", "detached", "Session with given id", "No target with")),
    (Trouble.MOVED, ("context was destroyed", "navigat", "Cannot find context",
                     "execution context", "JSHandle is disposed", "Could not find object",
                     "Promise was collected")),
    (Trouble.NETWORK, ("net::", "Timeout", "NS_ERROR", "ERR_")),
)  # fmt: skip


def trouble_of(message: str) -> Trouble:
    """The kind of a failure, by the words of the driver's message."""
    for trouble, signs in _SIGNS:
        if any(sign in message for sign in signs):
            return trouble
    return Trouble.SCRIPT


def first_line(error: BaseException) -> str:
    """The first line that says something: drivers add call logs below it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def timeout_errors() -> tuple[type[Exception], ...]:
    """What a driver raises when something took too long."""
    return DevtoolsTimeoutError, *_of_playwright("TimeoutError")


def _of_playwright(name: str) -> tuple[type[Exception], ...]:
    """An error class of it, where it is used at all."""
    module = sys.modules.get("playwright.async_api")
    return () if module is None else (getattr(module, name),)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """The driver's errors end here; its time-outs pass where the caller handles them."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (DevtoolsError, *_of_playwright("Error"))):
            raise
        message = first_line(error)
        raise BrowserFailure(trouble_of(message), message) from error
