"""Asks the advisory service for known weaknesses of the locked packages: `make audit`.

A network without that service, or one where it knows none of the packages, is said in one line and
is no failure: nothing was found out. A known weakness is.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
LOCKS: Final = ("requirements/run.txt", "requirements/dev.txt")
_LIMIT_S: Final = 240
_OUT_OF_REACH: Final = (
    "ConnectionError", "ConnectTimeout", "ReadTimeout", "timed out", "resolve", "ServiceError",
    "ProxyError", "SSLError", "Could not connect", "Failed to fetch", "dns error",
    "Network is unreachable", "not found in the package registry", "tcp connect",
)  # fmt: skip


def main() -> int:
    """Audit the locks; return 1 where a package has a known weakness or the audit is broken."""
    uv = shutil.which("uv") or str(ROOT / ".venv/bin/uv")
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder, "audit.json")
        command = [uv, "tool", "run", "--quiet", "--from", "pip-audit>=2.9,<3", "pip-audit"]
        for lock in LOCKS:
            command += ["--requirement", str(ROOT / lock)]
        command += ["--require-hashes", "--disable-pip", "--progress-spinner", "off"]
        command += ["--timeout", "15", "--format", "json", "--output", str(found)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_LIMIT_S, check=False
            )
        except subprocess.TimeoutExpired:
            return _nothing("no answer of the advisory service in time")
        if not found.is_file():
            said = f"{done.stdout}\n{done.stderr}".strip()
            if any(word in said for word in _OUT_OF_REACH):
                return _nothing("the advisory service cannot be reached")
            print(said[-2000:], file=sys.stderr)
            return 1
        return verdict(json.loads(found.read_text("utf-8")))


def verdict(found: dict[str, Any]) -> int:
    """Print what an audit found; return 1 where there is a known weakness."""
    packages = found["dependencies"]
    asked = [one for one in packages if "skip_reason" not in one]
    weak = [(one, known) for one in asked for known in one["vulns"]]
    for one, known in weak:
        mended = ", ".join(known.get("fix_versions") or ()) or "none"
        print(f"{one['name']} {one['version']}: {known['id']}, mended in {mended}")
    if not asked:
        return _nothing(f"the service here knows none of the {len(packages)} packages")
    left = len(packages) - len(asked)
    print(
        f"audit: {len(asked)} packages, {len(weak)} known weaknesses"
        + (f"; {left} packages are not known to the service" if left else "")
    )
    return 1 if weak else 0


def _nothing(why: str) -> int:
    print(f"audit: nothing was found out, {why}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
