"""`pixtrawl.run` and `pixtrawl.run_async`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pixtrawl.api.arguments import (
    Aspect,
    Check,
    Color,
    Conflict,
    Dedup,
    Durability,
    Engine,
    Expand,
    Junk,
    PictureType,
    Purpose,
    Queries,
    Retry,
    Safe,
    Size,
    SourceSettings,
    front_door,
    given,
)
from pixtrawl.api.calls import run_queries, warn
from pixtrawl.api.waiting import wait
from pixtrawl.config.groups import Config
from pixtrawl.dataset import Dataset
from pixtrawl.display.watch import Watch
from pixtrawl.events import Event, ignore


@front_door
async def run_async(  # noqa: PLR0913 - one for each option of the command
    queries: Queries,
    *,
    config: Config | None = None,
    limit: int | Literal["all"] | None = 100,
    output: Path | str = "images",
    source: str | Sequence[str] = "auto",
    label: str | None = None,
    prefix: str = "",
    suffix: str = "",
    min_size: Size | None = None,
    dedup: Dedup = "near",
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
    relevant: bool = False,
    model: Path | str | None = None,
    pool: int | None = None,
    steer: int = 200,
    engine: Engine = "auto",
    durability: Durability = "batch",
    retry: Retry = "transient",
    caption: str | None = None,
    max_total_bytes: int | str | None = None,
    max_time: float | str | None = None,
    concurrency: int = 256,
    max_bytes: int | str = 64 * 2**20,
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
    check: Check = "full",
    allow_thumbnails: bool = False,
    exclude: str | Sequence[str] = (),
    junk: Junk = "auto",
    conflict: Conflict = "keep",
    turned: bool = False,
    block_hashes: Path | str | Sequence[Path | str] = (),
    to: str | None = None,
    export_to: Path | str | None = None,
    resize: int | str | None = None,
    encode: str | None = None,
    quality: int | None = None,
    split: str | None = None,
    settings: SourceSettings | None = None,
    set: str | Sequence[str] = (),
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
) -> Dataset:
    """Await `run` inside a running event loop.

    Arguments, units, defaults, result, warnings and errors are those of `pixtrawl.run`.
    Cancelling its task shuts the run down gracefully: the data set stays consistent, and the same
    call resumes it.

    Example:
        >>> ds = await pixtrawl.run_async(["tabby cat"], limit=200, output="images")
    """
    result = await run_queries(queries, Watch(progress, log, listener), given(locals()))
    warn(result.report)
    return result


@front_door
def run(  # noqa: PLR0913 - one for each option of the command
    queries: Queries,
    *,
    config: Config | None = None,
    limit: int | Literal["all"] | None = 100,
    output: Path | str = "images",
    source: str | Sequence[str] = "auto",
    label: str | None = None,
    prefix: str = "",
    suffix: str = "",
    min_size: Size | None = None,
    dedup: Dedup = "near",
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
    relevant: bool = False,
    model: Path | str | None = None,
    pool: int | None = None,
    steer: int = 200,
    engine: Engine = "auto",
    durability: Durability = "batch",
    retry: Retry = "transient",
    caption: str | None = None,
    max_total_bytes: int | str | None = None,
    max_time: float | str | None = None,
    concurrency: int = 256,
    max_bytes: int | str = 64 * 2**20,
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
    check: Check = "full",
    allow_thumbnails: bool = False,
    exclude: str | Sequence[str] = (),
    junk: Junk = "auto",
    conflict: Conflict = "keep",
    turned: bool = False,
    block_hashes: Path | str | Sequence[Path | str] = (),
    to: str | None = None,
    export_to: Path | str | None = None,
    resize: int | str | None = None,
    encode: str | None = None,
    quality: int | None = None,
    split: str | None = None,
    settings: SourceSettings | None = None,
    set: str | Sequence[str] = (),
    progress: bool | None = None,
    log: Path | str | None = None,
    listener: Callable[[Event], None] = ignore,
) -> Dataset:
    """Find, download, check and de-duplicate images; a run can be resumed at any time.

    Every option of `pixtrawl run` is an argument; settings without one are in `config`.

    Args:
        queries: words, numbers, files of queries, `Query` values, rows such as {'query': 'cat',
            'label': 'pets', 'limit': 50}, {'cat': 50}, a data frame.
        config: settings to start from, also those without an argument; None: `Config.load()`, which
            reads defaults, the user's file and the environment. Arguments override it.
        limit: valid, distinct images for each query; 'all' or None: all that there are.
        output: folder of the data set; created, or continued if it exists.
        source: where to look, one name or several: 'auto', 'open', 'bing', ... (`pixtrawl
            sources`).
        label: one folder name for all; None: each query's own words.
        prefix: words put before each query.
        suffix: words put after each query.
        min_size: smallest picture kept, in pixels: (640, 480), '640x480', or 256 for both sides.
        dedup: how alike two images of a label may be: 'strict', 'near', 'wide', 'exact' or 'off'.
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
        relevant: keep the best of a pool of images for each query, by `model`.
        model: for `relevant`: an image-text or embedding model, or a known model's name.
        pool: images collected for each query before the best are chosen; None: 3 for each wanted.
        steer: thumbnails of each query to compare with what was liked and refused; 0: off.
        engine: 'local' (one process), 'processes' (several), or 'auto': by job and cores.
        durability: 'batch': what is saved survives a power cut; 'none': only a kill (faster).
        retry: failures that a resumed run tries again: 'transient', 'failed' (all) or 'none'.
        caption: origins of captions, the first there is: 'alt,title,template:a {label}'; 'none'.
        max_total_bytes: stop after so many bytes fetched, such as 10**9 or '2G'.
        max_time: stop after so many seconds; all times may be written as '10m' or '1h', too.
        concurrency: transfers at once, at most; adaptive below it.
        max_bytes: largest file, compressed or not: bytes, or '64M'.
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
        check: 'full' decodes every byte; 'none': bytes, hash and file only.
        allow_thumbnails: thumbnails count where nothing better exists.
        exclude: leave out pictures whose files say so: 'ai-made', 'no-training', 'c2pa'.
        junk: icons, empty pictures, ...: 'drop', 'keep'; 'auto' drops unless you listed them.
        conflict: the same picture under two labels: 'keep' both, the 'first', or 'drop' both.
        turned: mirrored copies and quarter turns are near duplicates, too.
        block_hashes: files with hashes of pictures that are neither kept nor shown.
        to: also export when the run is over, as 'webdataset', 'imagefolder', 'parquet', ...
        export_to: folder or fsspec URL of that export; None: OUTPUT-FORMAT.
        resize: of that export, in pixels: 256, or 'center_crop:256'; see `pixtrawl.export`.
        encode: of that export: 'jpg', 'png', 'webp', 'avif'; None: bytes are kept.
        quality: of that encoding, 1 to 100; None: jpg 95, webp 90, avif 80.
        split: of that export, such as 'train=0.8,val=0.1,test=0.1'.
        settings: settings of sources: {'bing': {'delay_s': 2}}.
        set: the same as on the command line: ['bing.delay_s=2', 'fetch.max_redirects=5'].
        progress: show progress and verdict; None: in notebooks and terminals.
        log: file to which a line is added for every event, with its time.
        listener: called with every event of `pixtrawl.events`; it must not block.

    Returns:
        The images of these queries, with the report of this run: `len(ds)`, `ds[0].path`,
        `ds.report.totals.saved`. `pixtrawl.open(folder)` has all that the folder holds. Where less
        came than was asked for, a `ShortWarning` says why and what to do.

    Raises:
        UsageError: an unknown option or source, an invalid value, an unreadable file. For an
            unknown keyword it is also a TypeError and names the nearest one.
        EnvironmentFailedError: the folder, the disk or the decoders cannot be used.
        StoppedError: Ctrl-C; the data set is consistent, and the same call resumes.

    Example:
        >>> ds = pixtrawl.run(["tabby cat", "steam train"], limit=200, min_size=(256, 256))
        >>> ds = pixtrawl.run("queries.csv", config=pixtrawl.Config.load("settings.toml"))
    """
    chosen = given(locals())
    result = wait(lambda: run_queries(queries, Watch(progress, log, listener), chosen))
    warn(result.report)
    return result
