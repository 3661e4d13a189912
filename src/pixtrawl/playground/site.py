"""The playground: search pages, image hosts and faults, served from this process.

    with Playground(faults="some") as site:
        print(site.url, site.hosts)
        truth = site.expected("tabby cat")

Runs on a thread with an event loop of its own, or with `async with` on the loop that is running.
The search site listens on 127.0.0.1, image hosts on 127.0.0.2 and up, faults on 127.0.0.51 and up,
all on one port number. Where only 127.0.0.1 can be listened on (macOS), each host gets a port.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Final, Self

from pixtrawl.playground.drawing.pictures import slug_of
from pixtrawl.playground.faults.faultline import FAULTS, FaultLine, FaultTruth
from pixtrawl.playground.faults.link import DeadEnds
from pixtrawl.playground.faults.search import SearchOutage
from pixtrawl.playground.gallery import Galleries
from pixtrawl.playground.router import Router
from pixtrawl.playground.search.filters import bing_filter, google_filter
from pixtrawl.playground.search.listing import Listings, Original
from pixtrawl.playground.server import ListeningAddress, RequestLog, RequestRecord, Server
from pixtrawl.playground.store import PictureStore

FAULT_SHARES: Final = {"none": 0.0, "some": 0.15, "all": 0.5}
_FIRST_FAULT: Final = 51  # last number of the first address with a fault


@dataclass(frozen=True, kw_only=True)
class PlaygroundOptions:
    """How a playground is made; see `Playground` for the meaning."""

    seed: int = 1
    latency_s: float = 0.0
    faults: str | Sequence[str] = "none"
    mix: Mapping[str, float] = field(default_factory=dict)
    supply: int | Mapping[str, int] = 120
    cap: int = 100
    variants: Sequence[str] = ()
    hosts: int = 8
    port: int = 0
    address: str = "127.0.0.1"
    patience: float = 1.0
    log: bool = True
    cache_bytes: int = 256 << 20
    distinct: int | None = None
    photographs: bool = False
    cached_copies: bool = True
    outages: Sequence[SearchOutage] = ()


class Playground:
    """An offline web.

    Options, all with a default:
        seed: decides every picture, title and address.
        latency_s: seconds before every answer.
        faults: "none", "some", "all" or names; which faults listings mix in.
        mix: shares of a listing: exact_duplicate, near_duplicate, placeholder, thumbnail, fault.
        supply: entries of a query, or a table of them by query.
        cap: entries of one Bing-like listing; filters give other slices.
        variants: names of `variants.ALL` that hold for every search page.
        hosts: number of image hosts.
        port: port number, 0 for a free one.
        address: where the search site listens.
        patience: factor on the waiting times of faults (0.01 makes them quick).
        log: whether requests are recorded (counts are always kept).
        cache_bytes: how much of the rendered pictures is kept.
        distinct: pictures repeat with other bytes from this index on (for benchmarks).
        photographs: some words find real photographs first, where `pixtrawl[demo]` is installed.
        cached_copies: the Bing-like search offers a copy of its own of every picture, which is
            there even where the original is not.
        outages: for how long searches are answered badly; one after another.
    """

    def __init__(self, **options: object) -> None:
        self.options = PlaygroundOptions(**options)  # type: ignore[arg-type]
        self.log = RequestLog(enabled=self.options.log)
        self.store = PictureStore(
            self.options.seed, cache_bytes=self.options.cache_bytes, distinct=self.options.distinct
        )
        self.url = ""
        self.hosts: list[str] = []
        self._listings: Listings | None = None
        self._line: FaultLine | None = None
        self._server: Server | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    # What tests and benchmarks ask.

    @property
    def requests(self) -> list[RequestRecord]:
        """Every request so far, in order of arrival."""
        return list(self.log.records)

    def requests_to(self, url_part: str) -> list[RequestRecord]:
        """Return the requests whose http://host/target contains `url_part`."""
        return [r for r in self.log.records if url_part in f"http://{r.host}{r.target}"]

    @property
    def high_water(self) -> Mapping[str, int]:
        """Most requests in progress at once, by host (address:port)."""
        return self.log.high_water

    @property
    def errors(self) -> list[Exception]:
        """Bugs of the playground's own handlers; empty in a sound test."""
        return self.log.errors

    @property
    def listings(self) -> Listings:
        assert self._listings is not None, "the playground is not running"
        return self._listings

    @property
    def fault_line(self) -> FaultLine:
        assert self._line is not None, "the playground is not running"
        return self._line

    def expected(self, query: str, **parameters: str) -> list[Original]:
        """Return the true listing of a query; `parameters` as in a Google-like URL (tbs, imgar)."""
        return _ranked(self.listings.select(query, google_filter({"q": query, **parameters})))

    def expected_bing(self, query: str, **parameters: str) -> list[Original]:
        """Return the true Bing-like listing of a query, capped; `parameters`: qft.

        Faults may end as saved there: the page offers a cached copy of every picture.
        """
        kept = self.listings.select(query, bing_filter({"q": query, **parameters}))
        rescued = self.options.cached_copies
        return [
            replace(e, also=(*e.also, "saved")) if rescued and e.role.startswith("fault:") else e
            for e in _ranked(kept[: self.options.cap])
        ]

    def fault(self, name: str, index: int = 0) -> FaultTruth:
        """Return where the fault `name` is, and how a client should end there."""
        return self.fault_line.truth(name, "fault.pictures", index)

    def faults(self) -> list[FaultTruth]:
        """Return every fault."""
        return [self.fault(name) for name in self.fault_line.names("all")]

    @property
    def galleries(self) -> Galleries:
        """Addresses of gallery pages and the truth about them."""
        return Galleries(self.listings)

    def image_urls(self, count: int, keyword: str = "bench") -> list[str]:
        """Return URLs of `count` sound pictures, in turn over the hosts, rendered on request."""
        slug = slug_of(keyword)
        return [self.listings.all_url(slug, index) for index in range(count)]

    def render(self, urls: Sequence[str]) -> int:
        """Render pictures beforehand, so that a benchmark does not wait; return their bytes."""
        total = 0
        for url in urls:
            file = self.store.get("/" + url.split("/", 3)[3])
            total += len(file.body) if file is not None else 0
        return total

    # Start and stop.

    def __enter__(self) -> Self:
        started = threading.Event()
        failure: list[BaseException] = []
        self._thread = threading.Thread(
            target=self._run_thread, args=(started, failure), name="playground", daemon=True
        )
        self._thread.start()
        started.wait()
        if failure:
            self._thread.join()
            raise failure[0]
        return self

    def _run_thread(self, started: threading.Event, failure: list[BaseException]) -> None:
        loop = asyncio.new_event_loop()
        self._loop = loop
        try:
            loop.run_until_complete(self.start())
        except OSError as error:
            failure.append(error)
            loop.run_until_complete(self.stop())
            loop.close()
            return
        finally:
            started.set()
        try:
            loop.run_forever()
            loop.run_until_complete(self.stop())
        finally:
            loop.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on the running loop. Raises OSError where the port is taken."""
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="playground-render")
        self._server = Server(self.log, self.options.latency_s)
        router = Router(self.store, self._pool)
        first = await self._listen_first(router)
        port = int(first.host.rpartition(":")[2])
        self.url = f"http://{first.host}"
        addresses = [f"127.0.0.{number + 2}" for number in range(self.options.hosts)]
        self.hosts = [await self._listen(a, port, router) for a in addresses]
        origins = {
            name: await self._listen(f"127.0.0.{_FIRST_FAULT + number}", port, router)
            for number, name in enumerate(FAULTS)
        }
        await self._listen("127.1.0.1", port, router)
        dead_ends = DeadEnds(
            self._server.hold("127.0.0.1", "refused"), self._server.hold("127.0.0.1", "full")
        )
        self._line = FaultLine(self.store, origins, dead_ends, self.options.patience)
        self._listings = self._make_listings()
        router.attach(self._listings, self._line, self.options.variants, self.options.cap)
        router.outages = self.options.outages

    def _make_listings(self) -> Listings:
        mix = dict(self.options.mix)
        chosen = self.options.faults
        assert self._line is not None
        if "fault" not in mix:
            mix["fault"] = FAULT_SHARES[chosen] if isinstance(chosen, str) else 0.15
        return Listings(
            seed=self.options.seed,
            site_url=self.url,
            hosts=tuple(self.hosts),
            store=self.store,
            supply=self.options.supply,
            mix=mix,
            faults=tuple(self._line.entries(chosen)),
            photographs=self.options.photographs,
            cached_copies=self.options.cached_copies,
        )

    async def _listen_first(self, router: Router) -> ListeningAddress:
        """Listen as the search site, on a port that is free for the first image host as well."""
        assert self._server is not None
        return await self._server.listen(self.options.address, self.options.port, router.handle)

    async def _listen(self, address: str, port: int, router: Router) -> str:
        """Listen as a further host at `address`, else on 127.0.0.1; return its base URL."""
        assert self._server is not None
        try:
            listener = await self._server.listen(address, port, router.handle)
        except OSError:
            listener = await self._server.listen("127.0.0.1", 0, router.handle)
        return f"http://{listener.host}"

    async def stop(self) -> None:
        """Free every socket and thread."""
        if self._server is not None:
            await self._server.aclose()
            self._server = None
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _ranked(entries: Sequence[Original]) -> list[Original]:
    return [replace(entry, rank=rank) for rank, entry in enumerate(entries, 1)]
