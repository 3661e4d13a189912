"""Map libcurl's error codes to `FetchError`. Pure."""

from __future__ import annotations

from typing import Final

import pycurl

from pixtrawl.errors import FetchError
from pixtrawl.model import Reason

__all__ = ["failure", "tls_cause"]

_E_PROXY: Final = 97  # CURLE_PROXY, _TOO_LARGE: not named by the binding
_E_HTTP2_STREAM: Final = 92

_REASONS: Final = {
    pycurl.E_URL_MALFORMAT: Reason.BAD_URL,
    pycurl.E_COULDNT_RESOLVE_HOST: Reason.DNS_FAILED,
    pycurl.E_COULDNT_RESOLVE_PROXY: Reason.PROXY_FAILED,
    _E_PROXY: Reason.PROXY_FAILED,
    pycurl.E_COULDNT_CONNECT: Reason.CONNECT_FAILED,
    pycurl.E_FILESIZE_EXCEEDED: Reason.TOO_MANY_BYTES,
    pycurl.E_PARTIAL_FILE: Reason.BODY_INCOMPLETE,
    pycurl.E_SSL_CONNECT_ERROR: Reason.TLS_FAILED,
    pycurl.E_SSL_CERTPROBLEM: Reason.TLS_FAILED,
    pycurl.E_SSL_CIPHER: Reason.TLS_FAILED,
    pycurl.E_PEER_FAILED_VERIFICATION: Reason.TLS_FAILED,
    pycurl.E_SSL_CACERT_BADFILE: Reason.TLS_FAILED,
    pycurl.E_SSL_ISSUER_ERROR: Reason.TLS_FAILED,
    pycurl.E_SSL_INVALIDCERTSTATUS: Reason.TLS_FAILED,
    pycurl.E_SSL_ENGINE_INITFAILED: Reason.TLS_FAILED,
    pycurl.E_OUT_OF_MEMORY: Reason.INTERNAL_ERROR,
    pycurl.E_FAILED_INIT: Reason.INTERNAL_ERROR,
}
# The connection broke: the reason depends on whether the body had begun.
_BROKEN: Final = frozenset({
    pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR, pycurl.E_GOT_NOTHING, pycurl.E_HTTP2,
    _E_HTTP2_STREAM,
})  # fmt: skip
_CONNECTING: Final = (
    "Connection timed out", "Connection timeout", "SSL connection timeout", "Proxy CONNECT aborted",
)  # fmt: skip


def failure(code: int, message: str, *, answered: bool, proxied: bool) -> FetchError:
    """Return the error for libcurl's code.

    Args:
        code: CURLcode, not 0.
        message: libcurl's text; it distinguishes the phases of a time-out, which share one code.
        answered: whether the final headers had arrived.
        proxied: whether the connection went to a proxy.
    """
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return FetchError(_timeout(message), message)
    if "CONNECT tunnel failed" in message:
        return FetchError(Reason.PROXY_FAILED, message)
    if code in _BROKEN:
        return FetchError(Reason.BODY_INCOMPLETE if answered else Reason.PROTOCOL_ERROR, message)
    reason = _REASONS.get(code, Reason.PROTOCOL_ERROR)
    if proxied and reason is Reason.CONNECT_FAILED:
        reason = Reason.PROXY_FAILED
    if reason is Reason.TLS_FAILED:
        message = f"{tls_cause(message)}: {message}"
    return FetchError(reason, message)


# Parts of certificate errors of OpenSSL, GnuTLS, Schannel and Secure Transport.
_TLS_CAUSES: Final = (
    (("self-signed certificate in", "self signed certificate in"), "unknown issuer"),
    (("self-signed", "self signed"), "self-signed certificate"),
    (("expired",), "expired certificate"),
    (("not yet valid", "not activated"), "certificate not valid yet"),
    (("subject name", "does not match", "no alternative", "wrong principal", "hostname mismatch"),
     "certificate of another host name"),
    (("revoked",), "revoked certificate"),
    (("local issuer", "unable to verify the first", "issuer", "untrusted", "unknown ca",
      "not trusted"), "unknown issuer"),
)  # fmt: skip


def tls_cause(message: str) -> str:
    """Return in a few words why the TLS connection failed."""
    text = message.lower()
    for parts, cause in _TLS_CAUSES:
        if any(part in text for part in parts):
            return cause
    return "certificate refused" if "certificate" in text else "no common TLS protocol"


def _timeout(message: str) -> Reason:
    if message.startswith("Resolving timed out"):
        return Reason.DNS_FAILED
    if "too slow" in message:
        return Reason.TOO_SLOW
    if message.startswith(_CONNECTING):
        return Reason.CONNECT_TIMEOUT
    return Reason.DEADLINE
