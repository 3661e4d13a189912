"""`pixtrawl doctor` tries the network truly: names, then connections, within a bounded time."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.config.groups import Config, Fetch
from pixtrawl.net.trust import VARIABLES
from pixtrawl.operations import checks as checks_of, network_checks
from pixtrawl.operations.check import FAIL, OK, Check


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return int(held.getsockname()[1])


def checks(config: Config) -> dict[str, Check]:
    return {check.name: check for check in network_checks.network(config)}


def answering(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """Every name leads to this computer, and every connection to one port of it."""

    def found(host: str, *more: Any, **others: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    monkeypatch.setattr(network_checks, "_PORTS", {"http": port, "https": port})


def test_every_default_source_is_connected_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    answering(monkeypatch, port)
    found = checks(Config())
    assert list(found) == [f"network {n}" for n in ("bing", "openverse", "wikimedia", "ecosia")]
    assert {one.status for one in found.values()} == {OK}
    assert "127.0.0.1" in found["network bing"].detail


def test_without_a_name_server_each_source_fails_and_the_next_step_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*words: Any, **more: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", none)
    found = checks(Config())
    assert {one.status for one in found.values()} == {FAIL}
    assert "www.bing.com is not found by the name server" in found["network bing"].detail
    assert "none of the chosen sources can be reached" in found["network"].detail
    assert "--proxy" in found["network"].next_step
    assert all(one.next_step for one in found.values())


@pytest.mark.timeout(60)
def test_a_silent_name_server_holds_the_doctor_up_for_its_limit_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ending = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *words, **more: ending.wait(600) and [])
    monkeypatch.setattr(network_checks, "LIMIT_S", 0.5)
    found = checks(Config())
    ending.set()
    assert "within 0.5 s" in found["network bing"].detail


def test_a_server_that_refuses_is_told_apart_from_a_name_that_is_not_found(
    monkeypatch: pytest.MonkeyPatch, closed: int
) -> None:
    answering(monkeypatch, closed)
    found = checks(Config())
    assert found["network ecosia"].status == FAIL
    assert "does not answer" in found["network ecosia"].detail


def test_behind_a_proxy_it_is_the_proxy_that_is_tried(port: int, closed: int) -> None:
    good = checks(Config(fetch=Fetch(proxy=f"http://127.0.0.1:{port}")))
    assert {name: one.status for name, one in good.items()} == {"network proxy": OK}
    (bad,) = checks(Config(fetch=Fetch(proxy=f"http://127.0.0.1:{closed}"))).values()
    assert bad.status == FAIL
    assert "--proxy" in bad.next_step


def test_the_proxy_and_the_certificates_in_use_are_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "company.pem"
    file.write_text("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n")
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CURL_CA_BUNDLE", str(file))
    monkeypatch.setenv("HTTPS_PROXY", "user:SECRET@proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", ".inner.test")
    (trust,) = checks_of.certificates()
    assert (trust.status, trust.detail) == (OK, f"CURL_CA_BUNDLE: {file}")
    (proxy,) = checks_of.proxy(Config())
    assert proxy.status == OK
    assert "HTTPS_PROXY" in proxy.detail
    assert "proxy.test:3128" in proxy.detail
    assert ".inner.test" in proxy.detail
    assert "SECRET" not in proxy.detail
    monkeypatch.setenv("HTTPS_PROXY", "user:SEC#RET@proxy.test:3128")
    (proxy,) = checks_of.proxy(Config())
    assert proxy.status == FAIL
    assert "%23" in proxy.detail
    file.unlink()
    (trust,) = checks_of.certificates()
    assert trust.status == FAIL
    assert "CURL_CA_BUNDLE" in trust.detail
