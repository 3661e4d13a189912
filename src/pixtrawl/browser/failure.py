"""Failures of a browser, as one error with a kind."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from pixtrawl.browser.devtools_page import DevtoolsError, DevtoolsTimeoutError
from pixtrawl.errors import PixtrawlError


class BrowserTrouble(StrEnum):
    """The kind of a `BrowserFailure`."""

    MISSING = "missing"  # no playwright, no browser, or it does not start
    GONE = "gone"  # the browser or the tab ended
    MOVED = "moved"  # the page navigated while it was read
    NETWORK = "network"  # the page could not be loaded
    SCRIPT = "script"  # a script failed or returned an unexpected value


class BrowserFailure(PixtrawlError):  # noqa: N818 - a failure by its kind
    """The browser failed to do what was asked; sources turn it into an outcome."""

    def __init__(self, trouble: BrowserTrouble, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.trouble = trouble
        self.next_step = next_step


_SIGNS: Final = (
    (BrowserTrouble.GONE, ("has been closed", "Connection closed", "crashed", "Target closed",
                    "Browser closed", "detached", "Session with given id", "No target with")),
    (BrowserTrouble.MOVED, ("context was destroyed", "navigat", "Cannot find context",
                     "execution context", "JSHandle is disposed", "Could not find object",
                     "Promise was collected")),
    (BrowserTrouble.NETWORK, ("net::", "Timeout", "NS_ERROR", "ERR_")),
)  # fmt: skip


def trouble_of(message: str) -> BrowserTrouble:
    """Classify a failure by the driver's error message."""
    for trouble, signs in _SIGNS:
        if any(sign in message for sign in signs):
            return trouble
    return BrowserTrouble.SCRIPT


def first_line(error: BaseException) -> str:
    """Return the first non-empty line: drivers append call logs."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:300] if lines else type(error).__name__


def timeout_errors() -> tuple[type[Exception], ...]:
    """Return the exception types that drivers raise on a timeout."""
    return DevtoolsTimeoutError, *_of_playwright("TimeoutError")


def _of_playwright(name: str) -> tuple[type[Exception], ...]:
    """Return one of Playwright's error classes, if it is imported."""
    module = sys.modules.get("playwright.async_api")
    return () if module is None else (getattr(module, name),)


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into BrowserFailure; timeouts pass if the caller handles them."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, (DevtoolsError, *_of_playwright("Error"))):
            raise
        message = first_line(error)
        raise BrowserFailure(trouble_of(message), message) from error
