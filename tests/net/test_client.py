"""One request: what comes back, and where the body goes."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.net.clients import PICTURE, get, reason_of, with_client
from tests.net.conftest import Server

from pixtrawl.errors import UsageError
from pixtrawl.net.client import Client
from pixtrawl.net.curl.failures import tls_cause
from pixtrawl.net.interface import Request


def test_a_body_comes_back_in_memory(server: Any, settings: Any) -> None:
    url = server.route("/a", body=PICTURE, Content_Type="image/jpeg")
    response = get(settings(), url)
    assert response.status == 200
    assert response.body == PICTURE
    assert response.head == PICTURE[:2048]
    assert response.headers["content-type"] == "image/jpeg"
    assert response.size_bytes == len(PICTURE)
    assert response.url == url
    assert response.elapsed_s > 0


def test_a_loop_that_cannot_watch_sockets_is_served_by_a_timer(
    server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = server.route("/a", body=PICTURE)
    monkeypatch.setattr("pixtrawl.net.curl.loop._can_watch", lambda _loop: False)
    assert get(settings(), url).body == PICTURE


def test_a_connection_is_used_again(server: Any, settings: Any) -> None:
    url = server.route("/a", body=b"x")

    async def use(client: Client) -> None:
        for _ in range(5):
            await client.transfer(Request(url=url))

    with_client(settings(), use)
    assert server.connections == 1


def test_redirects_are_answers_and_not_followed(server: Any, settings: Any) -> None:
    url = server.route("/a", 302, Location="/b")
    response = get(settings(), url)
    assert (response.status, response.headers["location"]) == (302, "/b")
    assert server.paths() == ["/a"]


def test_an_interim_answer_is_not_the_answer(server: Any, settings: Any) -> None:
    def handler(connection: Any) -> None:
        connection.send(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        connection.reply(200, b"real")

    response = get(settings(), server.on("/a", handler))
    assert (response.status, response.body) == (200, b"real")
    assert "link" not in response.headers


def test_a_status_line_needs_no_words(server: Any, settings: Any, staging: Path) -> None:
    def handler(connection: Any) -> None:
        connection.send(b"HTTP/1.1 200\r\nContent-Length: 2\r\nX: y\r\n\r\nok")

    response = get(settings(), server.on("/a", handler), staging)
    assert (response.status, response.size_bytes, response.headers["x"]) == (200, 2, "y")


def test_repeated_headers_are_joined(server: Any, settings: Any) -> None:
    def handler(connection: Any) -> None:
        connection.send(
            b"HTTP/1.1 200 OK\r\nVary: a\r\nVary: b\r\nSet-Cookie: x=1, 2\r\nSet-Cookie: y=2\r\n"
            b"Content-Length: 0\r\n\r\n"
        )

    headers = get(settings(), server.on("/a", handler)).headers
    assert headers["vary"] == "a, b"
    assert headers["set-cookie"] == "x=1, 2\ny=2"


def test_our_name_and_given_headers_go_along_once(server: Any, settings: Any) -> None:
    url = server.route("/a")

    async def use(client: Client) -> None:
        await client.transfer(Request(url=url, headers={"Referer": "http://p/", "X-Empty": ""}))
        await client.transfer(Request(url=url))

    with_client(settings(user_agent="pixtrawl/9 (+mailto:a@b)"), use)
    first, second = (connection.headers for connection in server.seen)
    assert first["user-agent"] == second["user-agent"] == "pixtrawl/9 (+mailto:a@b)"
    assert first["referer"] == "http://p/"
    assert first["x-empty"] == ""
    assert "referer" not in second


def test_a_header_value_cannot_smuggle_in_another(server: Any, settings: Any) -> None:
    get(settings(), server.route("/a"), headers={"Referer": "x\r\nX-Evil: 1"})
    assert "x-evil" not in server.seen[0].headers


def test_a_post_carries_its_body_and_the_next_request_is_a_plain_get(
    server: Any, settings: Any
) -> None:
    url = server.route("/a")

    async def use(client: Client) -> None:
        await client.transfer(Request(url=url, method="POST", body=b"k=v"))
        await client.transfer(Request(url=url))

    with_client(settings(), use)
    assert [(seen.method, seen.body) for seen in server.seen] == [("POST", b"k=v"), ("GET", b"")]


def test_spaces_and_other_letters_in_a_url_are_escaped(server: Any, settings: Any) -> None:
    server.route("*", body=b"x")
    get(settings(), server.url("/ä b/../c%2F d?q=ü#part"))
    assert server.paths() == ["/c%2F%20d?q=%C3%BC"]


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors in /proc")
def test_nothing_stays_open(server: Any, settings: Any, staging: Path) -> None:
    url = server.route("/a", body=PICTURE)

    def open_descriptors() -> list[str]:
        links = [entry for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink()]
        return [entry.name for entry in links if not str(entry.readlink()).startswith("/proc")]

    async def main() -> tuple[list[str], list[str]]:
        before = open_descriptors()
        client = Client(settings(), staging=staging)
        await asyncio.gather(
            *(client.transfer(Request(url=url), stage_as=f"f{i}") for i in range(8))
        )
        server.close()  # so that its ends of the connections do not count
        await client.aclose()
        return before, open_descriptors()

    before, after = asyncio.run(main())
    assert len(after) <= len(before)


def test_cookies_go_to_their_own_host_only(
    server: Any, other_server: Any, settings: Any, tmp_path: Path
) -> None:
    jar = tmp_path / "cookies.txt"
    jar.write_text(
        "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t4000000000\tsid\tsecret\n"
    )

    async def use(client: Client) -> None:
        await client.transfer(Request(url=server.route("/a")))
        await client.transfer(Request(url=other_server.route("/a")))

    with_client(settings(cookies=str(jar)), use)
    assert server.seen[0].headers["cookie"] == "sid=secret"
    assert "cookie" not in other_server.seen[0].headers


@pytest.mark.parametrize("content", [None, "no cookies here\n"])
def test_a_cookie_file_that_cannot_be_used_is_reported(
    settings: Any, tmp_path: Path, content: str | None
) -> None:
    jar = tmp_path / "cookies.txt"
    if content is not None:
        jar.write_text(content)
    with pytest.raises(UsageError, match=r"cookies\.txt"):
        Client(settings(cookies=str(jar)))


def test_a_certificate_of_another_host_name_is_reported_as_such(
    settings: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with closing(Server(host="127.0.0.2", context=context)) as elsewhere:
        error = reason_of(settings(), elsewhere.route("/a", body=b"x"))
    assert error.detail.startswith("certificate of another host name: ")


@pytest.mark.parametrize(
    ("said", "cause"),
    [
        ("SSL certificate problem: self-signed certificate", "self-signed certificate"),
        ("SSL certificate problem: self signed certificate", "self-signed certificate"),
        ("SSL certificate problem: self-signed certificate in certificate chain", "unknown issuer"),
        ("SSL certificate problem: unable to get local issuer certificate", "unknown issuer"),
        ("SSL certificate problem: certificate has expired", "expired certificate"),
        ("SSL certificate problem: certificate is not yet valid", "certificate not valid yet"),
        (
            "SSL: no alternative certificate subject name matches target host name 'a.test'",
            "certificate of another host name",
        ),
        (
            "SSL: certificate subject name 'b.test' does not match target hostname 'a.test'",
            "certificate of another host name",
        ),
        ("SSL certificate problem: certificate revoked", "revoked certificate"),
        ("server certificate verification failed", "certificate refused"),
        ("TLS connect error: error:0A00042E:SSL routines::tlsv1 alert protocol version",
         "no common TLS protocol"),
    ],
)  # fmt: skip
def test_the_cause_of_a_failed_secure_connection_is_reported_in_few_words(
    said: str, cause: str
) -> None:
    assert tls_cause(said) == cause


def test_letters_beyond_ascii_go_out_as_utf_8_on_one_line(
    server: Any, settings: Any, tmp_path: Path
) -> None:
    url = server.route("/a")
    jar = tmp_path / "cookies.txt"
    jar.write_text("127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tK\u00e4se \u732b\n", "utf-8")
    agent = "pixtrawl/9 (+mailto:j\u00fcrgen@k\u00e4se.example)\r\nX-Evil: 1"

    async def use(client: Client) -> None:
        await client.transfer(Request(url=url, headers={"X-Name": "\u732b\0"}))

    with_client(settings(user_agent=agent, cookies=str(jar)), use)
    (seen,) = server.seen
    sent = {name: text.encode("latin-1").decode() for name, text in seen.headers.items()}
    assert sent["cookie"] == "name=K\u00e4se \u732b"
    assert sent["user-agent"] == "pixtrawl/9 (+mailto:j\u00fcrgen@k\u00e4se.example)  X-Evil: 1"
    assert sent["x-name"].strip() == "\u732b"
    assert "x-evil" not in sent
