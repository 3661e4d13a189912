"""One request over TLS: which certificates are refused, and how that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.net.clients import get, reason_of

from pixtrawl.model import Reason


def test_a_certificate_nobody_vouches_for_is_refused(tls_server: Any, settings: Any) -> None:
    error = reason_of(settings(), tls_server.route("/a"))
    assert error.reason is Reason.TLS_FAILED
    assert error.detail.startswith("self-signed certificate: ")


def test_ssl_cert_file_names_the_authority(
    tls_server: Any, settings: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    url = tls_server.route("/a", body=b"safe")
    assert get(settings(), url).body == b"safe"
    assert get(settings(), tls_server.url("/a", "localhost")).body == b"safe"


def test_http2_is_offered(
    tls_server: Any, settings: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    tls_server.context.set_alpn_protocols(["h2"])
    agreed: list[object] = []

    def handler(connection: Any) -> None:
        agreed.append(connection.sock.selected_alpn_protocol())
        connection.hang_up()

    tls_server.on("*", handler)
    assert reason_of(settings(), tls_server.url("/a")).reason is Reason.PROTOCOL_ERROR
    assert agreed[0] == "h2"
