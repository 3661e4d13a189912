"""Nobody but the person who holds the token, in the studio's own page, gets an answer."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from pixtrawl.studio.http.access import SECURITY_HEADERS
from pixtrawl.studio.http.static import WEB
from tests.pipeline.pictures import saved, scene, serving
from tests.studio.client import Client, studio_on

PATHS = ["/", "/api/state", "/api/events", "/static/app.js", "/enter.js", "/nothing", "/api/sets/x"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    from tests.life.sets import pets

    with serving(saved(scene, 30)) as host, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        root = pets(tmp_path_factory.mktemp("data"), host)
        with studio_on(root) as client:
            yield client


@pytest.mark.parametrize("path", [*PATHS, "/?token=wrong", "/?token=", "/?token=a&token=b"])
def test_without_the_token_nothing_is_answered_and_nothing_redirected(
    shared: Client, path: str
) -> None:
    reply = shared.get(path, headers={"Cookie": None})
    assert reply.status >= 400
    assert "location" not in reply.headers
    assert "set-cookie" not in reply.headers
    assert "error" in reply.json()


@pytest.mark.parametrize(
    "cookie",
    ["pixtrawl=1", "pixtrawl-000000000000=abc", "{name}=wrong", "{name}=", "{name}", "=;=;,"],
)
def test_a_cookie_of_another_instance_or_value_is_refused(shared: Client, cookie: str) -> None:
    name = shared.cookie.partition("=")[0]
    reply = shared.get("/api/state", headers={"Cookie": cookie.format(name=name)})
    assert reply.status == 401


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil:{port}",
     "127.0.0.1:{port}.evil", "[::1]", "0.0.0.0:{port}", "2130706433:{port}", "", None],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/state", "/api/events", "/?token={token}"])
def test_a_foreign_host_name_is_refused_even_with_token_and_cookie(
    shared: Client, host: str | None, path: str
) -> None:
    """A page of another name that is rebound to 127.0.0.1 reaches the port, but not the studio."""
    named = None if host is None else host.format(port=shared.port)
    reply = shared.get(path.format(token=shared.token), headers={"Host": named})
    assert reply.status >= 400
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},  # another loopback port: same site, another origin
        {"Origin": "https://127.0.0.1:{port}"},
        {"Origin": "http://localhost:{port}"},  # the request names 127.0.0.1 as its host
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/state", "/api/events", "/static/app.js"])
def test_requests_of_other_sites_are_refused_event_stream_included(
    shared: Client, headers: dict[str, str], path: str
) -> None:
    sent = {name: value.format(port=shared.port) for name, value in headers.items()}
    assert shared.get(path, headers=sent).status == 403


@pytest.mark.parametrize("sent", [{}, {"Sec-Fetch-Mode": "cors"}, {"Accept": "text/event-stream"}])
def test_the_event_stream_is_refused_to_who_has_the_cookie_but_does_not_say_where_it_comes_from(
    shared: Client, sent: dict[str, str | None]
) -> None:
    for path in ("/api/events", f"/api/events?set={shared.set_id}"):
        reply = shared.get(path, headers={**sent, "Origin": None})
        assert reply.status == 403
        assert "own page" in reply.json()["error"]
    assert shared.get("/api/state").status == 200, "other answers need the cookie alone"


@pytest.mark.parametrize(
    "sent", [{"Origin": "http://127.0.0.1:{port}"}, {"Sec-Fetch-Site": "same-origin"}]
)
def test_the_event_stream_is_open_to_the_page_itself(shared: Client, sent: dict[str, str]) -> None:
    with closing(HTTPConnection("127.0.0.1", shared.port, timeout=60)) as connection:
        own = {name: value.format(port=shared.port) for name, value in sent.items()}
        connection.request("GET", "/api/events", headers={"Cookie": shared.cookie, **own})
        reply = connection.getresponse()
        assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (
            200, "text/event-stream",
        )  # fmt: skip


def test_a_link_elsewhere_may_open_the_page_with_the_token_but_not_embed_it(
    shared: Client,
) -> None:
    path = f"/?token={shared.token}"
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    opened = shared.get(path, headers={**link, "Sec-Fetch-Dest": "document", "Cookie": None})
    assert opened.status == 200
    assert re.search(r"HttpOnly.*SameSite=strict", opened.headers["set-cookie"], re.IGNORECASE)
    assert b'<script src="/enter.js">' in opened.body
    assert shared.token.encode() not in opened.body
    assert shared.get(path, headers={**link, "Sec-Fetch-Dest": "iframe"}).status == 403
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert shared.get(path, headers={**fetched, "Sec-Fetch-Dest": "script"}).status == 403


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "",
     "text/plain; application/json", None],
)  # fmt: skip
def test_only_json_bodies_are_read(shared: Client, kind: str | None) -> None:
    reply = shared.ask("POST", shared.of_set("/undo"), raw=b"{}", headers={"Content-Type": kind})
    assert reply.status == 415


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"\xff"', b"null", b'{"kind": "images", "more": 1}', b"1" * 100]
)
def test_a_body_that_is_not_understood_is_refused_with_a_sentence(
    shared: Client, body: bytes
) -> None:
    reply = shared.ask("POST", shared.of_set("/views"), raw=body)
    assert reply.status == 400
    assert "not understood" in reply.json()["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd",
        "/static/..\\app.py", "/static/.hidden.js", "/static/x%00.js", "/static/", "/static/app.py",
        "/static/%2e%2e%2f%2e%2e%2fpyproject.toml.js", "/static/C:/x.js",
    ],
)  # fmt: skip
def test_no_file_outside_of_the_page_is_served(shared: Client, path: str) -> None:
    reply = shared.get(path)
    assert reply.status == 404
    assert b"import" not in reply.body


def test_a_link_out_of_the_page_is_not_followed(shared: Client, tmp_path: Path) -> None:
    from pixtrawl.studio.http.static import page_file
    from pixtrawl.studio.messages import StudioError

    (tmp_path / "web").mkdir()
    (tmp_path / "secret.js").write_text("secret")
    (tmp_path / "web/link.js").symlink_to(tmp_path / "secret.js")
    (tmp_path / "web/app.js").write_text("fine")
    with pytest.raises(StudioError, match="no such file"):
        page_file("link.js", tmp_path / "web")
    assert page_file("app.js", tmp_path / "web").status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/state", "/nothing", "/static/x.js"])
def test_every_answer_has_the_security_headers(shared: Client, path: str) -> None:
    for cookie in (shared.cookie, None):
        headers = shared.get(path, headers={"Cookie": cookie}).headers
        for name in SECURITY_HEADERS:
            assert name.lower() in headers
    policy = shared.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "access-control-allow-origin" not in shared.get("/api/state").headers


def test_two_instances_have_cookies_of_their_own(root: Path, shared: Client) -> None:
    with studio_on(root) as other:
        assert other.cookie.partition("=")[0] != shared.cookie.partition("=")[0]
        assert other.get("/api/state", headers={"Cookie": shared.cookie}).status == 401


def test_it_listens_on_loopback_only(shared: Client) -> None:
    listening = [
        line.split()[1]
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{shared.port:04X}")
    ]
    assert listening == [f"0100007F:{shared.port:04X}"]


def test_a_page_without_its_scripts_names_the_next_step(shared: Client) -> None:
    if (WEB / "vendor").is_dir():
        pytest.skip("the scripts are here")
    assert "make setup" in shared.get("/static/vendor/preact.js").json()["error"]


def test_a_body_that_is_announced_too_large_is_refused_before_it_is_sent(shared: Client) -> None:
    sent = {"Content-Type": "application/json", "Content-Length": "99999999999"}
    reply = shared.ask("POST", shared.of_set("/decisions"), headers=dict(sent))
    assert reply.status == 413


def test_a_connection_that_ends_within_a_body_leaves_no_traceback(
    shared: Client, caplog: pytest.LogCaptureFixture
) -> None:
    head = (
        f"POST {shared.of_set('/decisions')} HTTP/1.1\r\nHost: 127.0.0.1:{shared.port}\r\n"
        f"Cookie: {shared.cookie}\r\nSec-Fetch-Site: same-origin\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=10) as connection:
            connection.sendall(head.encode())
    assert shared.get("/api/state").status == 200  # it goes on, and the others were before it
    assert [one for one in caplog.records if one.levelname in {"ERROR", "CRITICAL"}] == []
