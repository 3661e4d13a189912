"""Pictures of given pages, and of crawls from them.

`pixtrawl run https://example.org/gallery -s page -n 50 --set page.depth=1`: the query is the page's
URL. With `--set page.urls='https://example.org/search?q={query}'` other queries get the pictures of
those pages (several URLs are separated by spaces). `{query}` is replaced by the query's text;
without it every query gets all pictures of the pages. Pages are fetched one at a time, at a pace
per host, as robots.txt and opt-outs allow.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import ClassVar, Final
from urllib.parse import quote

from msgspec import Struct

from pixtrawl import urls
from pixtrawl.config import parse
from pixtrawl.config.groups import Fetch
from pixtrawl.errors import SourceStop, UsageError
from pixtrawl.model import Query
from pixtrawl.sources.base import Page, ReplayHints, SourceContext, SourceInfo, SourceSetting
from pixtrawl.sources.page.crawl import CrawlRules
from pixtrawl.sources.page.found import Wish
from pixtrawl.sources.page.stops import no_page_query, too_few_pages
from pixtrawl.sources.page.visit import Crawl
from pixtrawl.sources.settings import read_settings, setting

__all__ = ["WebPage"]

DELAY_S: Final = 0.5
_PLACE: Final = "{query}"

_SETTINGS: Final = (
    SourceSetting("urls", "", "pages for every query, by spaces; {query} stands for its text"),
    SourceSetting("depth", "0", "links followed from a page; 0: the page itself"),
    SourceSetting("max_pages", "50", "pages visited for one query, rel=next ones included"),
    SourceSetting("max_bytes", "64M", "size of one page, pictures inside of it included"),
    SourceSetting("same_site", "true", "false follows links to other sites, too"),
    SourceSetting("sitemap", "auto", "auto (crawls from a site's root), true or false"),
    SourceSetting("render", "false", "true lets a browser run the scripts, and scrolls"),
    SourceSetting("upgrade", "true", "false leaves the addresses of resized copies as they are"),
    SourceSetting("icons", "false", "true takes favicons and pictures up to 32 pixels"),
    SourceSetting("svg", "false", "true takes SVG files"),
    SourceSetting("min_size", "", "WxH that width and height attributes must not be below"),
    SourceSetting("base_url", "", "for tests: a query that is a path is taken from this server"),
    SourceSetting(
        "delay_s", "", f"seconds between requests to one host ({DELAY_S:g}; 0 with a base_url)"
    ),
    SourceSetting("enabled", "true", "false takes the source out of its groups"),
)


class PageSettings(Struct, frozen=True):
    """The source's settings, read from text."""

    base_url: str
    pages: tuple[str, ...]
    rules: CrawlRules
    sitemap: str  # auto | true | false
    render: bool
    wish: Wish

    @classmethod
    def read(cls, info: SourceInfo, given: Mapping[str, str]) -> PageSettings:
        """Read the settings from text. Raises UsageError, naming the setting."""
        name = "page"
        own = read_settings(name, info, given)
        pages = tuple(given.get("urls", "").split())
        for url in pages:
            if not _is_web(url.replace(_PLACE, "x")):
                raise UsageError(f"page.urls: {url!r} is no http(s) address")
        rules = CrawlRules(
            depth=setting(name, given, "depth", parse.count, default=0),
            max_pages=setting(name, given, "max_pages", parse.positive, default=50),
            same_site=setting(name, given, "same_site", parse.boolean, default=True),
            max_bytes=setting(name, given, "max_bytes", parse.size_bytes, default=64 * 2**20),
        )
        wish = Wish(
            upgrade=setting(name, given, "upgrade", parse.boolean, default=True),
            icons=setting(name, given, "icons", parse.boolean, default=False),
            svg=setting(name, given, "svg", parse.boolean, default=False),
            min_size=setting(name, given, "min_size", parse.size_px, default=(0, 0)),
        )
        render = setting(name, given, "render", parse.boolean, default=False)
        sitemap = setting(name, given, "sitemap", _auto, default="auto")
        return cls(own.base_url, pages, rules, sitemap, render, wish)


def _auto(text: str) -> str:
    word = text.strip().lower()
    if word == "auto":
        return word
    return "true" if parse.boolean(word) else "false"


class WebPage:
    """Given web pages."""

    name: ClassVar[str] = "page"
    replay: ClassVar[ReplayHints] = ReplayHints(query="http://replay.invalid/page")
    info: ClassVar[SourceInfo] = SourceInfo(
        title="Web pages",
        base_url="",
        sentence="Takes the pictures of given pages, and of pages that they lead to.",
        verified="real server",
        settings=_SETTINGS,
        delay_s=DELAY_S,
        limit="50 pages a query (page.max_pages)",
        license="per image",
        crawls=True,
        terms="Each site's own. robots.txt, X-Robots-Tag and meta robots of the pages are obeyed "
        "(--ignore-robots ends that). With page.render the browser, too, is behind the address "
        "guard.",
    )

    def __init__(self, settings: Mapping[str, str]) -> None:
        """Read the settings. Raises UsageError."""
        self._settings = PageSettings.read(self.info, settings)
        self._renderer = None
        if self._settings.render:
            from pixtrawl.sources.page.render import PageRenderer  # only rendering needs a browser

            self._renderer = PageRenderer()

    def set_network(self, fetch: Fetch) -> None:
        """Let the browser reach what the run may reach."""
        if self._renderer is not None:
            self._renderer.set_network(fetch)

    async def discover(self, query: Query, context: SourceContext) -> AsyncGenerator[Page, None]:
        """Yield the pictures page by page, most important first. Raises SourceStop."""
        crawl = Crawl(self._settings.rules, self._settings.wish, query, context)
        crawl.renderer = self._renderer
        starts = self._starts(query)
        if not crawl.resume():
            await crawl.begin(starts, self._settings.sitemap)
        stops: list[SourceStop] = []
        while (visit := crawl.queue.take()) is not None:
            try:
                candidates = await crawl.visit(visit)
            except SourceStop as stop:
                crawl.skip(visit, stop)
                stops.append(stop)
                continue
            if candidates:
                yield Page(candidates, crawl.position(), detail=crawl.detail())
        if crawl.rank == 0 and not stops and crawl.ahead:
            raise too_few_pages(crawl.ahead, crawl.detail())
        if crawl.rank == 0 and stops:
            raise SourceStop(stops[0].outcome, **{**stops[0].detail, **crawl.detail()})
        if crawl.skipped:
            yield Page((), crawl.position(), detail=crawl.detail())

    async def aclose(self) -> None:
        """Close the browser, if there is one."""
        if self._renderer is not None:
            await self._renderer.aclose()

    def _starts(self, query: Query) -> list[str]:
        """Return the pages that the query means. Raises SourceStop."""
        text = query.text.strip()
        if _is_web(text):
            return [text]
        if self._settings.base_url and text.startswith("/"):
            return [f"{self._settings.base_url}{text}"]
        if not self._settings.pages:
            raise no_page_query(text)
        return [url.replace(_PLACE, quote(text, safe="")) for url in self._settings.pages]


def _is_web(text: str) -> bool:
    given = text[:8].lower().startswith(("http://", "https://"))
    return given and urls.check(text) is None and bool(urls.host_of(text))
