"""Drive a browser over its DevTools pipe, without Playwright: the usual driver of `chrome`.

Playwright starts a node program (0.5 s) and copies each message through it: half of the CPU time of
a small discovery. This driver has only what tabs need. It is used without a window and a kept
profile, on systems that have `posix_spawn`.

When this process ends, even by SIGKILL, the pipe closes and the browser exits; the shell that waits
for it removes its profile.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from pixtrawl.browser.devtools_page import DevtoolsError, DevtoolsPage, DevtoolsSession
from pixtrawl.browser.driver import nothing
from pixtrawl.browser.environment import browser_environment

_SHELL: Final = 'profile=$1; shift; "$@" & exec 3<&- 4>&-; wait; rm -rf -- "$profile"'
_LONGEST_FOLDER_BYTES: Final = 50  # Chrome adds about 40 of its own
_START_S: Final = 30.0
_END_S: Final = 5.0
# Playwright's, so that pages see the same browser either way.
_ARGUMENTS: Final = (
    "--headless", "--enable-automation", "--hide-scrollbars", "--mute-audio",
    "--disable-field-trial-config", "--disable-back-forward-cache", "--disable-breakpad",
    "--disable-background-timer-throttling", "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding", "--disable-client-side-phishing-detection",
    "--disable-component-extensions-with-background-pages", "--disable-default-apps",
    "--disable-extensions", "--disable-hang-monitor", "--disable-ipc-flooding-protection",
    "--disable-popup-blocking", "--disable-prompt-on-repost",
    "--allow-pre-commit-input", "--force-color-profile=srgb",
    "--metrics-recording-only", "--password-store=basic", "--use-mock-keychain",
    "--no-service-autorun", "--disable-search-engine-choice-screen",
    ("--disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,MediaRouter,PaintHolding,"
     "ThirdPartyStoragePartitioning,OptimizationHints,NetworkTimeServiceQuerying,PreconnectToSearch,"
     "WebRtcHideLocalIpsWithMdns"),
    ("--blink-settings=primaryHoverType=2,availableHoverTypes=2,primaryPointerType=4,"
     "availablePointerTypes=4"),
    "--remote-debugging-pipe",
)  # fmt: skip


def _wait_for(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, 0)


def short_folder() -> str:
    """Return the temporary folder, or a shorter one if its path is too long.

    A browser makes a socket below it, and a socket's path has 104 to 108 bytes (`sun_path`).
    """
    usual = tempfile.gettempdir()
    for folder in (usual, os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"):  # noqa: S108
        short = 0 < len(os.fsencode(folder)) <= _LONGEST_FOLDER_BYTES
        if short and os.access(folder, os.W_OK | os.X_OK):
            return folder
    return usual


class Browser:
    """One browser process and the pipe to it. Raises DevtoolsError."""

    def __init__(self, viewport: tuple[int, int]) -> None:
        self._viewport = viewport
        self._loop = asyncio.get_running_loop()
        self._write = self._read = -1
        self._pid = 0
        self._profile = ""
        self._number = 0
        self._waiting: dict[int, tuple[str, asyncio.Future[Any]]] = {}
        self._sessions: dict[str, DevtoolsSession] = {}
        self._unread = bytearray()
        self._unsent = bytearray()
        self._tasks: set[asyncio.Future[Any]] = set()
        self.closed = False
        self.on_end: Callable[[], None] = nothing

    async def start(self, path: str, arguments: Iterable[str]) -> None:
        """Start the browser and return when it is ready."""
        self._profile = tempfile.mkdtemp(prefix="pixtrawl-profile-", dir=short_folder())
        command = ["/bin/sh", "-c", _SHELL, "sh", self._profile, path, *_ARGUMENTS, *arguments,
                   f"--user-data-dir={self._profile}", "about:blank"]  # fmt: skip
        home = Path(self._profile) / "home"
        self._spawn(command, browser_environment(path, home, short_folder()))
        async with asyncio.timeout(_START_S):
            await self.send("Target.setDiscoverTargets", {"discover": True})
            await self.send("Browser.setDownloadBehavior", {"behavior": "deny"})

    def _spawn(self, command: list[str], environment: dict[str, str]) -> None:
        its_input, self._write = os.pipe()
        self._read, its_output = os.pipe()
        for ours in (self._write, self._read):
            os.set_blocking(ours, False)
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
            # Through high descriptors first: a pipe may have number 3 or 4 already.
            (os.POSIX_SPAWN_DUP2, its_input, 203), (os.POSIX_SPAWN_DUP2, its_output, 204),
            (os.POSIX_SPAWN_DUP2, 203, 3), (os.POSIX_SPAWN_DUP2, 204, 4),
            (os.POSIX_SPAWN_CLOSE, 203), (os.POSIX_SPAWN_CLOSE, 204),
        ]  # fmt: skip
        try:
            # A process group of its own, so that Ctrl-C reaches this process only.
            self._pid = os.posix_spawn(
                command[0],
                command,
                environment,
                file_actions=actions,
                setpgroup=0,
            )
        finally:
            os.close(its_input)
            os.close(its_output)
        self._loop.add_reader(self._read, self._on_readable)

    async def new_page(self) -> DevtoolsPage:
        """Open a blank tab."""
        created = await self.send("Target.createTarget", {"url": "about:blank"})
        target = created["targetId"]
        attached = await self.send("Target.attachToTarget", {"targetId": target, "flatten": True})
        session = DevtoolsSession(self, attached["sessionId"], target)
        self._sessions[session.id] = session
        page = DevtoolsPage(self, session)
        await page.prepare(self._viewport)
        return page

    async def close(self) -> None:
        """Close the browser; wait until its process and profile are gone."""
        with contextlib.suppress(DevtoolsError):
            self.send("Browser.close")
        self._flush()
        self._end_pipes(keep_reading=True)
        if self._pid:
            pid, self._pid = self._pid, 0
            gone = self._loop.run_in_executor(None, _wait_for, pid)
            done, _ = await asyncio.wait([gone], timeout=_END_S)
            if not done:  # the browser hangs
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                await gone
        self._on_end()
        shutil.rmtree(self._profile, ignore_errors=True)

    def send(
        self, method: str, params: dict[str, Any] | None = None, session: str = ""
    ) -> asyncio.Future[Any]:
        """Send a command; return an awaitable for its result."""
        if self.closed or self._write < 0:
            raise DevtoolsError("Connection closed")
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": params or {}}
        if session:
            message["sessionId"] = session
        answer: asyncio.Future[Any] = self._loop.create_future()
        self._waiting[self._number] = session, answer
        self._unsent += json.dumps(message).encode() + b"\0"
        self._flush()
        return answer

    def _flush(self) -> None:
        if self._write < 0:
            return
        try:
            while self._unsent:
                del self._unsent[: os.write(self._write, self._unsent)]
        except BlockingIOError:
            self._loop.add_writer(self._write, self._flush)
        except OSError:
            self._on_end()
        else:
            self._loop.remove_writer(self._write)

    def _on_readable(self) -> None:
        try:
            data = os.read(self._read, 2**20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_end()
            return
        begun = len(self._unread)
        self._unread += data
        if b"\0" not in memoryview(self._unread)[begun:].tobytes():
            return
        *whole, rest = bytes(self._unread).split(b"\0")
        self._unread = bytearray(rest)
        for text in whole:
            self._take(json.loads(text))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:
            _, answer = self._waiting.pop(message["id"], ("", None))
            if answer is None or answer.done():
                return
            if "error" in message:
                answer.set_exception(DevtoolsError(str(message["error"].get("message"))))
                answer.exception()  # mark it as retrieved: not every caller awaits it
            else:
                answer.set_result(message["result"])
            return
        method, params = message["method"], message["params"]
        if method == "Target.detachedFromTarget":
            self.fail(params["sessionId"], "Target closed")
        elif method == "Target.targetCreated":
            self._close_popup(params["targetInfo"])
        elif session := self._sessions.get(message.get("sessionId", "")):
            session.emit(method, params)

    def _close_popup(self, target: dict[str, Any]) -> None:
        # A window that a click opened; tabs of ours have no opener.
        if target["type"] == "page" and target.get("openerId"):
            with contextlib.suppress(DevtoolsError):
                self.send("Target.closeTarget", {"targetId": target["targetId"]})

    def fail(self, session: str, why: str) -> None:
        """End a session and fail its pending commands; without an id, those of all sessions."""
        for number, (whose, answer) in tuple(self._waiting.items()):
            if session in ("", whose):
                del self._waiting[number]
                if not answer.done():
                    answer.set_exception(DevtoolsError(why))
                    answer.exception()
        for one in [self._sessions[session]] if session in self._sessions else (
            () if session else tuple(self._sessions.values())
        ):  # fmt: skip
            one.end(why)
            self._sessions.pop(one.id, None)

    def _on_end(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._end_pipes()
        self.fail("", "Connection closed")
        self.on_end()

    def _end_pipes(self, *, keep_reading: bool = False) -> None:
        if self._write >= 0:
            self._loop.remove_writer(self._write)
            os.close(self._write)
            self._write = -1
        if self._read >= 0 and not keep_reading:
            self._loop.remove_reader(self._read)
            os.close(self._read)
            self._read = -1
