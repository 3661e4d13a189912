"""Proxies as curl, requests and browsers have them; an address that would be misread is refused."""

from __future__ import annotations

import base64
import sys
from itertools import product
from pathlib import Path
from urllib.parse import quote

import pytest
from tests import warm_command
from tests.matrices import sample
from tests.net.conftest import Connection, Server
from tests.pipeline.pictures import jpeg, scene

from pixtrawl.errors import UsageError
from pixtrawl.net.proxy import Proxies, named

PROXY = "http://proxy.test:3128"


@pytest.mark.parametrize(
    ("rules", "direct", "proxied"),
    [
        ("example.org", ["example.org", "a.b.example.org"], ["notexample.org", "example.org.uk"]),
        (".example.org", ["example.org", "www.example.org"], ["notexample.org"]),
        ("*.example.org", ["www.example.org"], ["notexample.org"]),
        ("example.org.", ["example.org"], ["org"]),
        ("EXAMPLE.ORG", ["www.example.org", "WWW.Example.Org"], ["example.com"]),
        ("*", ["example.org", "10.0.0.1", "[::1]"], []),
        ("a.test,b.test", ["a.test", "b.test"], ["c.test"]),
        (" a.test ,  b.test c.test", ["a.test", "b.test", "c.test"], ["d.test"]),
        ("a.test:8080", ["a.test:8080"], ["a.test", "a.test:81"]),
        ("a.test:80", ["a.test", "a.test:80", "x.a.test"], ["a.test:8080"]),
        ("10.0.0.0/8", ["10.1.2.3", "10.1.2.3:81"], ["11.1.2.3", "ten.test"]),
        ("10.1.2.3", ["10.1.2.3:8000"], ["10.1.2.30"]),
        ("127.0.0.1:8000", ["127.0.0.1:8000"], ["127.0.0.1"]),
        ("::1", ["[::1]", "[::1]:8000"], ["[::2]"]),
        ("[::1]", ["[::1]"], ["[::2]"]),
        ("fd00::/8", ["[fd12::1]"], ["[fe80::1]"]),
        ("<local>", ["intranet", "localhost"], ["a.test", "10.0.0.1"]),
        ("localhost", ["localhost:8000"], ["localhost.test"]),
        ("b\u00fccher.test", ["xn--bcher-kva.test"], ["buecher.test"]),
        ("", [], ["a.test"]),
        (",", [], ["a.test"]),
    ],
)
def test_what_no_proxy_names_is_asked_directly(
    rules: str, direct: list[str], proxied: list[str]
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        proxies = Proxies(None, {"http_proxy": PROXY, name: rules})
        for host in direct:
            assert proxies.for_url(f"http://{host}/1.jpg") == "", host
        for host in proxied:
            assert proxies.for_url(f"http://{host}/1.jpg") == PROXY, host


def test_the_port_of_https_is_its_own() -> None:
    proxies = Proxies(None, {"https_proxy": PROXY, "no_proxy": "a.test:443"})
    assert proxies.for_url("https://a.test/") == ""


@pytest.mark.parametrize("name", ["--proxy", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("http://us@er:SECRET@h:1", "raw @; write it as %40"),
        ("http://user:SEC@RET@h:1", "raw @; write it as %40"),
        ("http://user:SEC#RET@h:1", "raw #; write it as %23"),
        ("user:SEC/RET@h:1", "raw /; write it as %2F"),
        ("http://user:SEC?RET@h:1", "raw ?; write it as %3F"),
        ('"http://user:SECRET@h:1"', "quotation marks"),
        ("'http://user:SECRET@h:1'", "quotation marks"),
        ("http://user:SEC RET@h:1", "%20"),
        ("ftp://user:SECRET@h:1", "no kind of proxy"),
        ("http://user:SECRET@h:port", "HOST:PORT"),
        ("http://user:SECRET@", "HOST:PORT"),
    ],
)
def test_an_address_that_would_be_misread_is_refused_with_the_percent_form(
    name: str, text: str, told: str
) -> None:
    explicit = text if name == "--proxy" else None
    with pytest.raises(UsageError) as caught:
        Proxies(explicit, {} if explicit else {name: text})
    assert str(caught.value).startswith(f"{name}: ")
    assert told in str(caught.value)
    assert "SEC" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "proxy.test", "proxy.test:3128", "http://proxy.test/", "user:pw@proxy.test:3128",
        "http://user:a:b@proxy.test", "http://CORP\\user:pw@proxy.test:1", "http://[::1]:3128",
        "socks5h://127.0.0.1:1080", "http://us%40er:p%23@proxy.test", "http://user:100%@proxy.test",
        "http://user:p\u00e4ssword@proxy.test",
    ],
)  # fmt: skip
def test_what_libcurl_understands_is_left_as_it_is(text: str) -> None:
    assert Proxies(None, {"HTTP_PROXY": text}).for_url("http://a.test/") == text
    assert named({"HTTP_PROXY": text}) == {"HTTP_PROXY": text}


@pytest.fixture
def guarded(server: Server) -> Server:
    """A proxy that asks for a login and gives a picture to everybody who has one."""

    def answer(connection: Connection) -> None:
        if "robots" in connection.target:
            connection.reply(404, b"")
        elif "proxy-authorization" in connection.headers:
            connection.reply(200, jpeg(scene(1)), Content_Type="image/jpeg")
        else:
            connection.reply(407, b"login", Proxy_Authenticate="Basic realm=x")

    server.on("*", answer)
    return server


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("how", "password"),
    sample(
        product(["option", "environment"], ["p\u00e4ss-\u732b", quote("p@ss:/#w%\u00e4", safe="")]),
        4,
        3,
    ),
)
def test_the_command_logs_in_with_letters_of_any_kind(
    guarded: Server, tmp_path: Path, how: str, password: str
) -> None:
    (tmp_path / "cat.txt").write_text("http://images.example.org/1.jpg\n")
    proxy = f"http://user:{password}@127.0.0.1:{guarded.port}"
    words = ["download", "cat.txt", "-o", "set", "-q"]
    env = {"HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    if how == "option":
        words += ["--proxy", proxy]
    else:
        env["http_proxy"] = proxy
    done = warm_command.run(
        [sys.executable, "-m", "pixtrawl", *words], cwd=tmp_path, env=env, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sent = {
        base64.b64decode(one.headers["proxy-authorization"].partition(" ")[2]).decode()
        for one in guarded.seen
        if "proxy-authorization" in one.headers
    }
    wanted = "p\u00e4ss-\u732b" if "%" not in password else "p@ss:/#w%\u00e4"
    assert sent == {f"user:{wanted}"}
