#!/usr/bin/env bash
# setup.sh demo|dev: everything that `make demo` (demo) or `make test` (dev) needs, from a bare
# Debian or Ubuntu on. Missing system packages are installed with apt-get where that is possible
# and named where it is not (exit 1). The second call finds everything there and ends at once.
set -euo pipefail
cd "$(dirname "$0")/.."
set_name=${1:-dev}
lock=requirements/$set_name.txt
stamp=.venv/.ready-$set_name
[ "$set_name" = demo ] || [ "$set_name" = dev ] || { echo "usage: setup.sh demo|dev" >&2; exit 2; }

say() { printf '%s\n' "$@" >&2; }
fail() { say "" "$@"; exit 1; }
. scripts/apt.sh

good_python() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2])' 2>/dev/null
}

first_good_python() {
  local name
  for name in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
    if good_python "$name"; then echo "$name"; return 0; fi
  done
  return 1
}

find_python() {
  first_good_python && return
  # Debian 12 and later have a good python3; Ubuntu 22.04 has python3.11 beside its own.
  if apt_install python3 python3-venv && first_good_python; then return; fi
  if apt_install python3.11 python3.11-venv && first_good_python; then return; fi
  fail "pixtrawl needs Python 3.11 or newer; \`python3\` here is: $(python3 -V 2>/dev/null || echo none)" \
    "Install one, for example:  apt-get install python3.11 python3.11-venv" \
    "or name one:               make test PYTHON=/path/to/python3"
}

make_venv() {
  if [ -x .venv/bin/python ] && good_python .venv/bin/python; then return; fi
  local python version
  python=$(find_python)
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    apt_install "python$version-venv" ||
      fail "$python cannot make virtual environments." "Install:  apt-get install python$version-venv"
  fi
  say "making .venv with $python ($version)"
  rm -rf .venv
  "$python" -m venv .venv
}

install_locked() {
  say "installing $lock"
  if command -v uv >/dev/null &&
    uv pip install --quiet --python .venv/bin/python --require-hashes --no-deps -r "$lock"; then
    return
  fi
  .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip >/dev/null
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --require-hashes --no-deps -r "$lock"
}

install_project() {
  if command -v uv >/dev/null &&
    uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .; then
    return
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input \
    --no-deps --no-build-isolation -e .
}

# apt and pip work at the same time; before and after, apt-get is for the others to use.
real_parts=
start_real_parts() {
  if [ "$set_name" = demo ] || [ -n "$real_parts" ]; then return; fi
  bash scripts/realparts.sh &
  real_parts=$!
}

fingerprint() { cat "$lock" pyproject.toml scripts/setup.sh | cksum; }

if ! [ -x .venv/bin/python ] || [ "$(cat "$stamp" 2>/dev/null)" != "$(fingerprint)" ]; then
  make_venv
  start_real_parts
  install_locked
  install_project
  fingerprint >"$stamp"
fi
start_real_parts
wait
bash scripts/browser.sh
# All but the studio works without its scripts: it has said by now what is missing.
.venv/bin/python scripts/studio_web.py || true
