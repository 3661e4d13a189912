"""Trusted CA certificates: those named in the environment, else the system's."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from pixtrawl.errors import UsageError

__all__ = ["VARIABLES", "Trust", "trusted"]

# OpenSSL's own, then those of curl and requests. All that are set are used together.
VARIABLES: Final = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR")
_FILES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_BEGIN: Final = b"-----BEGIN "
_HASHED: Final = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class Trust(Struct, frozen=True):
    """CA options for libcurl; `origin` names the variables used, empty for the system's store."""

    file: str = ""  # a bundle; parsed once for the whole run
    folder: str = ""  # certificates under their hashes; several are joined as OpenSSL joins them
    pem: bytes = b""  # instead of a bundle, where there are several
    origin: tuple[str, ...] = ()


def trusted(environment: Mapping[str, str] = os.environ) -> Trust | None:
    """Return the certificates named in the environment; None to use the system's own store.

    The pycurl wheel has only one distribution's path built in. Raises UsageError for a named file
    or folder that cannot be used.
    """
    named = [(name, environment[name]) for name in VARIABLES if environment.get(name)]
    files: dict[Path, None] = {}
    hashed: dict[str, None] = {}
    for name, text in named:
        for path in text.split(os.pathsep) if name == "SSL_CERT_DIR" else [text]:
            found, is_hashed = _read(name, Path(path))
            files.update(dict.fromkeys(found))
            if is_hashed:
                hashed[path] = None
    if not named:
        known = (ssl.get_default_verify_paths().cafile, *_FILES)
        bundle = next((path for path in known if path and Path(path).is_file()), None)
        return None if bundle is None else Trust(bundle)
    # Prefer a bundle beside hashed certificates: with a folder libcurl cannot cache.
    lying = {file.parent for file in files}
    folders = [path for path in hashed if Path(path).resolve() not in lying]
    single = str(next(iter(files))) if len(files) == 1 else ""
    pem = b"" if single else b"\n".join(file.read_bytes() for file in files)
    origin = tuple(name for name, _ in named)
    return Trust(single, os.pathsep.join(folders), pem, origin)


def _read(name: str, path: Path) -> tuple[list[Path], bool]:
    """Return the certificate files at a path, and whether it is a folder of hashed names."""
    try:
        if not path.is_dir():
            if _BEGIN not in path.read_bytes():
                raise UsageError(f"{name}: {path}: holds no certificate in PEM form")
            return [path.resolve()], False
        if any(_HASHED.fullmatch(name) for name in os.listdir(path)):  # noqa: PTH208 - names will do
            return [], True
        files = sorted(one for one in path.iterdir() if one.is_file())
        found = [one.resolve() for one in files if _BEGIN in one.read_bytes()]
        if not found:
            raise UsageError(f"{name}: {path}: a folder without certificates in PEM form")
        return found, False
    except OSError as error:
        reason = error.strerror or error
        raise UsageError(f"{name}: {path}: {reason}; correct or unset it") from None
