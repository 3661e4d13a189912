"""Find the browser: the first Chromium-like program on this computer.

Order: PIXTRAWL_CHROME; well-known names in PATH; the usual folders of each system, the headless
shell last; the Chromium that npm's @sparticuz/chromium leaves unpacked in the temporary folder.
Playwright's own search looks at its download folder and at few fixed places, never at PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

VARIABLE: Final = "PIXTRAWL_CHROME"

PATH_NAMES: Final = (
    "google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome",
    "microsoft-edge", "microsoft-edge-stable", "msedge", "brave-browser", "brave",
)  # fmt: skip

_MAC: Final = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Chromium.app/Contents/MacOS/Chromium",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Brave Browser.app/Contents/MacOS/Brave Browser",
)
_WINDOWS: Final = (
    r"Google\Chrome\Application\chrome.exe",
    r"Chromium\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"BraveSoftware\Brave-Browser\Application\brave.exe",
)
_LINUX: Final = (
    "/opt/google/chrome/chrome",
    "/usr/lib/chromium/chromium",
    "/usr/lib64/chromium-browser/chromium-browser",
    "/snap/bin/chromium",
    "/opt/microsoft/msedge/msedge",
    "/opt/brave.com/brave/brave",
    "/usr/bin/chromium-headless-shell",
)


class BrowserFound(Struct, frozen=True):
    """A browser program. `headless_only` ones have no window to show."""

    path: str
    how: str  # PIXTRAWL_CHROME | PATH | usual place | npm
    headless_only: bool = False


def find_browser(
    environ: Mapping[str, str] | None = None, platform: str = sys.platform
) -> BrowserFound | None:
    """Return the browser to use, or None. Only looks at files; starts nothing.

    None if PIXTRAWL_CHROME names a missing file: no other browser is used in its place.
    """
    env = os.environ if environ is None else environ
    named = env.get(VARIABLE, "")
    if named:
        path = shutil.which(os.path.expanduser(named), path=env.get("PATH", ""))  # noqa: PTH111
        return _found(path, VARIABLE) if path else None
    for name in PATH_NAMES:
        path = shutil.which(name, path=env.get("PATH", ""))
        if path:
            return _found(path, "PATH")
    for place in _places(env, platform):
        if _is_program(place):
            return _found(place, "usual place")
    unpacked = str(Path(tempfile.gettempdir()) / "chromium")
    # All users may write to the temporary folder: start only a program of the same user.
    if _is_program(unpacked) and _is_ours(unpacked):
        return BrowserFound(unpacked, "npm", headless_only=True)
    return None


def can_drive() -> bool:
    """Return whether `devtools` can drive a browser without a window on this system."""
    return hasattr(os, "posix_spawn") and os.path.exists("/bin/sh")  # noqa: PTH110 - once a run


def missing_message(environ: Mapping[str, str] | None = None) -> str:
    """Return in one sentence why `find_browser` found none."""
    named = (os.environ if environ is None else environ).get(VARIABLE, "")
    if named:
        return f"{VARIABLE}={named} is no program that can be started"
    return "no Chrome or Chromium was found on this computer"


def install_command(platform: str = sys.platform) -> str:
    """Return the one command that installs a browser on this system."""
    if platform == "darwin":
        return "brew install --cask google-chrome"
    if platform == "win32":
        return "winget install Google.Chrome"
    for tool, command in (
        ("apt-get", "sudo apt-get install chromium"),
        ("dnf", "sudo dnf install chromium"),
        ("pacman", "sudo pacman -S chromium"),
        ("zypper", "sudo zypper install chromium"),
        ("apk", "sudo apk add chromium"),
    ):
        if shutil.which(tool):
            return command
    return "npm install @sparticuz/chromium"


def has_display(environ: Mapping[str, str] | None = None, platform: str = sys.platform) -> bool:
    """Return whether a window can be shown."""
    env = os.environ if environ is None else environ
    if platform in ("darwin", "win32"):
        return True
    return bool(env.get("DISPLAY") or env.get("WAYLAND_DISPLAY"))


def _places(env: Mapping[str, str], platform: str) -> Iterator[str]:
    if platform == "darwin":
        for folder in ("/Applications", str(Path(env.get("HOME", "/")) / "Applications")):
            yield from (f"{folder}/{name}" for name in _MAC)
    elif platform == "win32":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            if env.get(variable):
                yield from (f"{env[variable]}\\{name}" for name in _WINDOWS)
    else:
        yield from _LINUX


def _found(path: str, how: str) -> BrowserFound:
    name = Path(path).name.lower()
    return BrowserFound(path, how, "headless-shell" in name or "headless_shell" in name)


def _is_program(path: str) -> bool:
    return Path(path).is_file() and os.access(path, os.X_OK)


def _is_ours(path: str) -> bool:
    owner = getattr(os, "geteuid", lambda: None)()
    return owner is None or Path(path).stat().st_uid in (owner, 0)
