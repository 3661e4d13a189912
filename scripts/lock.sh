#!/usr/bin/env bash
# Writes requirements/run.txt (what the product needs) and requirements/dev.txt (that, tests and
# tools) from pyproject.toml: one set of versions for every system and Python, each file by its
# hash, no address of a registry. Versions already locked stay unless --upgrade is given.
set -euo pipefail
cd "$(dirname "$0")/.."
UV=$(command -v uv || echo .venv/bin/uv)
options=(--quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate)

"$UV" pip compile pyproject.toml --all-extras --group build "${options[@]}" "$@" \
  --output-file requirements/run.txt >/dev/null
"$UV" pip compile pyproject.toml --all-extras --group dev "${options[@]}" "$@" \
  --constraint requirements/run.txt --output-file requirements/dev.txt >/dev/null
grep -c == requirements/run.txt requirements/dev.txt
