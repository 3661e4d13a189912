"""An installation without extras: imports, a run on the practice site, messages for missing extras.

Run by `scripts/variant.sh bare` with the Python of such an installation. Exit code 1 and a line for
each thing that is not as it should be.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pixtrawl
from pixtrawl.errors import MissingExtraError
from pixtrawl.playground import Playground

# Modules that may fail to import, and only for want of the package that they wrap.
WRAPPERS = {"pyarrow", "lance", "playwright", "onnxruntime", "tokenizers", "torch", "open_clip",
            "datasets", "fsspec", "ray", "webdataset", "starlette", "uvicorn", "mcp",
            "pydantic", "huggingface_hub"}  # fmt: skip
MISSING_EXTRAS = {
    "parquet": "pip install 'pixtrawl[formats]'",
    "lance": "pip install 'pixtrawl[lance]'",
}


def import_faults() -> list[str]:
    faults = []
    for module in pkgutil.walk_packages(pixtrawl.__path__, "pixtrawl."):
        if module.name.rpartition(".")[2] == "__main__":
            continue
        try:
            importlib.import_module(module.name)
        except MissingExtraError:
            continue  # the exporter says itself what it needs
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in WRAPPERS:
                faults.append(f"{module.name}: {error}")
    return faults


def command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pixtrawl", *words], capture_output=True, text=True
    )


def run_faults(folder: Path) -> list[str]:
    images = str(folder / "images")
    with Playground() as site:
        done = command(
            "run", "lighthouse", "-n", "5", "-s", "bing", "--set", f"bing.base_url={site.url}",
            "--allow-address", "127.0.0.0/8", "-o", images, "--json",
        )  # fmt: skip
    if done.returncode != 0:
        return [f"run ended with {done.returncode}: {done.stderr}"]
    saved = json.loads(done.stdout)["totals"]["saved"]
    faults = [] if saved == 5 else [f"run saved {saved} of 5"]
    for format_, told in MISSING_EXTRAS.items():
        export = command("export", images, "--to", format_, "-o", str(folder / format_))
        if export.returncode != 2 or told not in export.stderr:
            faults.append(f"export --to {format_}: {export.returncode}, {export.stderr.strip()}")
    for words in (("studio", images, "--no-open"), ("mcp", "--folder", str(folder))):
        ended, told = command(*words), f"pip install 'pixtrawl[{words[0]}]'"
        if ended.returncode != 2 or told not in ended.stderr:
            faults.append(f"{words[0]}: {ended.returncode}, {ended.stderr.strip()}")
    return faults


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        faults = import_faults() + run_faults(Path(folder))
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"bare: {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
