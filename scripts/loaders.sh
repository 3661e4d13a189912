#!/usr/bin/env bash
# The loaders that people have, in a venv of their own beside ours, and a look at what they read.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=${LOADERS_VENV:-.loaders-venv}
wanted=requirements/loaders.txt
if ! cmp -s "$wanted" "$venv/.wanted"; then
  .venv/bin/python -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --requirement "$wanted"
  cp "$wanted" "$venv/.wanted"
fi
LOADERS_VENV=$venv .venv/bin/python scripts/loaders.py
