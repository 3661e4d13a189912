"""A real WordPress from Debian's packages on a MariaDB of its own, with one post of pictures.

scripts/realparts.sh unpacks the packages into .venv, because installed they would bring a web server
that starts by itself. Needs mariadb-server-core, php-cli, php-mysql, php-gd as well.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.realparts.processes import free_port, running

UNPACKED: Final = Path(sys.prefix) / "share" / "wordpress" / "usr" / "share"
_SERVER: Final = Path("/usr/sbin/mariadbd")

_CONFIG: Final = r"""<?php
define( 'DB_NAME', 'wp' ); define( 'DB_USER', 'root' ); define( 'DB_PASSWORD', '' );
define( 'DB_HOST', 'localhost:%(socket)s' ); define( 'DB_CHARSET', 'utf8mb4' ); define( 'DB_COLLATE', '' );
define( 'WP_HTTP_BLOCK_EXTERNAL', true ); define( 'DISABLE_WP_CRON', true );
define( 'WP_HOME', '%(url)s' ); define( 'WP_SITEURL', '%(url)s' ); define( 'WP_DEBUG', false );
foreach ( [ 'AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT',
            'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT' ] as $name ) { define( $name, '%(key)s' ); }
$table_prefix = 'wp_';
if ( !defined( 'ABSPATH' ) ) { define( 'ABSPATH', __DIR__ . '/' ); }
require_once ABSPATH . 'wp-settings.php';
"""
# As the admin pages do it: the site, the pictures with their sizes, one post that shows them.
_FILL: Final = r"""<?php
$db = new mysqli( 'localhost', 'root', '', '', 0, $argv[1] );
$db->query( 'CREATE DATABASE wp' );
define( 'WP_INSTALLING', true );
$_SERVER['HTTP_HOST'] = parse_url( $argv[2], PHP_URL_HOST );
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
require_once ABSPATH . 'wp-admin/includes/image.php';
function wp_new_blog_notification() {} // no mail
wp_install( 'Pictures', 'admin', 'admin@example.org', true, '', $argv[3] );
$content = '';
foreach ( array_slice( $argv, 4 ) as $file ) {
    $kept = wp_upload_bits( basename( $file ), null, file_get_contents( $file ) );
    $about = [ 'post_mime_type' => 'image/jpeg', 'post_title' => basename( $file, '.jpg' ) ];
    $id = wp_insert_attachment( $about, $kept['file'] );
    wp_update_attachment_metadata( $id, wp_generate_attachment_metadata( $id, $kept['file'] ) );
    [ $src, $width, $height ] = wp_get_attachment_image_src( $id, 'medium' );
    if ( $content === '' ) { $content = "<p><img src=\"$src\" alt=\"Alone\"></p>"; continue; }
    $content .= "<!-- wp:image {\"id\":$id,\"sizeSlug\":\"medium\"} -->\n<figure class=\"wp-block-image "
        . "size-medium\"><img src=\"$src\" alt=\"A cat\" class=\"wp-image-$id\" width=\"$width\" "
        . "height=\"$height\"/></figure>\n<!-- /wp:image -->\n";
}
echo wp_insert_post( [ 'post_title' => 'Cats', 'post_content' => wp_slash( $content ), 'post_status' => 'publish' ] );
"""


@dataclass(frozen=True)
class WordPress:
    """Where its post is."""

    url: str
    post: str


def missing() -> str:
    """What is not there, as a reason for skipping; empty where all is there."""
    if not (UNPACKED / "wordpress" / "wp-settings.php").exists():
        return "Debian's package wordpress is not unpacked in .venv"
    if not _SERVER.exists():
        return "Debian's package mariadb-server-core is not installed"
    php = shutil.which("php")
    if php is None:
        return "Debian's package php-cli is not installed"
    loaded = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.lower()
    lacking = [name for name in ("mysqli", "gd") if name not in loaded.split()]
    return f"PHP lacks {', '.join(lacking)}" if lacking else ""


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
    return target


@contextmanager
def wordpress(root: Path, pictures: Sequence[Path]) -> Iterator[WordPress]:
    """A site whose one post shows these JPEG files, each as a medium-sized copy.

    The first one stands there without the mark that lets WordPress add a srcset.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    socket = root / "db.sock"
    data, site = root / "db", root / "site"
    data.mkdir(parents=True)
    # A copy: PHP takes a link's own place for that of the code, and uploads lie beside it.
    shutil.copytree(
        UNPACKED / "wordpress", site, copy_function=_link, ignore=shutil.ignore_patterns("*.js"),
        ignore_dangling_symlinks=True,
    )  # fmt: skip
    (site / "wp-config.php").unlink(missing_ok=True)
    config = {"socket": socket, "url": url, "key": secrets.token_hex(16)}
    (site / "wp-config.php").write_text(_CONFIG % config)
    (site / "fill.php").write_text(_FILL)
    # Without its tables of users nobody needs a password, and it is there in a second.
    serve_data = [
        str(_SERVER), "--no-defaults", f"--datadir={data}", f"--socket={socket}", "--user=root",
        "--skip-networking", "--skip-grant-tables", "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=4M", "--skip-log-bin",
    ]  # fmt: skip
    php = shutil.which("php") or "php"
    libraries = ["-d", f"include_path=.:{UNPACKED / 'php'}", "-d", "display_errors=0"]
    with running(serve_data, socket, root / "db.log", {}):
        filled = subprocess.run(
            [php, *libraries, str(site / "fill.php"), str(socket), url, secrets.token_hex(8),
             *map(str, pictures)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert filled.stdout.strip().isdigit(), f"{filled.stdout[-1500:]}{filled.stderr[-1500:]}"
        serve = [php, *libraries, "-S", f"127.0.0.1:{port}", "-t", str(site)]
        with running(serve, port, root / "php.log", {"PHP_CLI_SERVER_WORKERS": "2"}):
            yield WordPress(url, f"{url}/?p={filled.stdout.strip()}")
