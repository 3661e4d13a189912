"""The environment that a browser is started with: what it needs to run, and no secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = ["browser_environment"]

# Passwords, API keys and proxies are in variables of any name: hence a list of what may pass.
_PASS: Final = frozenset({
    "PATH", "LANG", "LANGUAGE", "TZ", "TZDIR", "LOGNAME", "USER", "SHELL",
    "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "XDG_RUNTIME_DIR", "XDG_SESSION_TYPE",
    "XDG_CURRENT_DESKTOP", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "FONTCONFIG_FILE", "FONTCONFIG_PATH",
    "LD_LIBRARY_PATH", "CHROME_DEVEL_SANDBOX", "LIBGL_ALWAYS_SOFTWARE",
    # Windows and macOS
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "PROGRAMFILES",
    "PROGRAMFILES(X86)", "PROGRAMDATA", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "TEMP", "TMP",
    "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "__CF_USER_TEXT_ENCODING",
})  # fmt: skip
_CERTIFICATES: Final = Path(".pki")  # NSS's, in which a user's own authorities are


def browser_environment(
    program: str, home: Path, temporary: str, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of a browser, with a home folder of its own.

    Args:
        program: the browser's path; a snap has to have the user's real home.
        home: a folder for it, made if need be; the user's certificate store is linked into it.
        temporary: its temporary folder.
        environ: that of this process.
    """
    given = {
        name: value
        for name, value in environ.items()
        if name.upper() in _PASS or name.startswith("LC_")
    }
    given["TMPDIR"] = temporary
    real = environ.get("HOME", "")
    if not real:
        return given
    if "/snap/" in os.path.realpath(program) or program.startswith("/snap/"):
        return given | {"HOME": real}
    home.mkdir(parents=True, exist_ok=True)
    store, link = Path(real) / _CERTIFICATES, home / _CERTIFICATES
    if store.is_dir() and not link.exists():
        link.symlink_to(store, target_is_directory=True)
    if "DISPLAY" in given and "XAUTHORITY" not in given:
        given["XAUTHORITY"] = str(Path(real) / ".Xauthority")
    return given | {"HOME": str(home)}
