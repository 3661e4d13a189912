"""A real MediaWiki from Debian's packages, with SQLite, filled with pictures.

Needs mediawiki, php-cli, php-sqlite3, php-gd, php-mbstring, php-xml, php-intl. The installed code is
used where it lies; everything that is written goes into one folder.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from tests.realparts.processes import free_port, running

CODE: Final = Path("/usr/share/mediawiki")
_MODULES: Final = ("sqlite3", "gd", "mbstring", "xml", "intl")

# Artist and licence come on Commons from an extension that Debian does not have: here from EXIF.
_SETTINGS: Final = r"""
$wgEnableUploads = true;
$wgUploadDirectory = "%(root)s/images";
$wgUploadPath = "/images";
$wgUseImageMagick = false;
$wgMainCacheType = CACHE_NONE;
$wgFileExtensions = [ "png", "gif", "jpg", "jpeg", "webp" ];
$wgNamespacesToBeSearchedDefault[NS_FILE] = true;
$wgHooks["GetExtendedMetadata"][] = function ( &$all, $file ) {
    $meta = $file->getCommonMetaArray() ?: [];
    foreach ( [ "Artist" => "Artist", "Copyright" => "LicenseShortName" ] as $from => $to ) {
        if ( isset( $meta[$from] ) ) {
            $all[$to] = [ "value" => $meta[$from], "source" => "file-metadata" ];
        }
    }
};
"""
# php's own server knows nothing of $wgUploadPath.
_ROUTER: Final = r"""<?php
$path = rawurldecode( parse_url( $_SERVER["REQUEST_URI"], PHP_URL_PATH ) );
if ( strncmp( $path, "/images/", 8 ) !== 0 || strpos( $path, ".." ) !== false ) { return false; }
$file = __DIR__ . $path;
if ( !is_file( $file ) ) { http_response_code( 404 ); return true; }
header( "Content-Type: " . mime_content_type( $file ) );
readfile( $file );
return true;
"""


@dataclass(frozen=True)
class MediaWiki:
    """Where it is, and the names of its files."""

    url: str
    names: tuple[str, ...]


def missing() -> str:
    """What is not installed, as a reason for skipping; empty where all is there."""
    if not (CODE / "api.php").exists():
        return "Debian's package mediawiki is not installed"
    php = shutil.which("php")
    if php is None:
        return "Debian's package php-cli is not installed"
    loaded = subprocess.run([php, "-m"], capture_output=True, text=True, check=True).stdout.lower()
    lacking = [f"php-{name}" for name in _MODULES if name not in loaded.split()]
    return f"not installed: {', '.join(lacking)}" if lacking else ""


def draw(folder: Path, words: str, count: int) -> tuple[str, ...]:
    """Pictures `Words NN.jpg` with artist and licence in their EXIF, and the text of their pages."""
    names = []
    for number in range(count):
        picture = Image.effect_noise((120, 90), 20 + number).convert("RGB")
        picture.paste((number * 4 % 256, 200 - number * 3, number * 7 % 256), (0, 0, 60, 45))
        exif = Image.Exif()
        exif[0x013B] = "Ann Example"
        exif[0x8298] = "CC BY-SA 4.0"
        name = f"{words} {number:02}.jpg"
        picture.save(folder / name, exif=exif)
        (folder / name).with_suffix(".txt").write_text(f"A {words.lower()}, drawn.", "utf-8")
        names.append(name)
    return tuple(names)


@contextmanager
def mediawiki(root: Path, words: str, count: int) -> Iterator[MediaWiki]:
    """A wiki with `count` pictures that a search for `words` finds."""
    port = free_port()
    pictures = root / "pictures"
    for folder in (pictures, root / "db", root / "conf", root / "images"):
        folder.mkdir(parents=True)
    names = draw(pictures, words, count)
    php = shutil.which("php") or "php"

    def maintain(script: str, *arguments: str, **env: str) -> None:
        done = subprocess.run(
            [php, str(CODE / "maintenance" / script), *arguments],
            capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **env},
        )  # fmt: skip
        assert done.returncode == 0, f"{script}: {done.stdout[-1500:]}{done.stderr[-1500:]}"

    maintain(
        "install.php", "--dbtype", "sqlite", "--dbname", "wiki", "--dbpath", str(root / "db"),
        "--confpath", str(root / "conf"), "--server", f"http://127.0.0.1:{port}",
        "--scriptpath", "", "--lang", "en", "--pass", secrets.token_urlsafe(16), "Wiki", "Admin",
    )  # fmt: skip
    conf = root / "conf" / "LocalSettings.php"
    with conf.open("a") as file:
        file.write(_SETTINGS % {"root": root})
    (root / "router.php").write_text(_ROUTER)
    env = {"MW_CONFIG_FILE": str(conf)}
    maintain("importImages.php", "--comment-ext=txt", "--user", "Admin", str(pictures), **env)
    maintain("runJobs.php", **env)  # a file is found only after this
    serve = [php, "-S", f"127.0.0.1:{port}", "-t", str(CODE), str(root / "router.php")]
    with running(serve, port, root / "php.log", {**env, "PHP_CLI_SERVER_WORKERS": "3"}):
        yield MediaWiki(f"http://127.0.0.1:{port}", names)
