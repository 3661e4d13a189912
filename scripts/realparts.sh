#!/usr/bin/env bash
# The servers of other projects that the tests put the sources to: Debian's MediaWiki (with PHP and
# SQLite), searX, and WordPress with MariaDB. Where apt-get cannot bring them, or is not ours to use,
# those tests skip and name what is not there; nothing fails for it. Tried once for each .venv and
# form of this script.
set -euo pipefail
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$@" >&2; }
. scripts/apt.sh
stamp=.venv/.asked-realparts

php_has() { # MODULE...
  command -v php >/dev/null || return 1
  local loaded module
  loaded=$(php -m | tr '[:upper:]' '[:lower:]')
  for module; do
    grep -qx "$module" <<<"$loaded" || return 1
  done
}

has_wiki() { [ -f /usr/share/mediawiki/api.php ] && php_has sqlite3 gd mbstring xml intl; }

has_searx() { command -v searx-run >/dev/null; }

blog=.venv/share/wordpress

has_blog() {
  [ -f "$blog/usr/share/wordpress/wp-settings.php" ] && [ -x /usr/sbin/mariadbd ] &&
    php_has mysqli gd
}

# Unpacked and not installed: installed, it brings a web server that starts by itself. For the same
# reason only the core of MariaDB is installed.
unpack_blog() {
  rm -rf "$blog"
  mkdir -p "$blog"
  (
    cd "$blog" &&
      apt-get download -q wordpress wordpress-theme-twentytwentythree php-getid3 >/dev/null 2>&1 &&
      for package in *.deb; do dpkg-deb -x "$package" . || exit 1; done &&
      rm -- *.deb
  )
}

this=$(cksum <"$0")
[ "$(cat "$stamp" 2>/dev/null)" != "$this" ] || exit 0
if can_apt && ! { has_wiki && has_searx && has_blog; }; then
  # All at once is quicker; what a release does not have must not cost the others.
  wiki=(mediawiki php-cli php-sqlite3 php-gd php-mbstring php-xml php-intl)
  database=(mariadb-server-core php-cli php-gd php-mysql)
  apt_install "${wiki[@]}" searx "${database[@]}" || {
    apt_install "${wiki[@]}" || true
    apt_install searx || true
    apt_install "${database[@]}" || true
  }
  unpack_blog || rm -rf "$blog"
fi
has_wiki || say "no MediaWiki here: the tests that need it will be skipped"
has_searx || say "no searX here: the tests that need it will be skipped"
has_blog || say "no WordPress here: the tests that need it will be skipped"
echo "$this" >"$stamp"
