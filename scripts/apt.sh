# Sourced by the set-up scripts: apt-get where we may use it.

apt_updated=no

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# apt_install PACKAGE...: returns 1 where apt-get is not there, not ours to use, or fails.
apt_install() {
  can_apt || return 1
  local log
  log=$(mktemp)
  if [ "$apt_updated" = no ]; then
    say "apt-get update"
    apt-get update -q >"$log" 2>&1 || tail -n 5 "$log" >&2
    apt_updated=yes
  fi
  say "apt-get install $*"
  if DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" \
    >"$log" 2>&1 </dev/null; then
    rm -f "$log"
    return 0
  fi
  tail -n 5 "$log" >&2
  rm -f "$log"
  return 1
}

# apt_has PACKAGE: it can be installed, and is more than a door to a snap.
apt_has() {
  local shown
  shown=$(apt-cache show "$1" 2>/dev/null) || return 1
  [ -n "$shown" ] && ! grep -qi 'snap' <<<"$shown"
}
