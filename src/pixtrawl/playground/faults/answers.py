"""Faults of whole answers: statuses, redirects, refusals and silence."""

from __future__ import annotations

import asyncio
from typing import ClassVar

from pixtrawl.playground.faults.base import Case, Fault
from pixtrawl.playground.messages import Answer, Raw, ServerResponse


class _StatusFault(Fault):
    status: ClassVar[int]
    headers: ClassVar[tuple[tuple[str, str], ...]] = ()

    def answer(self, case: Case) -> Answer:
        text = f"<!doctype html><title>{self.status}</title><h1>{self.status}</h1>".encode()
        return ServerResponse(text, self.status, headers=self.headers)


class NotFound(_StatusFault):
    """Status 404 with an HTML page."""

    name, reason, status, common = "not-found", "not_found", 404, True


class GoneFault(_StatusFault):
    """Status 410."""

    name, reason, status = "gone", "not_found", 410


class Forbidden(_StatusFault):
    """Status 403."""

    name, reason, status, common = "forbidden", "forbidden", 403, True


class Unauthorized(_StatusFault):
    """Status 401."""

    name, reason, status = "unauthorized", "forbidden", 401


class LegalReasons(_StatusFault):
    """Status 451."""

    name, reason, status = "legal-reasons", "forbidden", 451


class Teapot(_StatusFault):
    """Status 418: a 4xx that has no reason of its own."""

    name, reason, status = "teapot", "client_error", 418


class RateLimited(_StatusFault):
    """Status 429 for ever, with Retry-After: 1."""

    name, reason, status, waits = "rate-limited", "rate_limited", 429, True
    headers = (("Retry-After", "1"),)


class RefusedAddress(_StatusFault):
    """Status 429 for ever with Retry-After: 600, at this address; its host serves all others."""

    name, reason, status = "refused-address", "rate_limited", 429
    headers = (("Retry-After", "600"),)


class Down(_StatusFault):
    """Status 503 for ever."""

    name, reason, status, waits = "down", "server_error", 503, True


class RetryAfter(Fault):
    """Status 429 with Retry-After: 1, then the picture."""

    name, reason, waits, common = "retry-after", "saved", True, True

    def answer(self, case: Case) -> Answer:
        if case.attempt == 1:
            return ServerResponse(b"wait", 429, "text/plain", [("Retry-After", "1")])
        return case.jpeg()


class FlakyServer(Fault):
    """Status 503 twice, then the picture."""

    name, reason, waits = "flaky-503", "saved", True

    def answer(self, case: Case) -> Answer:
        if case.attempt <= 2:
            return ServerResponse(b"busy", 503, "text/plain")
        return case.jpeg()


class _Redirect(Fault):
    target: ClassVar[str]

    def answer(self, case: Case) -> Answer:
        return moved(self.target)


def moved(target: str, status: int = 302) -> ServerResponse:
    """Return a redirect whose Location is sent as given."""
    return ServerResponse(b"", status, None, [("Location", target)])


class RedirectChain(Fault):
    """Three hops (302, 301 with a relative target, 307), then the picture."""

    name, reason, common = "redirect-chain", "saved", True

    def answer(self, case: Case) -> Answer:
        hop = int(case.request.query.get("hop", "0"))
        if hop == 3:
            return case.jpeg()
        target = f"{case.request.path}?hop={hop + 1}"
        if hop == 1:
            return moved(target.rpartition("/")[2], 301)
        return moved(case.origin + target, (302, 301, 307)[hop])


class RedirectLoop(Fault):
    """Two addresses that send to each other."""

    name, reason = "redirect-loop", "too_many_redirects"

    def answer(self, case: Case) -> Answer:
        other = "b" if case.request.query.get("at") == "a" else "a"
        return moved(f"{case.request.path}?at={other}")


class EndlessRedirect(Fault):
    """Always one more hop, each to a new address."""

    name, reason = "redirect-endless", "too_many_redirects"

    def answer(self, case: Case) -> Answer:
        return moved(f"{case.request.path}?hop={int(case.request.query.get('hop', '0')) + 1}")


class RedirectMetadata(_Redirect):
    """A redirect to the metadata address of cloud machines."""

    name, reason, target = "redirect-metadata", "address_refused", "http://169.254.169.254/latest/"


class RedirectPrivate(_Redirect):
    """A redirect into 10.0.0.0/8."""

    name, reason, target = "redirect-private", "address_refused", "http://10.0.0.1/x.jpg"


class RedirectMapped(_Redirect):
    """A redirect to an inner address written as an IPv4-mapped IPv6 one."""

    name, reason = "redirect-mapped", "address_refused"
    also, target = ("bad_url",), "http://[::ffff:169.254.169.254]/x.jpg"


class RedirectInner(Fault):
    """A redirect to 127.1.0.1, outside of 127.0.0.0/24, where a picture and a log wait."""

    name, reason, also = "redirect-inner", "address_refused", ("saved", "connect_failed")

    def answer(self, case: Case) -> Answer:
        port = case.origin.rpartition(":")[2]
        return moved(f"http://127.1.0.1:{port}/inner/{case.slug}/{case.index}.jpg")


class RedirectFile(_Redirect):
    """A redirect to a file: URL."""

    name, reason, also = "redirect-file", "scheme_refused", ("address_refused", "bad_url")
    target = "file:///etc/hostname"


class Hotlink(Fault):
    """Status 403 without a Referer."""

    name, reason, also, common = "hotlink", "saved", ("forbidden",), True

    def answer(self, case: Case) -> Answer:
        if not case.request.headers.get("referer"):
            return ServerResponse(b"<!doctype html><h1>No hot-linking</h1>", 403)
        return case.jpeg()


class CookieNeeded(Fault):
    """Sets a cookie and sends the client round until it brings it along."""

    name, reason, also = "cookie-needed", "saved", ("too_many_redirects",)

    def answer(self, case: Case) -> Answer:
        if case.request.cookies.get("seen") == "1":
            return case.jpeg()
        headers = [("Location", case.request.target), ("Set-Cookie", "seen=1; Path=/")]
        return ServerResponse(b"", 302, None, headers)


class NoAiHeader(Fault):
    """A sound picture with `X-Robots-Tag: noai, noimageai`."""

    name, reason, common = "noai", "robots_header", True

    def answer(self, case: Case) -> Answer:
        return case.jpeg(("X-Robots-Tag", "noai, noimageai"))


class RobotsDisallowed(Fault):
    """A sound picture under a path that the host's robots.txt disallows."""

    name, reason, common = "robots-disallowed", "robots_txt", True

    def answer(self, case: Case) -> Answer:
        return case.jpeg()


class UnicodeUrl(Fault):
    """A sound picture whose URL holds spaces and letters outside ASCII, as found on pages."""

    name, reason, file = "unicode-url", "saved", "ñandú en flor {}.jpg"

    def answer(self, case: Case) -> Answer:
        return case.jpeg()


class Base64InPath(Fault):
    """A sound picture whose http URL holds the word base64."""

    name, reason, file = "base64-in-path", "saved", "base64,{}.jpg"

    def answer(self, case: Case) -> Answer:
        return case.jpeg()


class QueryString(Fault):
    """The picture only with the whole query string; without it a 404 (signed URLs)."""

    name, reason, file = "signed-url", "saved", "{}.jpg?w=640&sig=a%2Bb%3D&x=1,2"

    def answer(self, case: Case) -> Answer:
        sound = case.request.target.endswith("?w=640&sig=a%2Bb%3D&x=1,2")
        return case.jpeg() if sound else ServerResponse(b"no signature", 404, "text/plain")


class Silent(Fault):
    """Takes the request and never answers."""

    name, reason, also, waits = "silent", "first_byte_timeout", ("deadline",), True

    async def answer(self, case: Case) -> Answer:
        await asyncio.get_running_loop().create_future()
        return Raw()


class SlowFirstByte(Fault):
    """Thinks for three seconds, then sends the picture."""

    name, reason, waits = "slow-first-byte", "saved", True

    async def answer(self, case: Case) -> Answer:
        await case.wait(3.0)
        return case.jpeg()
