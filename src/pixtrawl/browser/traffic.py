"""Requests and responses of the page in a tab, from its DevTools session.

Playwright's own request events cost three messages and three objects for each of a page's hundred
requests: 0.4 s of CPU time over ten result pages.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any, Final

from pixtrawl.browser.driver import Commands
from pixtrawl.browser.failure import BrowserFailure, translated

MAX_BODY_BYTES: Final = 16 * 2**20
MAX_BODIES: Final = 400  # responses of one tab kept between two calls of take_bodies
MAX_IMAGES: Final = 2000  # requests for images
_TEXT_KINDS: Final = frozenset({"Document", "XHR", "Fetch", "Script"})


class Traffic:
    """The traffic of one tab since `leave`, or since the tab was made.

    Args:
        commands: the page's DevTools session, with network events enabled.
        frame: id of the main frame.
    """

    def __init__(self, commands: Commands, frame: str) -> None:
        self._commands = commands
        self._frame = frame
        self._bodies: list[str] = []
        self._reading: set[asyncio.Future[Any]] = set()
        self._images: list[str] = []
        self._pending: set[str] = set()  # ids of requests whose answer may hold results
        self._documents: set[str] = set()  # loader ids of documents that sent requests
        self._left: set[str] = set()  # loader ids from before `leave`
        self.refused: tuple[int, str] | None = None  # status 403 or 429, and URL, of an XHR
        self.status = 0  # of the last document in the main frame
        commands.on("Network.requestWillBeSent", self._on_request)
        commands.on("Network.responseReceived", self._on_response)
        commands.on("Network.loadingFinished", self._on_finished)
        commands.on("Network.loadingFailed", self._on_failed)

    @property
    def busy(self) -> bool:
        """Whether responses that may hold results are outstanding."""
        return bool(self._pending or self._reading)

    def leave(self) -> None:
        """Forget the page's traffic; ignore its later responses."""
        for task in tuple(self._reading):
            task.cancel()
        self._reading.clear()
        self._bodies.clear()
        self._pending.clear()
        self._images.clear()
        self._left, self._documents = self._documents, set()
        self.refused, self.status = None, 0

    async def take_bodies(self) -> list[str]:
        """Return the response bodies that arrived since the last call."""
        if self._reading:
            await asyncio.wait(tuple(self._reading), timeout=0.05)
        bodies, self._bodies = self._bodies, []
        return bodies

    def take_images(self) -> list[str]:
        """Return the image URLs requested since the last call, blocked ones included."""
        urls, self._images = self._images, []
        return urls

    def _is_late(self, event: Any) -> bool:
        document = event.get("loaderId")
        if document in self._left:
            return True
        if document:
            self._documents.add(document)
        return False

    def _on_request(self, event: Any) -> None:
        if self._is_late(event):
            return
        kind, url = event.get("type"), event["request"]["url"]
        if kind in _TEXT_KINDS and len(self._pending) < MAX_BODIES:
            self._pending.add(event["requestId"])
        if kind == "Image" and url[:4] == "http":
            self._images.append(url)
            del self._images[:-MAX_IMAGES]

    def _on_response(self, event: Any) -> None:
        if self._is_late(event):
            return
        kind, response = event.get("type"), event["response"]
        if kind == "Document" and event.get("frameId") == self._frame:
            self.status = int(response["status"])
        if kind in ("XHR", "Fetch") and response["status"] in (403, 429):
            self.refused = (int(response["status"]), str(response["url"]))

    def _on_failed(self, event: Any) -> None:
        self._pending.discard(event["requestId"])

    def _on_finished(self, event: Any) -> None:
        request = event["requestId"]
        if request not in self._pending:
            return
        self._pending.discard(request)
        if len(self._reading) > MAX_BODIES or event["encodedDataLength"] > MAX_BODY_BYTES:
            return
        task = asyncio.ensure_future(self._read(request))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)

    async def _read(self, request: str) -> None:
        try:
            with translated():
                answer = await self._commands.send(
                    "Network.getResponseBody", {"requestId": request}
                )
        except BrowserFailure:  # evicted by a navigation, or the tab is gone: there is no body
            return
        text = str(answer["body"])
        if answer["base64Encoded"]:  # of a type that is not known to be text
            text = base64.b64decode(text).decode("utf-8", "replace")
        if text and len(self._bodies) < MAX_BODIES:
            self._bodies.append(text[:MAX_BODY_BYTES])
