"""Options that an easy handle keeps for all its transfers, and text as libcurl wants it."""

from __future__ import annotations

import os
import re
from typing import Any, Final

import pycurl

from pixtrawl.config.groups import Fetch
from pixtrawl.config.user_agent import user_agent
from pixtrawl.net.coding import OFFERED
from pixtrawl.net.open_files import close_on_exec
from pixtrawl.net.trust import Trust

__all__ = ["header_line", "lasting_options"]

_BUFFER_BYTES: Final = 128 * 1024  # fewer, larger pieces: a callback costs more than its bytes
_LINE_ENDS: Final = re.compile("[\r\n\0]")


def lasting_options(fetch: Fetch, trust: Trust | None, cookies: Any) -> dict[int, Any]:
    """Return the options by number; `cookies` is a CurlShare that holds them, or None."""
    slow = fetch.limit_rate_bytes_s is None
    options: dict[int, Any] = {
        pycurl.NOSIGNAL: 1,
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.FOLLOWLOCATION: 0,  # net.redirects checks every hop
        pycurl.PATH_AS_IS: 1,  # dot segments are already resolved, by the URL standard
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS,
        pycurl.ENCODING: OFFERED,
        pycurl.HTTP_CONTENT_DECODING: 0,  # net.coding does it, as browsers do
        pycurl.USERAGENT: _one_line(user_agent(fetch)),
        pycurl.CONNECTTIMEOUT_MS: max(1, int(fetch.connect_timeout_s * 1000)),
        # With --limit-rate a low speed is not the host's fault.
        pycurl.LOW_SPEED_LIMIT: fetch.min_speed_bytes_s if slow else 0,
        pycurl.LOW_SPEED_TIME: fetch.min_speed_window_s if slow else 0,
        pycurl.BUFFERSIZE: _BUFFER_BYTES if slow else 16 * 1024,
        pycurl.PROXY: "",  # net.proxy chooses: libcurl must not read the environment
        pycurl.SOCKOPTFUNCTION: close_on_exec,
    }
    if trust is None:
        options[pycurl.SSL_OPTIONS] = pycurl.SSLOPT_NATIVE_CA
    else:
        if trust.pem:
            options[pycurl.CAINFO_BLOB] = trust.pem
        elif trust.file:
            options[pycurl.CAINFO] = os.fsencode(trust.file)
        if trust.folder:
            options[pycurl.CAPATH] = os.fsencode(trust.folder)
    if cookies is not None:
        options[pycurl.SHARE] = cookies
        options[pycurl.COOKIEFILE] = ""
    return options


def header_line(name: str, value: str) -> bytes:
    """Return a request header's line."""
    text = f"{name}: {value}" if value else f"{name};"  # libcurl's way to send an empty one
    return _one_line(text)


def _one_line(text: str) -> bytes:
    """Encode for libcurl (ASCII as text, all else as UTF-8 bytes), without line breaks."""
    return _LINE_ENDS.sub(" ", text).encode("utf-8", "replace")
