"""The only HTTP client: one request to one URL, no redirect followed, all limits kept.

Uses libcurl's multi interface (measured: 0.11 ms of CPU a picture, twice as fast as the next best;
it has a hook before each connection). No libcurl type leaves this module, only `Response` and
`FetchError`. Redirects, robots.txt, politeness and retries are in `net.fetcher`.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pycurl

from pixtrawl import urls
from pixtrawl.config.groups import Fetch
from pixtrawl.errors import FetchError, UsageError
from pixtrawl.model import Reason
from pixtrawl.net import data_url
from pixtrawl.net.address import AddressGuard
from pixtrawl.net.body import HEAD_BYTES, MemoryBody, StagedBody, Staging
from pixtrawl.net.curl.failures import failure
from pixtrawl.net.curl.loop import CurlLoop
from pixtrawl.net.curl.transfer import Admit, Answered, MaySend, SharedState, Transfer
from pixtrawl.net.interface import NotSentError, Request, Response
from pixtrawl.net.open_files import connections_to_keep
from pixtrawl.net.proxy import Proxies
from pixtrawl.net.token_bucket import TokenBucket
from pixtrawl.net.trust import trusted
from pixtrawl.net.writer import BodyWriter

__all__ = ["Client"]

_IDLE_HANDLES: Final = 512
_SWEEP_S: Final = 0.25  # precision of the first-byte time-out
_STOPPED: Final = -1


class Client:
    """Carries out transfers on the running event loop. Close it with `aclose`."""

    def __init__(self, fetch: Fetch, *, staging: Path | None = None) -> None:
        """`staging` is the folder for staged files.

        Raises UsageError for a cookie file, a proxy or certificates that cannot be used, OSError
        for the staging folder.
        """
        self._fetch = fetch
        self._proxies = Proxies(fetch.proxy)
        self._shared = SharedState(
            fetch=fetch,
            guard=AddressGuard(fetch.allow_address),
            trust=trusted(),
            cookies=_cookies(fetch.cookies) if fetch.cookies else None,
        )
        self._shared.staging = Staging(staging) if staging is not None else None
        self._loop: CurlLoop | None = None
        self._writer: BodyWriter | None = None
        self._idle: list[Transfer] = []
        self._active: set[Transfer] = set()
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def guard(self) -> AddressGuard:
        return self._shared.guard

    @property
    def received_bytes(self) -> int:
        """Bytes of all bodies so far, failed transfers included."""
        return self._shared.received_bytes

    def set_rate(self, bytes_s: int) -> None:
        """Set this process's share of the rate for all transfers; the settings name one."""
        self._fetch = replace(self._fetch, limit_rate_bytes_s=bytes_s)
        if self._shared.rate is not None:
            self._shared.rate.set_rate(bytes_s)

    async def transfer(  # noqa: PLR0913 - the parameters of one transfer
        self,
        request: Request,
        *,
        timeout_s: float | None = None,
        stage_as: str | None = None,
        cut_at: int | None = None,
        admit: Admit | None = None,
        answered: Answered | None = None,
        may_send: MaySend | None = None,
    ) -> Response:
        """Send exactly one request and return the answer, whatever its status (redirects included).

        With `stage_as` the body of a 2xx answer goes to that new file in the staging folder and
        `Response.staged_name` is set, unless the body is empty; of other answers at most 64 KiB
        are read. No file is left behind by a failure or a cancellation.

        Args:
            request: the request to send.
            timeout_s: overrides the request's own.
            stage_as: plain file name.
            cut_at: stop reading the body after so many bytes; the cut answer counts as complete.
            admit: called with the headers of a 2xx answer before its body is read; returning an
                error ends the transfer with it.
            may_send: called when the connection stands, before each sending of the request;
                where it returns False nothing is sent, and the call raises NotSentError.
            answered: called when the headers have arrived, with the seconds since the request.

        Raises FetchError.
        """
        max_bytes = self._fetch.max_bytes if request.max_bytes is None else request.max_bytes
        if stage_as is not None and self._shared.staging is None:
            raise FetchError(Reason.STORE_FAILED, "no staging folder")
        reason = urls.check(request.url)
        if reason is not None:
            raise FetchError(reason, request.url[:200])
        if urls.scheme_of(request.url) == "data":
            staging = self._shared.staging if stage_as is not None else None
            return data_url.respond(request.url, max_bytes, staging, stage_as)
        if self._shared.guard.refuses_host(urls.host_name_of(request.url)):
            raise FetchError(Reason.ADDRESS_REFUSED, urls.host_of(request.url))
        loop = self._running_loop()
        transfer = self._idle.pop() if self._idle else self._new_transfer()
        transfer.stage_as, transfer.cut_at, transfer.admit = stage_as, cut_at, admit
        transfer.max_bytes, transfer.on_answer = max_bytes, answered
        transfer.may_send = may_send
        if timeout_s is None:
            timeout_s = self._fetch.timeout_s if request.timeout_s is None else request.timeout_s
        transfer.timeout_s = timeout_s
        return await self._over_http(loop, request, transfer)

    async def _over_http(self, loop: CurlLoop, request: Request, transfer: Transfer) -> Response:
        try:
            url = urls.canonical(request.url)
            transfer.prepare(url, proxy=self._proxies.for_url(url))
            transfer.set_request(request.method, request.headers, request.body)
            code, message = await self._run(loop, transfer)
            if transfer.foreign:  # a content encoding that was not requested
                transfer.unpack_natively(now=asyncio.get_running_loop().time())
                code, message = await self._run(loop, transfer)
            status = self._conclude(transfer, code, message)
            return await self._response(request.url, status, transfer)
        except pycurl.error as error:  # libcurl refused an option: nothing was sent
            raise FetchError(Reason.BAD_URL, str(error)) from None
        except BaseException:
            if transfer.sink is not None:
                transfer.sink.discard()
            raise
        finally:
            self._release(transfer)

    def _new_transfer(self) -> Transfer:
        return Transfer(self._shared, asyncio.get_running_loop().time)

    async def _run(self, loop: CurlLoop, transfer: Transfer) -> tuple[int, str]:
        transfer.started_at = asyncio.get_running_loop().time()
        future = loop.start(transfer.curl)
        self._active.add(transfer)
        if self._sweep_timer is None:
            self._schedule_sweep()
        try:
            return await future
        finally:
            self._active.discard(transfer)
            loop.stop(transfer.curl)

    def _conclude(self, transfer: Transfer, code: int, message: str) -> int:
        """Return the status of an answer that is complete, or was cut on purpose."""
        status = int(transfer.curl.getinfo(pycurl.RESPONSE_CODE))
        if not code:
            transfer.end_body()
        if transfer.held_back:
            raise NotSentError(Reason.INTERRUPTED, "not sent")
        if transfer.error is not None:
            raise transfer.error
        if not code and not transfer.answered:
            raise FetchError(Reason.PROTOCOL_ERROR, "the answer ended in its headers")
        if code and not transfer.enough:
            if transfer.refused:
                raise FetchError(Reason.ADDRESS_REFUSED, transfer.refused)
            large = code == pycurl.E_FILESIZE_EXCEEDED and transfer.cut_at is not None
            if not large:
                error = failure(code, message, answered=transfer.answered, proxied=transfer.proxied)
                error.http_status = status
                raise error
        return status

    async def _response(self, url: str, status: int, transfer: Transfer) -> Response:
        elapsed_s = asyncio.get_running_loop().time() - transfer.started_at
        sink = transfer.sink
        if isinstance(sink, StagedBody):
            assert self._writer is not None
            try:
                await self._writer.finish(sink)
            except OSError as error:
                raise FetchError(Reason.STORE_FAILED, str(error)) from None
            return Response(
                url=url,
                status=status,
                headers=transfer.headers,
                staged_name=sink.name,
                sha256=sink.sha256,
                head=sink.head,
                size_bytes=transfer.size_bytes,
                elapsed_s=elapsed_s,
            )
        body = sink.joined() if isinstance(sink, MemoryBody) else b""
        return Response(
            url=url,
            status=status,
            headers=transfer.headers,
            body=body,
            head=body[:HEAD_BYTES],
            size_bytes=len(body),
            elapsed_s=elapsed_s,
        )

    def _release(self, transfer: Transfer) -> None:
        if self._closed or len(self._idle) >= _IDLE_HANDLES:
            transfer.close()
            return
        transfer.reset()
        self._idle.append(transfer)

    def _running_loop(self) -> CurlLoop:
        if self._closed:
            raise FetchError(Reason.INTERRUPTED, "the client is closed")
        if self._loop is None:
            self._loop = CurlLoop(connections=connections_to_keep(self._fetch.concurrency))
            self._writer = BodyWriter(asyncio.get_running_loop())
            if self._fetch.limit_rate_bytes_s is not None:
                loop = asyncio.get_running_loop()
                self._shared.rate = TokenBucket(
                    self._fetch.limit_rate_bytes_s, now=loop.time, call_later=loop.call_later
                )
        return self._loop

    # -- the first byte ----------------------------------------------------------------------

    def _schedule_sweep(self) -> None:
        interval_s = min(_SWEEP_S, self._fetch.first_byte_timeout_s / 4)
        self._sweep_timer = asyncio.get_running_loop().call_later(interval_s, self._sweep)

    def _sweep(self) -> None:
        """End transfers past two limits that libcurl does not have: first byte, overhead."""
        self._sweep_timer = None
        if self._closed or self._loop is None or not self._active:
            return
        now = asyncio.get_running_loop().time()
        limit_s = self._fetch.first_byte_timeout_s
        for transfer in list(self._active):
            if not transfer.check_overhead():
                self._loop.stop(transfer.curl, (_STOPPED, ""))
            waits = transfer.sent_at and not transfer.first_byte
            if waits and now - transfer.sent_at >= limit_s:
                transfer.error = FetchError(
                    Reason.FIRST_BYTE_TIMEOUT, f"no byte within {limit_s:g} s"
                )
                self._loop.stop(transfer.curl, (_STOPPED, ""))
        self._schedule_sweep()

    async def aclose(self) -> None:
        """End all transfers (their callers get `INTERRUPTED`) and all connections."""
        if self._closed:
            return
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
        if self._loop is not None:
            for transfer in self._active:
                transfer.error = FetchError(Reason.INTERRUPTED, "the client was closed")
                self._loop.stop(transfer.curl, (_STOPPED, ""))
            self._loop.close()
        while self._active:  # noqa: ASYNC110 - the callers are scheduled: one or two iterations
            await asyncio.sleep(0)  # each returns its own handle and removes its file
        if self._writer is not None:
            self._writer.close()
        for transfer in self._idle:
            transfer.close()
        self._idle.clear()
        if self._shared.staging is not None:
            self._shared.staging.close()


def _cookies(path: str) -> Any:
    """Return a CurlShare with the cookies of a Netscape cookies.txt.

    libcurl sends each cookie only to the hosts it belongs to. Raises UsageError.
    """
    try:
        lines = Path(path).read_text("utf-8", "replace").splitlines()
    except OSError as error:
        raise UsageError(f"--cookies {path}: {error.strerror or error}") from None
    wanted = [line for line in lines if line.count("\t") == 6]
    if not wanted:
        raise UsageError(f"--cookies {path}: holds no cookie in the format of Netscape cookies.txt")
    share = pycurl.CurlShare()
    share.setopt(pycurl.SH_SHARE, pycurl.LOCK_DATA_COOKIE)
    loader = pycurl.Curl()
    loader.setopt(pycurl.SHARE, share)
    for line in wanted:
        loader.setopt(pycurl.COOKIELIST, line.encode())
    loader.close()
    return share
