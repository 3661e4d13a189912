"""A server on loopback that answers as any source would, in the behaviour that a URL names."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from tests.sources.synthetic_answers import ANSWERS, PICTURE, Synthetic, page

CONSENT_FORM = page(
    "<h1>Before you continue</h1><form method='post' action='/consent-save'>"
    "<input type='hidden' name='reject' value='1'><button>Reject all</button></form>"
)
CAPTCHA = page(
    "<h1>Confirm you’re not a robot</h1><form action='/checkcaptcha' method='post'></form>"
)
LOGIN = page("<h1>Sign in</h1><form action='/login' method='post'><input type='password'></form>")
SCRIPTS = page(
    "<noscript>Please enable JavaScript to go on</noscript><script src='/x.js'></script>"
)
WALLS = {"captcha": CAPTCHA, "login": LOGIN, "js_wall": SCRIPTS}
ANY_PAGE = Synthetic(page(f"<main><img src='{PICTURE}'></main>"), page("<p>Nothing</p>"))
REFUSALS = {"rate_limit": 429, "forbidden": 403, "broken": 500}
QUOTA = '{"error": {"code": 429, "message": "the allowance of this key is used up"}}'


class Server(ThreadingHTTPServer):
    """`{url}/<behaviour>/<source>` is the base URL of a stand-in of that source."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []
        self.cookies: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.cookies.append(self.headers.get("Cookie", ""))
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/consent-save":
            self._send("saved", cookie="consent=rejected; Path=/")
            return
        _, behaviour, source, rest = (self.path + "/").split("/", 3)
        self._behave(behaviour, source, f"/{rest}".removesuffix("/"))

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def _behave(self, behaviour: str, source: str, target: str) -> None:
        rejected = "consent=rejected" in self.headers.get("Cookie", "")
        if behaviour in REFUSALS:
            self._send("refused", REFUSALS[behaviour])
        elif behaviour == "quota":
            self._send(QUOTA, 429)
        elif behaviour in WALLS:
            self._send(WALLS[behaviour])
        elif behaviour == "challenge":
            self._send(CAPTCHA, 403)
        elif behaviour == "changed":
            self._send(page("<main>" + "<figure></figure>" * 50 + "</main>"))
        elif behaviour == "consent-stays" or (behaviour == "consent" and not rejected):
            self._send(CONSENT_FORM)
        else:
            answers = ANSWERS.get(source, ANY_PAGE)
            body = answers.nothing if behaviour == "nothing" else answers.ok
            self._send(Synthetic.text(body, target))

    def _send(self, text: str, status: int = 200, cookie: str = "") -> None:
        body = text.encode()
        kind = "application/json" if text[:1] in "{[" and text else "text/html; charset=utf-8"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if cookie:
            self.send_header("Set-Cookie", cookie)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Says nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()
