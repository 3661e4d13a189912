"""A Firefox driven by WebDriver BiDi, over a WebSocket client of as few lines as that needs."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import re
import secrets
import shutil
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 60.0
KEYS = {
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015",
    "PageUp": "\ue00e", "PageDown": "\ue00f", "End": "\ue010", "Home": "\ue011",
    "Shift": "\ue008", "Enter": "\ue006", "Escape": "\ue00c", "Space": " ",
}  # fmt: skip
_LISTENING = re.compile(r"WebDriver BiDi listening on ws://127\.0\.0\.1:(\d+)")


class WebSocket:
    """Text messages over one connection (RFC 6455)."""

    def __init__(self, port: int, path: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        head = (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        self._socket.sendall(head.encode())
        self._read = self._socket.makefile("rb")
        assert b"101" in self._read.readline()
        while self._read.readline() not in {b"\r\n", b""}:
            pass

    def send(self, text: str) -> None:
        data = text.encode()
        if len(data) < 126:
            length = struct.pack("!B", 128 | len(data))
        elif len(data) < 2**16:
            length = struct.pack("!BH", 128 | 126, len(data))
        else:
            length = struct.pack("!BQ", 128 | 127, len(data))
        mask = secrets.token_bytes(4)
        masked = bytes(one ^ mask[at % 4] for at, one in enumerate(data))
        self._socket.sendall(b"\x81" + length + mask + masked)

    def receive(self) -> str:
        """The next text message; other frames are passed over."""
        message, whole = b"", False
        while not whole:
            first, second = self._exactly(2)
            length = second & 127
            if length == 126:
                (length,) = struct.unpack("!H", self._exactly(2))
            elif length == 127:
                (length,) = struct.unpack("!Q", self._exactly(8))
            data = self._exactly(length)
            if first & 15 in {0, 1}:
                message += data
                whole = bool(first & 128)
        return message.decode()

    def _exactly(self, n: int) -> bytes:
        data = self._read.read(n)
        if len(data) < n:
            raise ConnectionError("Firefox has closed the connection")
        return data

    def close(self) -> None:
        self._read.close()
        self._socket.close()


class Firefox:
    """One tab of a Firefox."""

    def __init__(self, port: int) -> None:
        self._socket = WebSocket(port, "/session")
        self._number = 0
        self.ask("session.new", capabilities={})
        self._tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]

    def ask(self, method: str, **params: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": params}))
        while True:
            found = json.loads(self._socket.receive())
            if found.get("id") == self._number:
                assert found["type"] == "success", found
                return found["result"]

    def goto(self, url: str) -> None:
        self.ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        found = self.ask(
            "script.evaluate", expression=f"(async () => JSON.stringify({expression}))()",
            target={"context": self._tab}, awaitPromise=True,
        )  # fmt: skip
        assert found["type"] == "success", found
        return json.loads(found["result"].get("value", "null"))

    def until(self, expression: str) -> Any:
        """The value of an expression as soon as it is true."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            with contextlib.suppress(AssertionError):  # the page is being exchanged
                if found := self.evaluate(expression):
                    return found
            time.sleep(0.05)
        raise AssertionError(f"never true: {expression}")

    def press(self, *keys: str) -> None:
        """Press keys, as in `Shift+ArrowRight`."""
        actions: list[dict[str, str]] = []
        for word in keys:
            parts = [KEYS.get(one, one) for one in word.split("+")]
            actions += [{"type": "keyDown", "value": one} for one in parts]
            actions += [{"type": "keyUp", "value": one} for one in reversed(parts)]
        source = {"type": "key", "id": "keyboard", "actions": actions}
        self.ask("input.performActions", context=self._tab, actions=[source])

    def close(self) -> None:
        with contextlib.suppress(OSError, AssertionError):
            self.ask("browser.close")
        self._socket.close()


def executable() -> str | None:
    named = os.environ.get("PIXTRAWL_FIREFOX")
    return named or shutil.which("firefox-esr") or shutil.which("firefox")


@contextlib.contextmanager
def firefox(profile: Path, *, ratio: float = 1.0) -> Iterator[Firefox]:
    """A headless Firefox with a profile of its own, or a skip that says what is missing."""
    program = executable()
    if program is None:
        pytest.skip(
            "no Firefox here: `make test-firefox` installs Debian's, or name PIXTRAWL_FIREFOX"
        )
    profile.mkdir(parents=True, exist_ok=True)
    (profile / "user.js").write_text(
        f'user_pref("layout.css.devPixelsPerPx", "{ratio}");\n'
        'user_pref("app.update.enabled", false);\nuser_pref("network.proxy.type", 0);\n'
        'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
        'user_pref("browser.safebrowsing.update.enabled", false);\n'
        'user_pref("network.captive-portal-service.enabled", false);\n'
        'user_pref("network.connectivity-service.enabled", false);\n'
        'user_pref("services.settings.server", "http://127.0.0.1:9");\n'
    )
    words = [
        program, "--headless", "--no-remote", "--profile", str(profile),
        "--remote-debugging-port", "0", "--width", "1280", "--height", "900", "about:blank",
    ]  # fmt: skip
    process = subprocess.Popen(
        words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        env={**os.environ, "HOME": str(profile), "MOZ_CRASHREPORTER_DISABLE": "1"},
    )  # fmt: skip
    ports: queue.Queue[int] = queue.Queue()
    reader = threading.Thread(target=_listen, args=(process, ports), daemon=True)
    reader.start()
    try:
        tab = Firefox(ports.get(timeout=PATIENCE_S))
        try:
            yield tab
        finally:
            tab.close()
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(60)
        assert process.stderr is not None
        process.stderr.close()


def _listen(process: subprocess.Popen[str], ports: queue.Queue[int]) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        if found := _LISTENING.search(line):
            ports.put(int(found[1]))
