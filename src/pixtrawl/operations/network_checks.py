"""Checks that the chosen sources can be reached: resolve names, then connect, concurrently.

No request is sent: each connection is opened and closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.net.proxy import Proxies, named
from pixtrawl.operations.check import FAIL, OK, Check

LIMIT_S: Final = 6.0  # for each target; all run concurrently
_MOST_ADDRESSES: Final = 4
_PORTS: Final = {"http": 80, "https": 443, "socks4": 1080, "socks5": 1080, "socks5h": 1080}
Target = tuple[str, str]  # name in the table, URL


def network(config: Config) -> Iterator[Check]:
    """Check each chosen source; add a failed check `network` if none can be reached.

    If a proxy is set, only the connection to the proxy is checked.

    Raises:
        UsageError: the proxy or a source name cannot be used.
    """
    proxy = _proxy(config)
    if proxy:
        Proxies(config.fetch.proxy)  # raises UsageError for one that cannot be used
        yield from asyncio.run(_try_all([("proxy", proxy)]))
        return
    targets = []
    for name in sources.expand(config.job.sources, config.sources):
        given = config.source(name)
        url = given.get("base_url") or given.get("url") or sources.load(name).info.base_url
        if url:
            targets.append((name, url))
    checks = asyncio.run(_try_all(targets))
    yield from checks
    if len(checks) > 1 and all(check.status == FAIL for check in checks):
        step = (
            "check the connection (cable, WLAN, VPN); behind a company's proxy: --proxy URL or "
            "HTTPS_PROXY; without a network: pixtrawl playground"
        )
        yield Check("network", FAIL, "none of the chosen sources can be reached", step)


async def _try_all(targets: list[Target]) -> list[Check]:
    return await asyncio.gather(*(_try(name, url) for name, url in targets))


async def _try(name: str, url: str) -> Check:
    title = f"network {name}"
    try:
        parts = urlsplit(url if "//" in url else f"http://{url}")
        host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        return Check(title, FAIL, f"{url}: {error}", f"correct {name}.base_url")
    if not host or not port:
        return Check(title, OK, "no host of its own to connect to")
    stage = f"{host} is not found by the name server"
    try:
        async with asyncio.timeout(LIMIT_S):
            found = await _resolve(host, port)
            stage = f"{host}:{port} does not answer"
            address = await _connect(found[:_MOST_ADDRESSES], port)
    except TimeoutError:
        return Check(title, FAIL, f"{stage} within {LIMIT_S:g} s", _next_step(name))
    except OSError as error:
        why = error.strerror or str(error)
        return Check(title, FAIL, f"{stage}: {why}", _next_step(name))
    return Check(title, OK, f"{host}:{port} connects ({address})")


async def _resolve(host: str, port: int) -> list[str]:
    """Resolve a name in a daemon thread, so that cancelling does not wait. Raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: OSError | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(addresses)

    def look_up() -> None:
        addresses: list[str] = []
        failed = None
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        except OSError as error:
            failed = error
        with contextlib.suppress(RuntimeError):  # the check timed out and its loop is closed
            loop.call_soon_threadsafe(settle, addresses, failed)

    # a daemon thread: the system's resolver cannot be interrupted and may take half a minute
    threading.Thread(target=look_up, daemon=True).start()
    return await answer


async def _connect(addresses: list[str], port: int) -> str:
    """Return the first address that accepts, all tried concurrently. Raises OSError."""

    async def one(address: str) -> str:
        _, writer = await asyncio.open_connection(address, port)
        writer.close()
        return address

    tasks = [asyncio.create_task(one(address)) for address in addresses]
    failure: OSError = OSError("no address")
    try:
        for task in asyncio.as_completed(tasks):
            try:
                return await task
            except OSError as error:
                failure = error
        raise failure
    finally:
        for left in tasks:
            left.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _next_step(name: str) -> str:
    if name == "proxy":
        return "correct the proxy's address (--proxy, HTTPS_PROXY), or unset it"
    return f"check the connection and the name server; or leave it out (-s others): {name}"


def _proxy(config: Config) -> str:
    """Return the proxy of the settings, else of the environment, else ""."""
    return config.fetch.proxy or next(iter(named(os.environ).values()), "")
