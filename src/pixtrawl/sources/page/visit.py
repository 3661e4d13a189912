"""One query's crawl: each page leads to candidates or to a stop that states the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from msgspec.structs import replace

from pixtrawl import urls
from pixtrawl.browser.failure import BrowserFailure
from pixtrawl.errors import FetchError, PixtrawlError, SourceStop
from pixtrawl.model import Alternate, Candidate, Kind, Query, Reason
from pixtrawl.net.interface import Response
from pixtrawl.net.robots.exclusion import opts_out
from pixtrawl.preferences import Statement, evidence_text
from pixtrawl.sources import consent, stops
from pixtrawl.sources.base import SourceContext
from pixtrawl.sources.consent import ConsentGate
from pixtrawl.sources.html import Document
from pixtrawl.sources.page import stops as page_stops
from pixtrawl.sources.page.crawl import CrawlRules, PageQueue, PageVisit, Via
from pixtrawl.sources.page.found import Facts, FoundPicture, FoundPictures, Tier, Way, Wish
from pixtrawl.sources.page.links import PageContent, is_image_link, read_page
from pixtrawl.sources.page.sitemap import Sitemap, read_sitemap, sitemaps_of_robots, unpacked
from pixtrawl.sources.page.state import read_text
from pixtrawl.sources.page.walls import Content, content_of, is_whole, text_of, wall_of
from pixtrawl.sources.results import ImageResult, candidate_of

if TYPE_CHECKING:
    from pixtrawl.sources.page.render import PageRenderer

__all__ = ["Crawl"]

_MAX_KEPT: Final = 5  # unreadable answers reported by name
_ACCEPT: Final = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.5"}
_CONSENT_PICTURES: Final = 3  # a page with more pictures is no consent page
_NOT_LISTED: Final = frozenset({"noindex", "noimageindex"})
_MAX_SEEN: Final = 200_000


class Crawl:
    """The crawl of one query: its queue, and counts of pages seen."""

    def __init__(self, rules: CrawlRules, wish: Wish, query: Query, context: SourceContext) -> None:
        self.queue = PageQueue(rules)
        self.rank = 0
        self.skipped: Counter[str] = Counter()
        self.renderer: PageRenderer | None = None
        self._rules = rules
        self._wish = wish
        self._query = query
        self._context = context
        self._seen: set[bytes] = set()
        self._gates: dict[str, ConsentGate] = {}  # by host
        self._kept: list[object] = []  # evidence of pages that could not be read

    # -- begin, go on, report

    def resume(self) -> bool:
        """Resume an earlier run; return False if there is nothing to resume from."""
        position = self._context.position
        if not position or not self.queue.restore(position):
            return False
        rank = position.get("rank")
        self.rank = rank if isinstance(rank, int) and rank > 0 else 0
        return True

    async def begin(self, starts: Sequence[str], sitemap: str) -> None:
        """Queue the first pages, and sitemaps as the setting says."""
        self.queue.start(starts)
        at_root = bool(starts) and urlsplit(starts[0]).path in {"", "/"}
        if sitemap == "true" or (sitemap == "auto" and self._rules.depth > 0 and at_root):
            self.queue.sitemaps(await self._site_maps(starts[0]), depth=min(1, self._rules.depth))

    async def _site_maps(self, start: str) -> list[str]:
        """Return the sitemaps that robots.txt names, else the usual place."""
        usual = urls.join(start, "/sitemap.xml")
        try:
            answer = await self._context.http.get(urls.join(start, "/robots.txt") or start)
        except FetchError:
            return [usual] if usual else []
        named = sitemaps_of_robots(answer.text) if answer.status == 200 else []
        return named or ([usual] if usual else [])

    def position(self) -> dict[str, Any]:
        """Like `PageQueue.position`, with the rank reached."""
        return {**self.queue.position(), "rank": self.rank}

    @property
    def ahead(self) -> int:
        """The number of known pages not visited, because of `max_pages`."""
        return self.queue.ahead

    def detail(self) -> dict[str, object]:
        """Return report details: pages visited, and pages skipped by reason."""
        detail: dict[str, object] = {"pages": self.queue.visited}
        if self.skipped:
            detail["skipped"] = dict(sorted(self.skipped.items()))
        if self._kept:
            detail["evidence"] = list(self._kept)
        return detail

    def skip(self, visit: PageVisit, stop: SourceStop) -> None:
        """Count a page that gave nothing; drop a host that asks to slow down."""
        kind = stop.detail.get("kind")
        status = stop.detail.get("http_status")
        if visit.via is Via.SITEMAP and status in {404, 410}:
            return  # a missing sitemap is no failure
        if kind == "rate_limit":
            self.queue.refuse(visit.url)
        why = str(kind or stop.outcome)
        if "robots.txt" in str(stop.detail.get("message", "")):
            why = "robots_txt"
        elif isinstance(status, int) and not 200 <= status < 300:
            why = f"http_{status}"
        self.skipped[why] += 1
        if kind == "unreadable" and len(self._kept) < _MAX_KEPT:
            evidence = stop.detail.get("evidence")
            self._kept += evidence if isinstance(evidence, list) else []

    # -- one page

    async def visit(self, visit: PageVisit) -> tuple[Candidate, ...]:
        """Return the new pictures of one page, and queue its links. Raises SourceStop."""
        try:
            response = await self._get(visit.url)
        except FetchError as error:
            if error.reason is Reason.TOO_MANY_BYTES and is_image_link(visit.url):
                return self._candidates(self._single(visit.url), None)
            limit = self._rules.max_bytes
            raise await page_stops.of_failure(self._context, error, visit.url, limit) from error
        try:
            return await self._read(visit, response)
        except (PixtrawlError, OSError, MemoryError):
            raise
        except Exception as error:
            raise page_stops.unreadable(self._context, response, error) from error

    async def _get(self, url: str) -> Response:
        headers = {**_ACCEPT, **self._gate(url).headers()}
        return await self._context.http.get(url, headers=headers, max_bytes=self._rules.max_bytes)

    async def _read(self, visit: PageVisit, response: Response) -> tuple[Candidate, ...]:
        self.queue.moved(visit, response.url)
        self._check(response)
        body = unpacked(response.body)
        if body is not response.body:
            response = replace(response, body=body)
        text = text_of(response)
        content = content_of(response, text)
        bare = content in {Content.IMAGE, Content.DATA}  # pages say more, and are read first
        if bare and (stop := page_stops.reserved(self._context, response)) is not None:
            raise stop
        if content is Content.IMAGE:
            return self._candidates(self._single(visit.url), None)
        if content is Content.SITEMAP:
            return self._of_sitemap(visit, response, read_sitemap(text))
        if content is Content.DATA:
            return self._of_data(response, text)
        if content is not Content.HTML:
            why = "blank" if content is Content.NOTHING else "other"
            raise page_stops.nothing_on(self._context, response, why=why)
        response, reading = await self._page(visit, response, text)
        self._lead_on(visit, response, reading)
        statements = page_stops.statements_on(response, reading.reserved)
        found = self._candidates(reading.pictures, response.url, statements)
        shown = self._shown(visit, reading)
        if not reading.pictures and not shown:
            if reading.shown:
                raise page_stops.shows_another(response, [one.url for one in reading.shown])
            raise page_stops.nothing_on(self._context, response, why=_why(reading, response))
        return found

    def _shown(self, visit: PageVisit, reading: PageContent) -> bool:
        """Queue the documents shown by a page without content of its own."""
        if reading.has_content:
            return False
        found = False
        for one in reversed(reading.shown):  # each is queued before the others
            found |= self.queue.shown(visit, one.url, instead=one.instead)
        return found

    def _check(self, response: Response) -> None:
        """Raise SourceStop for a bad status or an opt-out header."""
        if not 200 <= response.status < 300:
            text = text_of(response)[:400_000]
            document = read_page(text, response.url, self._wish).document
            wall = wall_of(response, text, document, 0)
            stop = page_stops.of_status(self._context, response, wall)
            if stop is not None:
                raise stop
        tag = response.headers.get("x-robots-tag", "")
        purpose = self._context.preferences.purpose
        directive = opts_out(tag.split("\n"), purpose=purpose) if tag else ""
        if directive and not self._context.ignore_robots:
            raise page_stops.opted_out(self._context, response, directive, "X-Robots-Tag")

    async def _page(
        self, visit: PageVisit, response: Response, text: str
    ) -> tuple[Response, PageContent]:
        """Return the page, past a consent page, rendered if set. Raises SourceStop."""
        response, reading = await self._past_consent(visit, response, text)
        self._check_opt_out(visit, response, reading)
        if self.renderer is not None:
            try:
                response = await self.renderer.render(response)
            except BrowserFailure as failure:
                raise page_stops.of_browser(failure) from failure
            reading = read_page(text_of(response), response.url, self._wish)
            self._check_opt_out(visit, response, reading)
        wall = wall_of(response, text_of(response), reading.document, len(reading.pictures))
        if wall and not (wall == "js_wall" and reading.shown):
            raise page_stops.walled(self._context, response, wall)
        return response, reading

    def _check_opt_out(self, visit: PageVisit, response: Response, reading: PageContent) -> None:
        """Raise SourceStop for a page that opts out; its links may still be followed."""
        directive = opts_out(reading.robots, purpose=self._context.preferences.purpose)
        if directive and not self._context.ignore_robots:
            if directive in _NOT_LISTED:
                self._lead_on(visit, response, reading)
            raise page_stops.opted_out(self._context, response, directive, "meta robots")
        if (stop := page_stops.reserved(self._context, response, reading.reserved)) is not None:
            self._lead_on(visit, response, reading)
            raise stop

    def _gate(self, url: str) -> ConsentGate:
        host = urls.host_of(url)
        if host not in self._gates:
            self._gates[host] = ConsentGate(source=page_stops.SOURCE, context=self._context)
        return self._gates[host]

    async def _past_consent(
        self, visit: PageVisit, response: Response, text: str
    ) -> tuple[Response, PageContent]:
        """Return the page behind a consent page; any other as it is. Raises SourceStop."""
        reading = read_page(text, response.url, self._wish)

        def consent_page(answer: Response) -> Document | None:
            nonlocal reading
            if answer is not response:
                reading = read_page(text_of(answer), answer.url, self._wish)
            return reading.document if _is_consent(visit, answer, reading) else None

        gate = self._gate(visit.url)
        try:
            answer = await gate.past(response, consent_page, lambda: self._get(visit.url))
        except FetchError as error:
            raise stops.consent(self._context, response, page_stops.SOURCE) from error
        return answer, reading

    def _lead_on(self, visit: PageVisit, response: Response, reading: PageContent) -> None:
        """Queue the page's links, unless it asks not to follow them."""
        tag = response.headers.get("x-robots-tag", "").lower()
        if (reading.nofollow or "nofollow" in tag) and not self._context.ignore_robots:
            return
        self.queue.following(visit, reading.following)
        self.queue.links(visit, reading.links)

    # -- what is no page

    def _single(self, url: str) -> list[FoundPicture]:
        pictures = FoundPictures(url, self._wish)
        pictures.add(Tier.BODY, [Way(url)])
        return pictures.found()

    def _of_sitemap(
        self, visit: PageVisit, response: Response, found: Sitemap
    ) -> tuple[Candidate, ...]:
        if not (found.sitemaps or found.pages):
            raise page_stops.nothing_on(self._context, response, why="unlisted")
        self.queue.sitemaps(found.sitemaps, depth=visit.depth)
        self.queue.listed(visit, found.pages)
        candidates: list[Candidate] = []
        for one in found.images:
            pictures = FoundPictures(one.page_url, self._wish)
            facts = Facts(title=one.title, license=one.license, license_url=one.license)
            pictures.add(Tier.BODY, [Way(one.url)], facts)
            candidates += self._candidates(pictures.found(), one.page_url)
        return tuple(candidates)

    def _of_data(self, response: Response, text: str) -> tuple[Candidate, ...]:
        """Read JSON and feeds: every URL of an image file."""
        pictures = FoundPictures(response.url, self._wish)
        read_text(text, pictures)
        if not len(pictures):
            raise page_stops.nothing_on(self._context, response, why="other")
        statements = page_stops.statements_on(response)
        return self._candidates(pictures.found(), response.url, statements)

    # -- candidates

    def _candidates(
        self,
        pictures: Iterable[FoundPicture],
        page_url: str | None,
        statements: Sequence[Statement] = (),
    ) -> tuple[Candidate, ...]:
        """Return candidates that no earlier page had; ranks continue."""
        found, page_said = [], evidence_text(statements)
        for picture in pictures:
            keys = [urls.url_key(url) for url, kind in picture.ways if kind is not Kind.THUMBNAIL]
            keys = keys or [urls.url_key(picture.ways[0][0])]
            if any(key in self._seen for key in keys):
                continue
            if len(self._seen) < _MAX_SEEN:
                self._seen.update(keys)
            result = _result(picture, page_url, page_said)
            candidate = candidate_of(result, self._query, page_stops.SOURCE, self.rank + 1)
            if candidate is not None:
                self.rank += 1
                found.append(candidate)
        return tuple(found)


def _result(picture: FoundPicture, page_url: str | None, page_said: str | None) -> ImageResult:
    (url, kind), *others = picture.ways
    facts = picture.facts
    # The stated size may be that of another copy.
    sized = len(picture.ways) == 1 or picture.tier in {Tier.META, Tier.DATA}
    return ImageResult(
        url=url, kind=kind, page_url=page_url, thumb_url=picture.thumb_url,
        title=facts.title, alt=facts.alt, page_text=facts.page_text,
        width=facts.width if sized else None, height=facts.height if sized else None,
        license=facts.license, license_url=facts.license_url, creator=facts.creator,
        alternates=tuple(Alternate(other, of) for other, of in others), page_said=page_said,
    )  # fmt: skip


def _is_consent(visit: PageVisit, response: Response, reading: PageContent) -> bool:
    document = reading.document
    if document is None or len(reading.pictures) > _CONSENT_PICTURES:
        return False
    if not consent.is_consent(response, document):
        return False
    moved = urlsplit(response.url).path != urlsplit(visit.url).path
    return moved or consent.reject_all(response, document) is not None


def _why(reading: PageContent, response: Response) -> str:
    """Return why a page gave nothing; only a complete page without images counts as empty."""
    if reading.document is None:
        return "complex"
    if reading.any_image:
        return "hidden"
    return "empty" if is_whole(text_of(response)) else "cut"
