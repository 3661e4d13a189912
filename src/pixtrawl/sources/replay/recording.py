"""Record the requests of a source and their answers, without data of the user.

Cookies are left out; keys, tokens, signed parameters, e-mail addresses and network addresses are
masked in addresses and bodies. Lengths change, forms do not: a parser reads the masked answer as it
reads the true one.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.net.interface import Http, Response

__all__ = ["Exchange", "Recording", "mask"]

MAX_EXCHANGES: Final = 40
_SHOWN_HEADERS: Final = re.compile(
    r"content-type|retry-after|date|server|x-ratelimit.*|ratelimit.*|x-yandex-captcha|cf-mitigated"
)
_MASK: Final = "MASKED"
_MIN_SECRET: Final = 4  # characters; shorter ones occur in ordinary words
_NAMES: Final = (
    r"(?:[a-z0-9]{1,20}[_-])?(?:api[_-]?key|access[_-]?key|token|secret|signature|password|passwd"
    r"|session(?:[_-]?id)?|auth|vqd|jwt|wskey|credential|csrf)"
)
_PARAMETER: Final = re.compile(
    rf"((?:[?&;]|\\u0026)(?:(?:x-amz-|x-goog-)?{_NAMES}|key|sig|sid|client_id)=)"
    r"([^&\s\"'<>\\]{4,4000})",
    re.IGNORECASE,
)
_QUOTE: Final = r"(?:\\?[\"']|&quot;|&#34;)"
_MEMBER: Final = re.compile(
    rf"({_QUOTE}{_NAMES}{_QUOTE}\s{{0,5}}[:=]\s{{0,5}}{_QUOTE})([^\"'&\\\s]{{8,4000}})",
    re.IGNORECASE,
)
_VARIABLE: Final = re.compile(r"(\bvqd=[\"']?)([\w-]{6,200})")
_HIDDEN_INPUT: Final = re.compile(
    rf"(<input\b(?=[^<>]{{0,500}}\btype=[\"']?hidden)(?=[^<>]{{0,500}}\bname=[\"']?(?:{_NAMES}|sc)\b)"
    r"[^<>]{0,500}?\bvalue=[\"']?)([^\"'<>\s]{4,4000})",
    re.IGNORECASE,
)
_KNOWN_FORMS: Final = re.compile(
    r"AIza[\w-]{35}|eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{4,2000}|(?<=Bearer )[\w.~+/-]{8,4000}"
)
_MAIL: Final = re.compile(
    r"[\w.+-]{1,64}(?:@|%40)[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}", re.IGNORECASE
)
_FOUR: Final = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)")
_SIX: Final = re.compile(r"(?<![\w:.])[0-9a-f:]{6,39}(?![\w:])", re.IGNORECASE)
_NOWHERE: Final = "192.0.2.1", "2001:db8::1"  # documentation addresses (RFC 5737, RFC 3849)


class Exchange(Struct, frozen=True):
    """One request and its answer."""

    method: str
    asked: str
    response: Response


class Recording(Struct):
    """An `Http` that forwards to another one and records the exchanges."""

    http: Http
    exchanges: list[Exchange] = field(default_factory=list)

    async def get(
        self,
        url: str,
        *,
        params: Mapping[str, str | int] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
    ) -> Response:
        """Forward the request and record the exchange. Raises FetchError."""
        return self._keep(
            "GET",
            url,
            await self.http.get(url, params=params, headers=headers, max_bytes=max_bytes),
        )

    async def post(
        self, url: str, *, body: bytes, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Forward the request and record the exchange without its body. Raises FetchError."""
        return self._keep("POST", url, await self.http.post(url, body=body, headers=headers))

    def _keep(self, method: str, url: str, response: Response) -> Response:
        if len(self.exchanges) < MAX_EXCHANGES:
            self.exchanges.append(Exchange(method, url, response))
        return response

    def masked(self, secrets: Iterable[str]) -> list[Exchange]:
        """Return the exchanges, masked. `secrets` are the user's own values: keys, cookies."""
        hidden = {secret for secret in secrets if len(secret) >= _MIN_SECRET}
        for one in self.exchanges:
            hidden |= _cookie_values(one.response.headers.get("set-cookie", ""))
        return [_masked(one, hidden) for one in self.exchanges]


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without keys, tokens, e-mail addresses and network addresses."""
    for secret in sorted(secrets, key=len, reverse=True):
        for form in {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}:
            text = text.replace(form, _MASK)
    for pattern in (_PARAMETER, _MEMBER, _VARIABLE, _HIDDEN_INPUT):
        text = pattern.sub(lambda match: match[1] + _MASK, text)
    text = _KNOWN_FORMS.sub(_MASK, text)
    text = _MAIL.sub("user@example.invalid", text)
    text = _FOUR.sub(_addresses(_NOWHERE[0]), text)
    return _SIX.sub(_addresses(_NOWHERE[1]), text)


def _addresses(instead: str) -> Callable[[re.Match[str]], str]:
    def one(match: re.Match[str]) -> str:
        try:
            ipaddress.ip_address(match[0])
        except ValueError:
            return match[0]
        return instead

    return one


def _masked(one: Exchange, hidden: set[str]) -> Exchange:
    response = one.response
    headers = {
        name: mask(value, hidden)
        for name, value in response.headers.items()
        if _SHOWN_HEADERS.fullmatch(name)
    }
    # one character a byte, so that bytes that are not text do not change
    body = mask(response.body.decode("latin-1"), {_as_latin(one) for one in hidden})
    return Exchange(
        one.method,
        mask(one.asked, hidden),
        replace(
            response, url=mask(response.url, hidden), headers=headers,
            body=body.encode("latin-1"), redirects=(),
        ),
    )  # fmt: skip


def _as_latin(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _cookie_values(header: str) -> set[str]:
    values = (line.partition(";")[0].partition("=")[2].strip() for line in header.split("\n"))
    return {value for value in values if len(value) >= 6}
