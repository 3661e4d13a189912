#!/usr/bin/env bash
# The servers of other projects that tests/realparts puts the sources to: Debian's MediaWiki (with
# PHP and SQLite) and searX. Where apt-get cannot bring them, or is not ours to use, those tests skip
# and name what is not there; nothing fails for it. Tried once for each .venv.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$@" >&2; }
. scripts/apt.sh
stamp=.venv/.asked-realparts

has_wiki() {
  [ -f /usr/share/mediawiki/api.php ] && command -v php >/dev/null || return 1
  local loaded module
  loaded=$(php -m | tr '[:upper:]' '[:lower:]')
  for module in sqlite3 gd mbstring xml intl; do
    grep -qx "$module" <<<"$loaded" || return 1
  done
}

has_searx() { command -v searx-run >/dev/null; }

[ ! -e "$stamp" ] || exit 0
if ! { has_wiki && has_searx; } && can_apt; then
  # Both at once is quicker; the one that a release does not have must not cost the other.
  wiki=(mediawiki php-cli php-sqlite3 php-gd php-mbstring php-xml php-intl)
  apt_install "${wiki[@]}" searx || { apt_install "${wiki[@]}" || true; apt_install searx || true; }
fi
has_wiki || say "no MediaWiki here: the tests that need it will be skipped"
has_searx || say "no searX here: the tests that need it will be skipped"
touch "$stamp"
