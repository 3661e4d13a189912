"""One query's requests to a JSON API, and the outcomes of their answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from pixtrawl.errors import FetchError, SourceStop
from pixtrawl.model import Query
from pixtrawl.net.interface import Response
from pixtrawl.sources import consent, stops
from pixtrawl.sources.api import values as value
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.consent import ConsentGate
from pixtrawl.sources.html import Document
from pixtrawl.sources.results import ImageResult
from pixtrawl.sources.settings import OwnSettings
from pixtrawl.sources.walls import page_of, wall_in

_MAX_BYTES: Final = 8 * 2**20  # of one answer; 250 records of the largest API have 3 MB
_JSON: Final = "application/json"
_HIDDEN: Final = "KEY"

Params = Mapping[str, str | int] | Iterable[tuple[str, str | int]]


class ShapeError(ValueError):
    """The answer is not of the form that the source is known by; the message says how."""


class ApiSearch(Struct, kw_only=True):
    """One query's requests to one API; given to a source's `batch`.

    `words` are the query's filters in the source's own words. `memo` keeps a source's state between
    two pieces of one query.
    """

    name: str
    query: Query
    context: SourceContext
    words: Mapping[str, str]
    turn: asyncio.Lock
    settings: OwnSettings
    secrets: Callable[[], tuple[str, ...]]
    explain: Callable[[ApiSearch, Response, Any], SourceStop | None]
    has_quota: bool
    memo: dict[str, Any] = field(default_factory=dict)
    _last: Response | None = None
    _gate: ConsentGate | None = None

    @property
    def base_url(self) -> str:
        """The base URL, without a trailing slash."""
        return self.settings.base_url

    def params(self, names: Mapping[str, str], **fixed: str | int) -> dict[str, str | int]:
        """Return `fixed` and the query's filters as parameters of a request.

        `names` maps each filter to the API's name of its parameter; filters without a word are
        left out.
        """
        words = self.words.items()
        return fixed | {names[name]: word for name, word in words if word and name in names}

    async def json(
        self, path: str, params: Params = (), headers: Mapping[str, str] | None = None
    ) -> Any:
        """GET and parse JSON. Raises ShapeError, SourceStop, FetchError."""
        return self.read(await self.get(path, params, headers))

    async def get(
        self, path: str, params: Params = (), headers: Mapping[str, str] | None = None
    ) -> Response:
        """GET `path` below the base URL, whatever the status of the answer. Raises FetchError."""
        pairs = list(params.items() if isinstance(params, Mapping) else params)
        url = f"{self.base_url}{path}"
        if pairs:
            url += ("&" if "?" in url else "?") + urlencode(pairs)
        sent = {"Accept": _JSON, **(headers or {})}

        gate = self._consent_gate()

        async def send() -> Response:
            headers = {**gate.headers(), **sent}
            got = self.context.http.get(url, headers=headers, max_bytes=_MAX_BYTES)
            return self._keep(await self._guarded(got))

        async with self.turn:
            return await self._guarded(gate.past(await send(), _consent_page, send))

    async def post(self, path: str, form: Mapping[str, str]) -> Response:
        """POST a form. Raises FetchError."""
        headers = {"Accept": _JSON, "Content-Type": "application/x-www-form-urlencoded"}
        url, body = f"{self.base_url}{path}", urlencode(form).encode()
        async with self.turn:
            return self._keep(
                await self._guarded(self.context.http.post(url, body=body, headers=headers))
            )

    def read(self, response: Response) -> Any:
        """Parse an answer as JSON. Raises ShapeError, SourceStop, FetchError."""
        self.check(response)
        try:
            return response.json()
        except ValueError:
            raise self.wall(response) or ShapeError(f"{self.name}'s answer is no JSON") from None

    def check(self, response: Response) -> None:
        """Return for a 2xx answer. Raises SourceStop, FetchError."""
        if 200 <= response.status < 300:
            return
        stops.check_challenge(self.context, response, self.name)
        answer = _json_or_none(response)
        stop = self.explain(self, response, answer)
        if stop is not None:
            raise stop
        rates = rate_limits(response)
        if response.status == 429 and self.has_quota and (rates or isinstance(answer, dict)):
            raise self.quota(response, answer)
        if response.status == 401:
            words = sentence(answer) or "it wants a key"
            raise self.blocked(response, "login", f"{self.name} answers with status 401: {words}")
        stops.check_status(self.context, response, self.name)

    def _consent_gate(self) -> ConsentGate:
        if self._gate is None:
            self._gate = ConsentGate(source=self.name, context=self.context)
        return self._gate

    def wall(self, response: Response) -> SourceStop | None:
        """Return the stop for an HTML page in place of data (captcha, login); else None."""
        found = wall_in(response)
        if found is None:
            return None
        return stops.blocked(self.context, response, self.name, found[0], f"{self.name} {found[1]}")

    def changed(self, message: str) -> SourceStop:
        """Make the stop of an answer that does not have the known form."""
        if self._last is None:
            raise AssertionError("nothing was asked yet")
        return stops.changed(self.context, self._last, self.name, message)

    def blocked(
        self, response: Response, kind: str, message: str, next_step: str = ""
    ) -> SourceStop:
        """Make the stop of a refusal; `next_step` replaces the usual advice."""
        stop = stops.blocked(self.context, response, self.name, kind, message)
        return _with(stop, next_step=next_step) if next_step else stop

    def quota(self, response: Response, answer: Any = None, next_step: str = "") -> SourceStop:
        """Make the stop of a used-up allowance, with the answer's own words and limits."""
        rates = rate_limits(response)
        shown = "; ".join(f"{name}: {rate}" for name, rate in rates.items())
        parts = [f"{self.name} says that the allowance is used up", sentence(answer) or "", shown]
        message = ". ".join(part.rstrip(".") for part in parts if part)
        stop = stops.quota(self.context, response, self.name, message)
        more: dict[str, object] = {"rate_limit": rates} if rates else {}
        if wait := response.headers.get("retry-after", ""):
            more["retry_after"] = wait[:40]
        if next_step:
            more["next_step"] = next_step
        return _with(stop, **more)

    def below_base(self, url: str | None, *hosts: str) -> str | None:
        """Return path and query of a URL of this API, for `get`; None for any other URL.

        With the built-in base URL its host has to be the base URL's or one of `hosts`; with another
        base URL every address stands for the same one there, so that nothing leaves that server.
        """
        if url is None:
            return None
        parts, base = urlsplit(url), urlsplit(self.base_url)
        if self.settings.live and parts.hostname not in {base.hostname, *hosts}:
            return None
        path = parts.path
        if base.path and path.startswith(f"{base.path}/"):
            path = path.removeprefix(base.path)
        return f"{path}?{parts.query}" if parts.query else path

    def presentable(self, found: Iterable[ImageResult]) -> list[ImageResult]:
        """Return results without secrets: some APIs put the key into the links they return."""
        if not self.secrets():
            return list(found)
        shown = []
        for one in found:
            clean: dict[str, Any] = {
                name: self.hide(given)
                for name in ImageResult.__struct_fields__
                if isinstance(given := getattr(one, name), str) and name != "kind"
            }
            if clean["url"] == one.url:  # masked, it would lead nowhere
                shown.append(replace(one, **clean))
        return shown

    def hide(self, text: str) -> str:
        """Return the text with secrets replaced."""
        for secret in self._forms():
            text = text.replace(secret, _HIDDEN)
        return text

    def _forms(self) -> set[str]:
        """Return every spelling that a secret may have in an address or in JSON."""
        return {
            form
            for secret in self.secrets()
            for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
        }

    async def _guarded(self, answer: Any) -> Response:
        try:
            response: Response = await answer
        except FetchError as error:
            hidden = self.hide(error.detail)
            if hidden == error.detail:
                raise
            raise FetchError(
                error.reason, hidden, http_status=error.http_status,
                retry_after_s=error.retry_after_s,
            ) from None  # fmt: skip
        return response

    def _keep(self, response: Response) -> Response:
        """Return the answer without secrets, so that it may be saved as evidence."""
        if self.secrets():
            body = response.body
            for form in self._forms():
                body = body.replace(form.encode(), _HIDDEN.encode())
            response = replace(response, url=self.hide(response.url), body=body)
        self._last = response
        return response


def _consent_page(response: Response) -> Document | None:
    page = page_of(response)
    # A page without a form asks for no consent, whatever its URL is called.
    if page is None or not page.has("form") or not consent.is_consent(response, page):
        return None
    return page


def rate_limits(response: Response) -> dict[str, str]:
    """Return the headers that state an allowance, by name."""
    return {
        name: text[:80]
        for name, text in response.headers.items()
        if name.startswith(("x-ratelimit", "ratelimit"))
    }


def sentence(answer: Any) -> str | None:
    """Return the API's own error message, cut at 200 characters."""
    places = (
        ("detail",), ("error", "message"), ("error", "info"), ("message",), ("error",),
        ("errors", 0), ("errors", 0, "message"), ("errorMessage",), ("reason",), ("description",),
    )  # fmt: skip
    for place in places:
        words = value.plain(answer, *place)
        if words:
            return words[:200]
    return None


def _json_or_none(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _with(stop: SourceStop, **more: object) -> SourceStop:
    return SourceStop(stop.outcome, **{**stop.detail, **more})
