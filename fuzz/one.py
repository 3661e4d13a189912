"""Run one target in this process: `python -m fuzz.one NAME [libFuzzer options] [FILE ...]`."""

from __future__ import annotations

import sys
from importlib import import_module

try:
    import atheris
except ImportError:
    sys.exit("atheris is missing: make fuzz installs it (pip install --group fuzz)")

with atheris.instrument_imports(include=["pixtrawl"]):
    targets = import_module("fuzz.targets").TARGETS


def main() -> None:
    """Hand libFuzzer the reader named by the first argument."""
    name = sys.argv.pop(1)
    atheris.Setup(sys.argv, targets[name].read)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
