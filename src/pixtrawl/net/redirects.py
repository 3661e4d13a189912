"""Redirects, one hop at a time: each is a new request that passes every check again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.interface import Request, Response

__all__ = ["follow", "next_request"]

_STATUSES: Final = frozenset({301, 302, 303, 307, 308})
# Headers that may be sent on to another host: an allow-list, as any other may hold a secret.
_HARMLESS: Final = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "range", "referer",
    "user-agent",
})  # fmt: skip


async def follow(
    request: Request, send: Callable[[Request], Awaitable[Response]], max_redirects: int
) -> Response:
    """Send the request, follow its redirects and return the last answer.

    `Response.redirects` holds every URL before the last. Raises FetchError: what `send` raises,
    `TOO_MANY_REDIRECTS` (also for a circle), `SCHEME_REFUSED`, `BAD_URL`.
    """
    passed: list[str] = []
    seen = {urls.canonical(request.url)}
    while True:
        response = await send(request)
        following = next_request(request, response)
        if following is None:
            return replace(response, redirects=tuple(passed)) if passed else response
        passed.append(request.url)
        key = urls.canonical(following.url)
        if key in seen or len(passed) > max_redirects:
            how = "in a circle" if key in seen else f"more than {max_redirects}"
            raise FetchError(
                Reason.TOO_MANY_REDIRECTS,
                f"{how}: {following.url[:200]}",
                http_status=response.status,
            )
        seen.add(key)
        request = following


def next_request(request: Request, response: Response) -> Request | None:
    """Return the request that a redirect leads to; None for other answers. Raises FetchError."""
    location = response.headers.get("location", "") if response.status in _STATUSES else ""
    if not location:
        return None
    target = urls.join(urls.canonical(request.url), _as_text(location))
    reason = Reason.BAD_URL if target is None else urls.check(target)
    if target is None or reason is not None or urls.scheme_of(target) == "data":
        raise FetchError(
            reason or Reason.SCHEME_REFUSED, location[:200], http_status=response.status
        )
    headers, method, body = request.headers, request.method, request.body
    if response.status == 303 or (response.status in {301, 302} and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
    if _origin(target) != _origin(request.url):
        headers = _for_another_origin(headers, target)
    return replace(request, url=target, method=method, body=body, headers=headers)


def _as_text(location: str) -> str:
    """Reinterpret a Latin-1 header value as UTF-8, which servers mean by unescaped bytes."""
    if location.isascii():
        return location
    try:
        return location.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return location


def _origin(url: str) -> tuple[str, str]:
    return urls.scheme_of(url), urls.host_of(url)


def _for_another_origin(headers: Mapping[str, str], target: str) -> dict[str, str]:
    """Return the headers without secrets, and without a referrer where a browser sends none."""
    kept = {name: value for name, value in headers.items() if name.lower() in _HARMLESS}
    for name in [name for name in kept if name.lower() == "referer"]:
        referer = urls.referer(kept.pop(name), target)
        if referer:
            kept[name] = referer
    return kept
