#!/usr/bin/env bash
# Sees to it that Playwright can start and that a Chrome or Chromium is there: the user's own, else
# Debian's chromium-headless-shell (64 MB to fetch), else the one that the npm package
# @sparticuz/chromium carries (for Ubuntu, where apt's chromium is a snap; Linux on x86-64 only).
# Nothing is downloaded from anywhere but the package registries that apt and npm are set up for.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$@" >&2; }
. scripts/apt.sh

mac_app="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
unpacked=.venv/bin/chromium-headless-shell

# The places where pixtrawl itself looks (src/pixtrawl/browser/executable.py).
find_browser() {
  if [ -n "${PIXTRAWL_CHROME:-}" ]; then
    [ -x "$PIXTRAWL_CHROME" ]
    return
  fi
  local name
  for name in google-chrome google-chrome-stable chromium chromium-browser chrome \
    microsoft-edge microsoft-edge-stable msedge brave-browser brave chromium-headless-shell; do
    # Ubuntu's /usr/bin/chromium-browser may be a script that only asks for a snap.
    if command -v "$name" >/dev/null && "$name" --version >/dev/null 2>&1; then return 0; fi
  done
  [ -x "$unpacked" ] || [ -x "$mac_app" ]
}

from_apt() {
  can_apt || return 1
  [ "$apt_updated" = yes ] || { say "apt-get update"; apt-get update -q >/dev/null 2>&1 || true; }
  apt_updated=yes
  local package
  for package in chromium-headless-shell chromium; do
    if apt_has "$package" && apt_install "$package"; then return 0; fi
  done
  return 1
}

from_npm() {
  [ "$(uname -sm)" = "Linux x86_64" ] || return 1
  command -v npm >/dev/null || apt_install nodejs npm || return 1
  local home=$PWD/.venv/share/chromium archive=sparticuz-chromium-153.0.0.tgz
  local sha256=20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0
  say "npm pack @sparticuz/chromium"
  rm -rf "$home"
  mkdir -p "$home" .venv/bin
  # Joined by && because set -e does not hold inside a condition.
  (
    cd "$home" &&
      npm pack --silent @sparticuz/chromium@153.0.0 >/dev/null 2>&1 </dev/null &&
      echo "$sha256  $archive" | sha256sum --check --quiet >&2 &&
      tar -xzf "$archive" &&
      unbrotli package/bin/chromium.br >chromium &&
      chmod +x chromium &&
      # Its own NSS and software graphics, for systems that have neither.
      unbrotli package/bin/al2023.tar.br | tar -x &&
      unbrotli package/bin/swiftshader.tar.br | tar -x &&
      rm -rf package "$archive"
  ) || return 1
  printf '%s\n' '#!/bin/sh' \
    "LD_LIBRARY_PATH='$home/lib'\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH} exec '$home/chromium' \"\$@\"" \
    >"$unpacked"
  chmod +x "$unpacked"
  "$unpacked" --version >&2
}

unbrotli() { # node brings npm and brotli; Debian's minimal system has no brotli program
  node -e 'fs.createReadStream(process.argv[1]).pipe(zlib.createBrotliDecompress()).pipe(process.stdout)' "$1"
}

# Playwright's wheel carries a node that needs libatomic, which a minimal Debian has not.
driver_runs() {
  local node
  for node in .venv/lib/python3*/site-packages/playwright/driver/node; do
    [ ! -x "$node" ] || "$node" --version >/dev/null 2>&1 || return 1
  done
}

if ! driver_runs; then
  { apt_install libatomic1 && driver_runs; } || {
    say "" "The node program inside Playwright cannot start; it needs a library:" \
      "  Debian, Ubuntu:  apt-get install libatomic1" "  Fedora:          dnf install libatomic"
    exit 1
  }
fi
if find_browser; then exit 0; fi
if [ -n "${PIXTRAWL_CHROME:-}" ]; then
  say "PIXTRAWL_CHROME=$PIXTRAWL_CHROME cannot be run."
  exit 1
fi
if from_apt || from_npm; then exit 0; fi
say "" "No Chrome or Chromium was found, and none could be installed from here. Install one:" \
  "  Debian:       apt-get install chromium-headless-shell   (or chromium)" \
  "  Ubuntu:       apt-get install nodejs npm, then this again (its apt chromium is a snap)" \
  "  Fedora:       dnf install chromium-headless" \
  "  macOS:        brew install --cask google-chrome" \
  "or name one:    export PIXTRAWL_CHROME=/path/to/chrome"
exit 1
