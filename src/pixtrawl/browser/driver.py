"""The interface of a browser driver: the part of a browser that tabs need.

`devtools` implements it over the browser's own pipe, `playwright_driver` by Playwright.
`failure.translated` handles the errors of both.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Protocol


class Commands(Protocol):
    """The DevTools protocol of one page: commands and events, both of JSON values."""

    def send(self, method: str, params: dict[str, Any] | None = None) -> Awaitable[Any]:
        """Send a command and return its result."""
        ...

    def on(self, event: str, listener: Callable[[Any], None]) -> object:
        """Call `listener` with the parameters of each such event."""
        ...


class PageObject(Protocol):
    """A JavaScript object that lives in a page; ends with it."""

    async def call(self, method: str, argument: Any = None) -> Any:
        """Call a method of it with one JSON value; return its value."""
        ...


class DriverPage(Protocol):
    """One page of a browser. Times in seconds, coordinates in CSS pixels."""

    @property
    def url(self) -> str:
        """The URL that it shows."""
        ...

    async def commands(self) -> Commands:
        """Return the page's DevTools session."""
        ...

    async def goto(self, url: str, timeout_s: float) -> None:
        """Load a page until it is committed."""
        ...

    async def parsed(self, timeout_s: float) -> None:
        """Wait until the document is parsed. Raises one of `failure.timeout_errors()`."""
        ...

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with one JSON value; return its value."""
        ...

    async def keep(self, function: str) -> PageObject:
        """Call a JavaScript function and keep the object that it returns."""
        ...

    async def html(self) -> str:
        """Return the document as it is now."""
        ...

    async def screenshot(self, timeout_s: float) -> bytes:
        """Return a PNG of what is visible."""
        ...

    async def move_mouse(self, x: float, y: float) -> None:
        """Move the pointer."""
        ...

    async def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        ...

    async def close(self) -> None:
        """Close the page."""
        ...


class Driver(Protocol):
    """A running browser."""

    on_end: Callable[[], None]  # called when the browser ends, for any reason

    async def new_page(self) -> DriverPage:
        """Open a blank page."""
        ...

    async def close(self) -> None:
        """Close the browser; safe after a partial start or a crash."""
        ...


async def quietly(work: Awaitable[object], timeout_s: float) -> None:
    """Await a close and ignore its errors: the target may be gone already."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(work, timeout_s)


def nothing() -> None:
    """Do nothing: the default `on_end`."""
