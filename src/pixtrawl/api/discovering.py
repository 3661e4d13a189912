"""`pixtrawl.discover` and `pixtrawl.discover_async`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pixtrawl.api.arguments import (
    Aspect,
    Color,
    Expand,
    PictureType,
    Purpose,
    Queries,
    Safe,
    SourceSettings,
    front_door,
    given,
)
from pixtrawl.api.calls import discover_queries, warn
from pixtrawl.api.waiting import wait
from pixtrawl.config.groups import Config
from pixtrawl.display.watch import Watch
from pixtrawl.events import Event, ignore
from pixtrawl.model import Candidate


@front_door
async def discover_async(  # noqa: PLR0913 - one for each option of the command
    queries: Queries,
    *,
    out: Path | str | None = None,
    config: Config | None = None,
    limit: int | Literal["all"] | None = 100,
    source: str | Sequence[str] = "auto",
    label: str | None = None,
    prefix: str = "",
    suffix: str = "",
    size: str | None = None,
    color: Color | None = None,
    type: PictureType | None = None,
    aspect: Aspect | None = None,
    date: str | None = None,
    license: str | None = None,
    site: str | None = None,
    lang: str | None = None,
    region: str | None = None,
    safe: Safe | None = None,
    expand: Expand | Sequence[Expand] = "off",
    synonyms: Path | str | None = None,
    max_time: float | str | None = None,
    timeout: float | str = 30.0,
    retries: int = 2,
    limit_rate: int | str | None = None,
    proxy: str | None = None,
    cookies: Path | str | None = None,
    contact: str | None = None,
    user_agent: str | None = None,
    allow_address: str | Sequence[str] = (),
    per_host: int = 8,
    delay: float | str = 0.0,
    patience: float | str = 900.0,
    exclude_host: str | Sequence[str] = (),
    max_crawl_delay: float | str = 60.0,
    ignore_robots: bool = False,
    purpose: Purpose = "train",
    ignore_ai_preferences: bool = False,
    allow_thumbnails: bool = False,
    settings: SourceSettings | None = None,
    set: str | Sequence[str] = (),
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
) -> list[Candidate]:
    """Await `discover` inside a running event loop.

    Arguments, units, defaults, result, warnings and errors are those of `pixtrawl.discover`.
    Cancelling its task shuts the run down gracefully: the data set stays consistent, and the same
    call resumes it.

    Example:
        >>> found = await pixtrawl.discover_async("tabby cat", limit=50, source="open")
    """
    watch = Watch(progress, log, listener, things="URLs")
    found, report = await discover_queries(queries, out, watch, given(locals()))
    warn(report, "URLs")
    return found


@front_door
def discover(  # noqa: PLR0913 - one for each option of the command
    queries: Queries,
    *,
    out: Path | str | None = None,
    config: Config | None = None,
    limit: int | Literal["all"] | None = 100,
    source: str | Sequence[str] = "auto",
    label: str | None = None,
    prefix: str = "",
    suffix: str = "",
    size: str | None = None,
    color: Color | None = None,
    type: PictureType | None = None,
    aspect: Aspect | None = None,
    date: str | None = None,
    license: str | None = None,
    site: str | None = None,
    lang: str | None = None,
    region: str | None = None,
    safe: Safe | None = None,
    expand: Expand | Sequence[Expand] = "off",
    synonyms: Path | str | None = None,
    max_time: float | str | None = None,
    timeout: float | str = 30.0,
    retries: int = 2,
    limit_rate: int | str | None = None,
    proxy: str | None = None,
    cookies: Path | str | None = None,
    contact: str | None = None,
    user_agent: str | None = None,
    allow_address: str | Sequence[str] = (),
    per_host: int = 8,
    delay: float | str = 0.0,
    patience: float | str = 900.0,
    exclude_host: str | Sequence[str] = (),
    max_crawl_delay: float | str = 60.0,
    ignore_robots: bool = False,
    purpose: Purpose = "train",
    ignore_ai_preferences: bool = False,
    allow_thumbnails: bool = False,
    settings: SourceSettings | None = None,
    set: str | Sequence[str] = (),
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
) -> list[Candidate]:
    """Find image URLs and download nothing.

    Every option of `pixtrawl discover` is an argument; settings without one are in `config`.

    Args:
        queries: words, numbers, files of queries, `Query` values, rows such as {'query': 'cat',
            'label': 'pets', 'limit': 50}, {'cat': 50}, a data frame.
        out: manifest to be written as well: .jsonl, .csv, .parquet or .txt.
        config: settings to start from, also those without an argument; None: `Config.load()`, which
            reads defaults, the user's file and the environment. Arguments override it.
        limit: distinct URLs for each query; 'all' or None: all that there are.
        source: where to look, one name or several: 'auto', 'open', 'bing', ... (`pixtrawl
            sources`).
        label: one folder name for all; None: each query's own words.
        prefix: words put before each query.
        suffix: words put after each query.
        size: filter: 'small', 'medium', 'large', or at least '1024x768' (pixels).
        color: filter: 'color', 'gray', 'transparent', 'red', 'orange', ... 'black', 'brown'.
        type: filter: 'photo', 'clipart', 'lineart', 'animated', 'face'.
        aspect: filter: 'square', 'wide', 'tall'.
        date: filter: 'day', 'week', 'month', 'year', or '2026-01-01..2026-06-30'.
        license: filter: 'any', 'open', 'public', 'commercial', 'modify', or an id such as 'cc-by'.
        site: filter: from this site only, such as 'example.org'.
        lang: filter: language of the pages, such as 'en' or 'pt-BR'.
        region: filter: country asked from, such as 'de'.
        safe: filter: the sources' own, 'off', 'moderate' or 'strict'.
        expand: also ask query variants: 'filters', 'related', 'synonyms', 'drift'; or 'off'.
        synonyms: file for expand='synonyms': lines QUERY = SYNONYM, ...
        max_time: stop after so many seconds; all times may be written as '10m' or '1h', too.
        timeout: seconds for one file, all attempts.
        retries: further attempts after a transient failure.
        limit_rate: bytes per second over all transfers, or '2M'; None: no limit.
        proxy: http://, https:// or socks5h:// proxy for everything.
        cookies: cookies.txt in Netscape's format, to be sent.
        contact: e-mail address or web page for site owners, put into the User-Agent.
        user_agent: a whole User-Agent of your own.
        allow_address: inner address ranges (CIDR) that may be connected to, such as '127.0.0.0/8'.
        per_host: transfers at once from one host.
        delay: seconds between two requests to one host.
        patience: seconds to wait for a source or host in trouble that does not answer.
        exclude_host: hosts never fetched from, with their subdomains.
        max_crawl_delay: longest Crawl-delay of a robots.txt to keep, in seconds.
        ignore_robots: do not ask robots.txt and opt-out headers.
        purpose: use of the images on which their owners are heard: 'train' or 'search'.
        ignore_ai_preferences: keep images whose owners say no to the purpose.
        allow_thumbnails: thumbnails count where nothing better exists.
        settings: settings of sources: {'bing': {'delay_s': 2}}.
        set: the same as on the command line: ['bing.delay_s=2', 'fetch.max_redirects=5'].
        progress: show progress and verdict; None: in notebooks and terminals.
        log: file to which a line is added for every event, with its time.
        listener: called with every event of `pixtrawl.events`; it must not block.

    Returns:
        One `Candidate` for each URL, in the order of queries and ranks: `.url`, `.page_url`,
        `.title`, `.license`, `.width` and `.height` in pixels, None where the source does not say.
        `pixtrawl.download` takes them. A `ShortWarning` says why there are fewer than asked for.

    Raises:
        UsageError: an unknown option or source, an invalid value, an unreadable file. For an
            unknown keyword it is also a TypeError and names the nearest one.
        EnvironmentFailedError: the folder, the disk or the decoders cannot be used.
        StoppedError: Ctrl-C; the data set is consistent, and the same call resumes.

    Example:
        >>> found = pixtrawl.discover("tabby cat", limit=50, source="open", out="cats.jsonl")
        >>> ds = pixtrawl.download(found, output="images")
    """
    chosen = given(locals())
    watch = Watch(progress, log, listener, things="URLs")
    found, report = wait(lambda: discover_queries(queries, out, watch, chosen))
    warn(report, "URLs")
    return found
