"""Owners' statements that are known before a file is fetched: robots.txt and tdmrep.json.

tdmrep.json (TDM Reservation Protocol, W3C CG Final Report of 2 February 2024) is asked for once a
host and run, after robots.txt and only where robots.txt lets it be. "Failure to provide access to
such a representation implies that the origin server does not implement this protocol": a missing
file, an error of the server and a file that is no such JSON all say nothing.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec

from pixtrawl import urls
from pixtrawl.config.groups import Politeness
from pixtrawl.errors import FetchError
from pixtrawl.model import Reason
from pixtrawl.net.interface import Request, Response
from pixtrawl.net.redirects import follow
from pixtrawl.net.robots.cache import RobotsCache
from pixtrawl.net.robots.rules import Line, PathText, longest_matches
from pixtrawl.preferences import Statement, now_utc
from pixtrawl.preferences.vocabulary import ROBOTS_KEYS, TDM, of_line

__all__ = ["TDMREP_MAX_BYTES", "OwnerStatements", "parse_tdmrep"]

TDMREP_MAX_BYTES: Final = 512 * 1024
_TDMREP: Final = "/.well-known/tdmrep.json"
_TIMEOUT_S: Final = 10.0
_MAX_REDIRECTS: Final = 5
_MAX_RULES: Final = 500  # of one file
_MAX_LOCATION: Final = 500  # characters
_MAX_POLICY: Final = 200
# Of all hosts together, as characters and a share for each object; the hosts least lately asked
# for go first, and are asked again if they come up again.
_MAX_KEPT: Final = 16 * 2**20
_RULE_COST: Final = 500
_ORIGIN_COST: Final = 300
# The host itself cannot be had: that is the outcome of the file, too.
_NO_HOST: Final = frozenset({
    Reason.DNS_FAILED, Reason.CONNECT_FAILED, Reason.CONNECT_TIMEOUT, Reason.PROXY_FAILED,
    Reason.TLS_FAILED, Reason.HOST_OUT, Reason.HOST_EXCLUDED, Reason.ADDRESS_REFUSED,
    Reason.INTERRUPTED,
})  # fmt: skip

Rules = tuple[PathText, ...]
Found = Rules | FetchError


def parse_tdmrep(content: bytes) -> Rules:
    """Parse any bytes; rules without a location or a reservation are ignored."""
    try:
        rows = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return ()
    found = []
    for row in rows[:_MAX_RULES] if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        location, reserved = row.get("location"), row.get(TDM)
        if not isinstance(location, str) or not location or len(location) > _MAX_LOCATION:
            continue
        value = str(int(reserved)) if isinstance(reserved, bool | float) else reserved
        if not isinstance(value, str | int):
            continue
        policy = str(row.get("tdm-policy") or "")[:_MAX_POLICY]
        text = f"{str(value)[:20]}; tdm-policy: {policy}" if policy else str(value)[:20]
        found.append(PathText.of(TDM, text, location))
    return tuple(found)


class OwnerStatements:
    """The statements of a run's hosts. `send` makes one request, with slot and guard."""

    def __init__(
        self,
        robots: RobotsCache,
        send: Callable[[Request], Awaitable[Response]],
        politeness: Politeness,
    ) -> None:
        self._robots = None if politeness.ignore_robots else robots  # of tdmrep.json itself
        self._send = send
        # The protocol leaves search alone; whoever ignores the answer does not ask.
        self._asks_tdmrep = politeness.purpose == "train" and not politeness.ignore_ai_preferences
        self._known: OrderedDict[str, Rules] = OrderedDict()
        self._kept = 0
        self._fetching: dict[str, asyncio.Task[Found]] = {}

    async def statements_of(self, url: str, records: Sequence[Line]) -> list[Statement]:
        """Return the statements of the URL's host that hold for it.

        `records` are the preferences in its robots.txt, name and value of each line. Raises
        FetchError where the host is not reached.
        """
        statements: list[Statement] = []
        if records:
            texts = (PathText.of_line(ROBOTS_KEYS[key], value) for key, value in records)
            held = longest_matches(texts, urls.canonical(url))
            statements = [of_line("robots", one.name, one.text, now_utc()) for one in held]
        if self._asks_tdmrep:
            found = await self._tdmrep(urls.origin_of(url))
            if found:
                path = urls.canonical(url)
                rule = next((one for one in found if one.matches(path)), None)  # first in sequence
                if rule is not None:
                    statements.append(of_line("tdmrep", TDM, rule.text, now_utc()))
        return statements

    async def _tdmrep(self, origin: str) -> Rules:
        known = self._known.get(origin)
        if known is not None:
            self._known.move_to_end(origin)
            return known
        task = self._fetching.get(origin)
        if task is None:
            task = asyncio.create_task(self._fetch(origin))
            self._fetching[origin] = task
        found = await asyncio.shield(task)  # others wait for it, too
        if isinstance(found, FetchError):  # anew: a raised exception keeps the trace of each raise
            raise FetchError(found.reason, found.detail, retry_after_s=found.retry_after_s)
        return found

    async def _fetch(self, origin: str) -> Found:
        try:
            found = await self._ask(origin)
        finally:
            del self._fetching[origin]
        if isinstance(found, FetchError):
            return found
        self._keep(origin, found)
        return found

    def _keep(self, origin: str, rules: Rules) -> None:
        self._known[origin] = rules
        self._kept += _cost(rules)
        while self._kept > _MAX_KEPT and len(self._known) > 1:
            self._kept -= _cost(self._known.popitem(last=False)[1])

    async def _ask(self, origin: str) -> Found:
        try:
            response = await follow(
                Request(url=origin + _TDMREP, timeout_s=_TIMEOUT_S), self._hop, _MAX_REDIRECTS
            )
        except FetchError as error:
            no_host = error.reason in _NO_HOST and not error.http_status
            return error if no_host else ()
        return parse_tdmrep(response.body) if response.status == 200 else ()

    async def _hop(self, request: Request) -> Response:
        if self._robots is not None:
            await self._robots.check(request.url)
        return await self._send(request)

    def states(self, account: str) -> dict[str, Rules]:
        """Return the rules of the account's tdmrep.json by origin, for its next holder."""
        found = ((origin, self._known.get(origin)) for origin in urls.origins_of(account))
        return {origin: rules for origin, rules in found if rules is not None}

    def restore(self, states: Mapping[str, Rules]) -> None:
        """Restore the state that the last holder of a host returned."""
        for origin, rules in states.items():
            if origin not in self._known:
                self._keep(origin, rules)

    def forget(self, account: str) -> None:
        """Forget the account's origins."""
        for origin in urls.origins_of(account):
            rules = self._known.pop(origin, None)
            self._kept -= 0 if rules is None else _cost(rules)

    async def aclose(self) -> None:
        """Cancel requests in flight."""
        tasks = list(self._fetching.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _cost(rules: Rules) -> int:
    texts = sum(len(one.text) + 4 * one.length for one in rules)
    return _ORIGIN_COST + texts + _RULE_COST * len(rules)
