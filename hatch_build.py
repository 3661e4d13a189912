"""Before a wheel is built: the scripts of the studio's page are fetched and laid into it.

Where that is not possible the wheel is built without them, and says so; an editable installation
gets them from scripts/setup.sh.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioScripts(BuildHookInterface[Any]):
    """Run scripts/studio_web.py before a wheel is put together."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Lay the scripts; leave an editable installation as it is."""
        if self.target_name == "wheel" and version != "editable":
            script = Path(self.root) / "scripts/studio_web.py"
            subprocess.run([sys.executable, script], check=False)
