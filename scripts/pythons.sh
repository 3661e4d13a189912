#!/usr/bin/env bash
# The parser and core tests on other Pythons than .venv's: the oldest patch level that a distribution
# ships (Debian 12: 3.11.2) and the newest that can be had here. An interpreter is taken from this
# machine, else from a small Debian that debootstrap unpacks into .pythons/. What cannot be had is
# said at the end and fails nothing; PIXTRAWL_PYTHONS=required makes it fail.
# Each interpreter's tests have PYTHONS_LIMIT_S seconds (300).
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$@" >&2; }
. scripts/apt.sh
limit_s=${PYTHONS_LIMIT_S:-300}
tools=(pytest pluggy iniconfig packaging pygments hypothesis sortedcontainers pytest-socket pytest-timeout)
tests=(
  tests/project/test_expressions.py tests/test_urls.py tests/test_licenses.py tests/queries tests/config
  tests/net/test_robots.py tests/net/test_headers.py tests/net/test_data_url.py tests/net/test_address.py
  tests/sources/web tests/sources/page tests/sources/google/test_records.py
  tests/sources/google/test_reading.py tests/sources/test_html.py tests/dataset/test_dataset.py
)
missing=()
failed=()

version_of() { "$@" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null; }

# Patch levels before 3.11.4 are those whose regular expressions have faults of their own.
is_oldest() { [[ "$1" =~ ^3\.11\.[0-3]$ ]]; }

oldest_here() {
  local name
  for name in /usr/bin/python3 python3.11 /usr/bin/python3.11; do
    if is_oldest "$(version_of "$name")"; then command -v "$name"; return 0; fi
  done
  return 1
}

newest_here() {
  local name minor
  for minor in 14 13 12; do
    name=python3.$minor
    if version_of "$name" >/dev/null; then command -v "$name"; return 0; fi
  done
  return 1
}

# packages VERSION FOLDER: what the tests need, for that Python, as the locks have it.
packages() {
  local lock=.pythons/tools.txt
  awk -v names="${tools[*]}" '
    BEGIN { count = split(names, list, " "); for (i = 1; i <= count; i++) wanted[list[i]] = 1 }
    /^[A-Za-z0-9]/ { split($1, parts, "=="); keep = parts[1] in wanted }
    keep' requirements/dev.txt >"$lock"
  # --target takes no second look at what is there.
  [ "$(cat "$2/.made" 2>/dev/null)" = "$(cat requirements/run.txt "$lock" | cksum)" ] && return
  rm -rf "$2"
  .venv/bin/uv pip install --quiet --target "$2" --python-version "${1%.*}" --no-deps \
    --require-hashes -r requirements/run.txt -r "$lock"
  cat requirements/run.txt "$lock" | cksum >"$2/.made"
}

pytest=(-m pytest -q -p no:cacheprovider -m "not browser and not realparts" "${tests[@]}")

report() { # NAME CODE
  if [ "$2" = 0 ]; then say "$1: well"; else failed+=("$1 (exit $2)"); fi
}

# on_machine NAME INTERPRETER
on_machine() {
  local version folder code=0
  version=$(version_of "$2")
  folder=.pythons/packages-$version
  say "$1: Python $version, $2"
  packages "$version" "$folder"
  PYTHONPATH="src:$folder" PYTHONDONTWRITEBYTECODE=1 timeout "$limit_s" "$2" "${pytest[@]}" || code=$?
  report "$1: Python $version" "$code"
}

# debian RELEASE: a minimal one in .pythons/RELEASE; 1 where it cannot be made.
debian() {
  local root=.pythons/$1 source=()
  [ -e "$root/.made" ] && return
  [ "$(id -u)" = 0 ] || { say "debootstrap needs root"; return 1; }
  command -v debootstrap >/dev/null || apt_install debootstrap || return 1
  if grep -qs '^ID=debian' /etc/os-release; then # the machine's own mirror
    mapfile -t source < <(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' |
      grep -v security | head -n 1)
  fi
  say "debootstrap $1"
  rm -rf --one-file-system "$root"
  timeout 240 debootstrap --variant=minbase --include=python3 "$1" "$root" "${source[@]}" \
    >.pythons/debootstrap.log 2>&1 </dev/null || { tail -n 3 .pythons/debootstrap.log >&2; return 1; }
  touch "$root/.made"
}

# in_debian NAME RELEASE: 1 where that Debian, or its mounts, cannot be had.
in_debian() {
  local root=.pythons/$2 version folder code=0
  debian "$2" || return 1
  unshare --mount true 2>/dev/null || { say "mounts are not ours to make"; return 1; }
  version=$(version_of chroot "$root" python3) || return 1
  folder=.pythons/packages-$version
  say "$1: Python $version, Debian $2"
  packages "$version" "$folder"
  mkdir -p "$root/srv/project"
  # In a mount namespace of its own, so that nothing stays mounted, whatever happens.
  timeout "$limit_s" unshare --mount bash -euc '
    root=$1; shift
    mount --rbind /proc "$root/proc"; mount --rbind /dev "$root/dev"
    mount --bind . "$root/srv/project"
    exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/bin HOME=/tmp LANG=C.UTF-8 \
      PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="/srv/project/src:/srv/project/$1" \
      sh -c '\''shift; cd /srv/project && exec python3 "$@"'\'' - "$@"
  ' - "$root" "$folder" "${pytest[@]}" || code=$?
  report "$1: Python $version" "$code"
}

mkdir -p .pythons
if oldest=$(oldest_here); then on_machine oldest "$oldest"
elif ! in_debian oldest bookworm; then missing+=("the oldest Python (Debian 12's 3.11.2)"); fi
if newest=$(newest_here); then on_machine newest "$newest"
elif ! in_debian newest trixie; then missing+=("the newest Python (Debian 13's 3.13)"); fi

for one in "${missing[@]}"; do
  say "" "*** NOT TESTED: $one is not on this machine, and debootstrap cannot bring it ***"
done
for one in "${failed[@]}"; do say "" "*** FAILED on $one ***"; done
[ ${#failed[@]} = 0 ] || exit 1
[ ${#missing[@]} = 0 ] || [ "${PIXTRAWL_PYTHONS:-}" != required ] || exit 1
