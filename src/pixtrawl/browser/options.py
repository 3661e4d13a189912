"""Browser launch options, and the resources that it does not load."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from pixtrawl.browser.devtools import short_folder
from pixtrawl.browser.environment import browser_environment
from pixtrawl.browser.executable import BrowserFound, has_display, install_command
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.config.user_folders import user_folder

# What follows a "?" or "#" may name the file too, hence the trailing star.
_ENDINGS: Final = ("jpg", "jpeg", "png", "webp", "gif", "avif", "bmp", "tif", "tiff", "ico", "svg")
BLOCKED: Final = (
    *(f"*.{ending}*" for ending in _ENDINGS),
    *(f"*.{ending.upper()}*" for ending in _ENDINGS),
    "*encrypted-tbn*", "*q=tbn:*", "*.mp4*", "*.webm*", "*.woff2*",
)  # fmt: skip
BLOCKED_KINDS: Final = ({"resourceType": "Image"}, {"resourceType": "Media"})

ARGUMENTS: Final = (
    "--disable-dev-shm-usage",  # containers give 64 MB
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-domain-reliability",
    "--no-pings",
    "--no-first-run",
    "--no-default-browser-check",
    "--renderer-process-limit=3",  # 10 tabs: 580 instead of 643 MiB, and faster
    "--window-size=1366,1000",
)


VIEWPORT_PX: Final = (1366, 1500)  # without a window


class ChromeOptions(Struct, frozen=True):
    """Browser launch options. `visible` None: show a window if there is a display."""

    visible: bool | None = None
    profile: str | None = None  # folder that keeps cookies between runs
    pages: int = 3  # tabs at once
    proxy: str | None = None  # that the gateway goes by; None: as the environment says
    allow_address: tuple[str, ...] = ()  # inner ranges that pages may reach
    extra_arguments: tuple[str, ...] = ()


def arguments(options: ChromeOptions) -> list[str]:
    """Return the command-line arguments for a browser that we start ourselves."""
    return [*ARGUMENTS, *options.extra_arguments, *(["--no-sandbox"] if _is_root() else ())]


def gateway_arguments(host: str, port: int) -> list[str]:
    """Return the arguments that leave the browser one way to the network: the gateway."""
    return [
        f"--proxy-server=http://{host}:{port}",
        "--proxy-bypass-list=<-loopback>",  # else loopback and link-local go past a proxy
        # Nothing is resolved in the browser: neither for a connection past the proxy, nor ahead.
        f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {host}",
        "--dns-prefetch-disable",
        # WebRTC sends UDP past any proxy, and tells other parties the local addresses.
        "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
        "--webrtc-ip-handling-policy=disable_non_proxied_udp",  # its name in newer versions
        "--disable-quic",
    ]


def start_options(
    options: ChromeOptions, path: str, gateway: list[str], home: Path, *, visible: bool
) -> dict[str, Any]:
    """Return Playwright's launch options. `home` is the browser's home folder."""
    return {
        "executable_path": path,
        "headless": not visible,
        # The sandbox cannot work for root; everyone else keeps it.
        "chromium_sandbox": not _is_root(),
        # Playwright adds --no-sandbox itself.
        "args": [*ARGUMENTS, *options.extra_arguments, *gateway],
        # Signals are handled by this process, not by Playwright.
        "handle_sigint": False, "handle_sigterm": False, "handle_sighup": False,
        "timeout": 30_000,
        "env": browser_environment(path, home, short_folder()),
    }  # fmt: skip


def look_options(*, visible: bool) -> dict[str, Any]:
    """Return Playwright's context options."""
    look: dict[str, Any] = {"accept_downloads": False, "service_workers": "block"}
    if visible:
        return look | {"no_viewport": True}
    return look | {"viewport": {"width": VIEWPORT_PX[0], "height": VIEWPORT_PX[1]}}


@contextlib.contextmanager
def compile_cache() -> Iterator[None]:
    """Let node, which Playwright's driver runs on, cache compiled code: saves 0.15 s a start.

    node creates the folder (1.3 MB per version) and does without one that it cannot create.
    """
    name = "NODE_COMPILE_CACHE"
    if name in os.environ:  # set by the user
        yield
        return
    os.environ[name] = f"{user_folder('cache')}{os.sep}node"
    try:
        yield
    finally:
        del os.environ[name]


def _is_root() -> bool:
    return getattr(os, "geteuid", lambda: 1)() == 0


def shows_window(options: ChromeOptions, found: BrowserFound) -> bool:
    """Return whether a window will be shown. Raises BrowserFailure if it cannot be."""
    if options.visible is None:
        return has_display() and not found.headless_only
    if options.visible and found.headless_only:
        raise BrowserFailure(
            BrowserTrouble.MISSING, f"{found.path} has no window to show", install_command()
        )
    if options.visible and not has_display():
        raise BrowserFailure(
            BrowserTrouble.MISSING,
            "a visible browser needs a display, and there is none",
            "put xvfb-run -a before the command",
        )
    return options.visible
