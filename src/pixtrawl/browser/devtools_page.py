"""One page over the DevTools pipe: the `DriverPage` of `devtools`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pixtrawl.browser.devtools import Browser

_CONTENT: Final = """() => {
  const kind = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : "";
  return kind + (document.documentElement ? document.documentElement.outerHTML : "");
}"""


class DevtoolsError(Exception):
    """The browser refused a command, or is gone."""


class DevtoolsTimeoutError(DevtoolsError):
    """A command took too long."""


class DevtoolsSession:
    """The commands and events of one tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self.id = session
        self.target = target
        self.ended = ""  # why the tab is gone; "" while it lives
        self._listeners: dict[str, list[Callable[[Any], None]]] = {}

    def send(self, method: str, params: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        """Send a command; return an awaitable for its result. Raises DevtoolsError."""
        if self.ended:
            raise DevtoolsError(self.ended)
        return self._browser.send(method, params, self.id)

    def on(self, event: str, listener: Callable[[Any], None]) -> None:
        self._listeners.setdefault(event, []).append(listener)

    def emit(self, event: str, params: Any) -> None:
        for listener in self._listeners.get(event, ()):
            listener(params)

    def end(self, why: str) -> None:
        self.ended = why
        self.emit("end", {"why": why})


class DevtoolsPage:
    """A page. Methods raise DevtoolsError."""

    def __init__(self, browser: Browser, session: DevtoolsSession) -> None:
        self._browser = browser
        self._session = session
        self.url = "about:blank"
        self._committed = asyncio.Event()
        self._parsed = asyncio.Event()
        self._parsed.set()
        session.on("Page.frameNavigated", self._on_navigated)
        session.on("Page.navigatedWithinDocument", self._on_moved)
        session.on("Page.domContentEventFired", lambda _: self._parsed.set())
        session.on("Page.javascriptDialogOpening", self._on_dialog)
        session.on("Inspector.targetCrashed", self._on_crash)
        session.on("end", self._on_end)

    async def prepare(self, viewport: tuple[int, int]) -> None:
        """Set what Playwright also sets in every page. `viewport` in pixels."""
        send = self._session.send
        await asyncio.gather(
            send("Page.enable"),
            send("Inspector.enable"),
            send("Network.enable"),
            send("Network.setBypassServiceWorker", {"bypass": True}),
            send("Emulation.setFocusEmulationEnabled", {"enabled": True}),
            send(
                "Emulation.setDeviceMetricsOverride",
                {"width": viewport[0], "height": viewport[1], "deviceScaleFactor": 1,
                 "mobile": False},
            ),
        )  # fmt: skip

    async def commands(self) -> DevtoolsSession:
        """Return the page's own session."""
        return self._session

    async def goto(self, url: str, timeout_s: float) -> None:
        """Load a page until it is committed."""
        self._committed.clear()
        async with _limit(timeout_s, f" at {url}"):
            answer = await self._session.send("Page.navigate", {"url": url})
            if answer.get("errorText"):
                raise DevtoolsError(f"{answer['errorText']} at {url}")
            if answer.get("loaderId"):
                await self._committed.wait()
        self._raise_if_ended()

    async def parsed(self, timeout_s: float) -> None:
        """Wait until the document is parsed."""
        async with _limit(timeout_s):
            await self._parsed.wait()
        self._raise_if_ended()

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with one JSON value."""
        answer = await self._session.send(
            "Runtime.evaluate",
            {"expression": f"({function})({json.dumps(argument)})", "returnByValue": True,
             "awaitPromise": True, "userGesture": True},
        )  # fmt: skip
        return _value(answer)

    async def keep(self, function: str) -> DevtoolsObject:
        """Call a JavaScript function and keep the object that it returns."""
        answer = await self._session.send(
            "Runtime.evaluate", {"expression": f"({function})()", "userGesture": True}
        )
        _value(answer)
        return DevtoolsObject(self._session, answer["result"]["objectId"])

    async def html(self) -> str:
        """Return the document as it is now."""
        return str(await self.evaluate(_CONTENT))

    async def screenshot(self, timeout_s: float) -> bytes:
        """Return a PNG of what is visible."""
        async with _limit(timeout_s):
            answer = await self._session.send("Page.captureScreenshot", {"format": "png"})
        return base64.b64decode(answer["data"])

    async def move_mouse(self, x: float, y: float) -> None:
        """Move the pointer."""
        await self._mouse("mouseMoved", x, y, button="none", buttons=0)

    async def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        await self.move_mouse(x, y)
        await self._mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        await self._mouse("mouseReleased", x, y, button="left", buttons=0, clickCount=1)

    async def close(self) -> None:
        """Close the page."""
        await self._browser.send("Target.closeTarget", {"targetId": self._session.target})

    async def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        await self._session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **more})

    def _on_navigated(self, event: Any) -> None:
        frame = event["frame"]
        if not frame.get("parentId"):
            self.url = frame["url"] + frame.get("urlFragment", "")
            self._parsed.clear()
            self._committed.set()

    def _on_moved(self, event: Any) -> None:
        if event["frameId"] == self._session.target:
            self.url = event["url"]

    def _on_dialog(self, event: Any) -> None:
        # A dialog blocks the page until it is answered.
        leaves = event["type"] == "beforeunload"
        with contextlib.suppress(DevtoolsError):  # the browser is being closed
            self._session.send("Page.handleJavaScriptDialog", {"accept": leaves})

    def _on_crash(self, _: Any) -> None:
        self._browser.fail(self._session.id, "Page crashed")

    def _on_end(self, _: Any) -> None:
        self._committed.set()
        self._parsed.set()

    def _raise_if_ended(self) -> None:
        if self._session.ended:
            raise DevtoolsError(self._session.ended)


class DevtoolsObject:
    """An object in the page."""

    def __init__(self, session: DevtoolsSession, object_id: str) -> None:
        self._session = session
        self._id = object_id

    async def call(self, method: str, argument: Any = None) -> Any:
        """Call a method of it with one JSON value."""
        answer = await self._session.send(
            "Runtime.callFunctionOn",
            {"objectId": self._id, "arguments": [{"value": argument}], "returnByValue": True,
             "functionDeclaration": f"function (value) {{ return this.{method}(value); }}",
             "awaitPromise": True, "userGesture": True},
        )  # fmt: skip
        return _value(answer)


@contextlib.asynccontextmanager
async def _limit(timeout_s: float, where: str = "") -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(timeout_s):
            yield
    except TimeoutError:
        raise DevtoolsTimeoutError(f"Timeout {timeout_s:g} s exceeded{where}") from None


def _value(answer: dict[str, Any]) -> Any:
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        raise DevtoolsError(details.get("exception", {}).get("description") or details["text"])
    return answer["result"].get("value")
