#!/usr/bin/env bash
# Installs Debian's firefox-esr for `make test-firefox`; elsewhere name one in PIXTRAWL_FIREFOX.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$@" >&2; }
. scripts/apt.sh

apt_install firefox-esr || {
  say "apt cannot install firefox-esr here: install a Firefox, or set PIXTRAWL_FIREFOX to its path"
  exit 1
}
