"""Who may talk to the studio: the holder of its token, from its own page, on this machine.

Any page in the person's browser, and any program on the machine, can reach a loopback port. Each
request must name this server as its host (against DNS rebinding), come from its own page (against
other sites, and other loopback ports, which browsers count as the same site), and carry a cookie
that only the page opened with the token gets.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = ["SECURITY_HEADERS", "Access", "json_error"]  # fmt: skip

SECURITY_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_SAFE: Final = frozenset({"GET", "HEAD"})
# It stays open, and sends all that happens. Every browser that reads one says where it comes from;
# what does not is no page of ours, though it holds the cookie.
_STREAM: Final = "/api/events"
_HELP: Final = "open the address with its token that `pixtrawl studio` printed"
# It answers 200 and moves on by a script: a Strict cookie set on a redirect that began at a link of
# another site would not be sent along.
_ENTRANCE: Final = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>pixtrawl studio</title>'
    '<p><a href="/">Open the studio</a></p><script src="/enter.js"></script></html>'
)


def json_error(status: int, sentence: str, **more: object) -> Response:
    """Return a refusal as JSON."""
    import msgspec

    body = msgspec.json.encode({"error": sentence, **more})
    return Response(body, status, media_type="application/json")


class Access:
    """ASGI middleware that refuses every request of somebody else."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self.token = secrets.token_urlsafe(24)
        self._secret = secrets.token_urlsafe(24)
        # Cookies ignore ports: two studios would overwrite each other's.
        self._cookie = f"pixtrawl-{secrets.token_hex(6)}"
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check one request, then pass it on; answers get the security headers."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        if scope["type"] != "http":  # no part of the studio speaks over web sockets
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._answer(scope)
        await (self._app if answer is None else answer)(scope, receive, guarded)

    def _answer(self, scope: Scope) -> Response | None:
        """Return a refusal or the page that sets the cookie; None: the request may pass."""
        headers = _headers(scope)
        host = headers.get("host", "")
        if host not in self._hosts:  # repeated headers are joined, and match nothing
            return json_error(421, f"this studio does not answer for that host; {_HELP}")
        opens = self._opens(scope)
        problem = self._foreign(headers, f"http://{host}", opens=opens)
        if problem:
            return json_error(403, problem)
        if opens:
            return self._entrance()
        if not self._has_cookie(headers.get("cookie", "")):
            return json_error(401, f"no access without the token: {_HELP}")
        if scope["path"] == _STREAM and not {"origin", "sec-fetch-site"} & headers.keys():
            return json_error(403, "the event stream is for the studio's own page")
        if scope["method"] not in _SAFE:
            kind = headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                return json_error(415, "only application/json is read here")
        return None

    def _opens(self, scope: Scope) -> bool:
        """Return whether this is the address with the right token."""
        if scope["path"] != "/" or scope["method"] != "GET":
            return False
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())

    def _foreign(self, headers: Mapping[str, str], own: str, *, opens: bool) -> str:
        """Return why the request does not come from the studio's own page; "" if it does."""
        origin = headers.get("origin")
        if origin is not None and origin != own:
            return "requests of other sites are refused"
        site = headers.get("sec-fetch-site")
        if site in {None, "same-origin", "none"}:
            return ""
        navigates = headers.get("sec-fetch-mode") == "navigate"
        if opens and navigates and headers.get("sec-fetch-dest") == "document":
            return ""  # a link with the token, in a notebook or a mail
        return "requests of other sites are refused"

    def _has_cookie(self, text: str) -> bool:
        try:
            found = SimpleCookie(text).get(self._cookie)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(
            found.value.encode(), self._secret.encode()
        )

    def _entrance(self) -> Response:
        page = HTMLResponse(_ENTRANCE)
        page.set_cookie(self._cookie, self._secret, path="/", httponly=True, samesite="strict")
        return page


def _headers(scope: Scope) -> dict[str, str]:
    """Return the headers by lower-case name; repeated ones joined by a comma."""
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        joint = "; " if name == "cookie" else ", "
        found[name] = f"{found[name]}{joint}{value}" if name in found else value
    return found
