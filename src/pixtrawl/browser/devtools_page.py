"""One tab over the DevTools pipe, under the names that Playwright has for it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import Callable
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
    """It took too long."""


class Session:
    """The commands and events of one tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser = browser
        self.id = session
        self.target = target
        self.ended = ""  # why there is no tab any more
        self._listeners: dict[str, list[Callable[[Any], None]]] = {}

    def send(self, method: str, params: dict[str, Any] | None = None) -> asyncio.Future[Any]:
        """Sends a command; its answer can be awaited. Raises DevtoolsError."""
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


class Page:
    """A tab. Methods raise DevtoolsError."""

    def __init__(self, browser: Browser, session: Session) -> None:
        self.context = browser
        self.session = session
        self.url = "about:blank"
        self.mouse = Mouse(session)
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
        """What Playwright sets in every tab."""
        send = self.session.send
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

    async def goto(self, url: str, *, wait_until: str, timeout: float) -> None:
        """Loads a page until it is committed. `timeout` in milliseconds."""
        assert wait_until == "commit"
        self._committed.clear()
        try:
            async with asyncio.timeout(timeout / 1000):
                answer = await self.session.send("Page.navigate", {"url": url})
                if answer.get("errorText"):
                    raise DevtoolsError(f"{answer['errorText']} at {url}")
                if answer.get("loaderId"):
                    await self._committed.wait()
        except TimeoutError:
            raise DevtoolsTimeoutError(f"Timeout {timeout:.0f}ms exceeded at {url}") from None
        self._raise_if_ended()

    async def wait_for_load_state(self, state: str, *, timeout: float) -> None:
        assert state == "domcontentloaded"
        try:
            async with asyncio.timeout(timeout / 1000):
                await self._parsed.wait()
        except TimeoutError:
            raise DevtoolsTimeoutError(f"Timeout {timeout:.0f}ms exceeded") from None
        self._raise_if_ended()

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        answer = await self.session.send(
            "Runtime.evaluate",
            {"expression": f"({function})({json.dumps(argument)})", "returnByValue": True,
             "awaitPromise": True, "userGesture": True},
        )  # fmt: skip
        return _value(answer)

    async def evaluate_handle(self, function: str) -> Handle:
        answer = await self.session.send(
            "Runtime.evaluate", {"expression": f"({function})()", "userGesture": True}
        )
        _value(answer)
        return Handle(self.session, answer["result"]["objectId"])

    async def content(self) -> str:
        return str(await self.evaluate(_CONTENT))

    async def screenshot(self, *, timeout: float, animations: str) -> bytes:
        del animations  # a still picture is asked for once
        try:
            async with asyncio.timeout(timeout / 1000):
                answer = await self.session.send("Page.captureScreenshot", {"format": "png"})
        except TimeoutError:
            raise DevtoolsTimeoutError(f"Timeout {timeout:.0f}ms exceeded") from None
        return base64.b64decode(answer["data"])

    async def close(self) -> None:
        await self.context.send("Target.closeTarget", {"targetId": self.session.target})

    def _on_navigated(self, event: Any) -> None:
        frame = event["frame"]
        if not frame.get("parentId"):
            self.url = frame["url"] + frame.get("urlFragment", "")
            self._parsed.clear()
            self._committed.set()

    def _on_moved(self, event: Any) -> None:
        if event["frameId"] == self.session.target:
            self.url = event["url"]

    def _on_dialog(self, event: Any) -> None:
        # Nobody would see it, and the page stands still until it is answered.
        leaves = event["type"] == "beforeunload"
        with contextlib.suppress(DevtoolsError):  # the browser is being closed
            self.session.send("Page.handleJavaScriptDialog", {"accept": leaves})

    def _on_crash(self, _: Any) -> None:
        self.context.fail(self.session.id, "Page crashed")

    def _on_end(self, _: Any) -> None:
        self._committed.set()
        self._parsed.set()

    def _raise_if_ended(self) -> None:
        if self.session.ended:
            raise DevtoolsError(self.session.ended)


class Handle:
    """An object in the page."""

    def __init__(self, session: Session, object_id: str) -> None:
        self._session = session
        self._id = object_id

    async def evaluate(self, function: str, argument: Any = None) -> Any:
        """Calls a function of the object and one plain value."""
        answer = await self._session.send(
            "Runtime.callFunctionOn",
            {"objectId": self._id, "arguments": [{"value": argument}], "returnByValue": True,
             "functionDeclaration": f"function (value) {{ return ({function})(this, value); }}",
             "awaitPromise": True, "userGesture": True},
        )  # fmt: skip
        return _value(answer)


class Mouse:
    """The pointer of a tab; coordinates in CSS pixels."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def move(self, x: float, y: float) -> None:
        await self._event("mouseMoved", x, y, button="none", buttons=0)

    async def click(self, x: float, y: float) -> None:
        await self.move(x, y)
        await self._event("mousePressed", x, y, button="left", buttons=1, clickCount=1)
        await self._event("mouseReleased", x, y, button="left", buttons=0, clickCount=1)

    async def _event(self, kind: str, x: float, y: float, **more: Any) -> None:
        await self._session.send("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **more})


def _value(answer: dict[str, Any]) -> Any:
    if "exceptionDetails" in answer:
        details = answer["exceptionDetails"]
        raise DevtoolsError(details.get("exception", {}).get("description") or details["text"])
    return answer["result"].get("value")
