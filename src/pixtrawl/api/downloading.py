"""`pixtrawl.download` and `pixtrawl.download_async`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from pixtrawl.api.arguments import (
    Aspect,
    Check,
    Conflict,
    Dedup,
    Durability,
    Engine,
    Junk,
    Lists,
    Purpose,
    Retry,
    Size,
    SourceSettings,
    front_door,
    given,
)
from pixtrawl.api.calls import download_lists, warn
from pixtrawl.api.waiting import wait
from pixtrawl.config.groups import Config
from pixtrawl.dataset import Dataset
from pixtrawl.display.watch import Watch
from pixtrawl.events import Event, ignore


@front_door
async def download_async(  # noqa: PLR0913 - one for each option of the command
    manifests: Lists,
    *,
    config: Config | None = None,
    limit: int | Literal["all"] | None = None,
    output: Path | str = "images",
    label: str | None = None,
    min_size: Size | None = None,
    dedup: Dedup = "near",
    license: str | None = None,
    aspect: Aspect | None = None,
    url_column: str | int | None = None,
    label_column: str | int | None = None,
    caption_column: str | int | None = None,
    id_column: str | int | None = None,
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
    """Await `download` inside a running event loop.

    Arguments, units, defaults, result, warnings and errors are those of `pixtrawl.download`.
    Cancelling its task shuts the run down gracefully: the data set stays consistent, and the same
    call resumes it.

    Example:
        >>> ds = await pixtrawl.download_async("urls.csv", output="images")
    """
    result = await download_lists(manifests, Watch(progress, log, listener), given(locals()))
    warn(result.report)
    return result


@front_door
def download(  # noqa: PLR0913 - one for each option of the command
    manifests: Lists,
    *,
    config: Config | None = None,
    limit: int | Literal["all"] | None = None,
    output: Path | str = "images",
    label: str | None = None,
    min_size: Size | None = None,
    dedup: Dedup = "near",
    license: str | None = None,
    aspect: Aspect | None = None,
    url_column: str | int | None = None,
    label_column: str | int | None = None,
    caption_column: str | int | None = None,
    id_column: str | int | None = None,
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
    """Download lists of URLs, check and de-duplicate; every URL unless `limit` is given.

    Every option of `pixtrawl download` is an argument; settings without one are in `config`.

    Args:
        manifests: files, URLs, what `discover` gave back, rows with a `url`, {'cat': [URL, ...]} or
            a data frame; columns of their own are kept.
        config: settings to start from, also those without an argument; None: `Config.load()`, which
            reads defaults, the user's file and the environment. Arguments override it.
        limit: valid, distinct images for each label; None or 'all': every URL.
        output: folder of the data set; created, or continued if it exists.
        label: one folder name for all; None: the list's own labels, or its file's name.
        min_size: smallest picture kept, in pixels: (640, 480), '640x480', or 256 for both sides.
        dedup: how alike two images of a label may be: 'strict', 'near', 'wide', 'exact' or 'off'.
        license: only URLs whose list states such a licence: 'open', 'public', 'commercial', ...,
            'cc-by'.
        aspect: only pictures of that shape: 'square', 'wide', 'tall'.
        url_column: column of the URLs, by name or number from 1; None: recognised by name or
            content.
        label_column: column of the labels: one folder each.
        caption_column: column of texts about the pictures: their titles.
        id_column: column that names the files: <label>/<id>.jpg.
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
        The images of these lists, with the report of this run; every URL has its outcome there and
        in `ds.outcomes()`. Where less came than `limit` asked for, a `ShortWarning` says why.

    Raises:
        UsageError: an unknown option or source, an invalid value, an unreadable file. For an
            unknown keyword it is also a TypeError and names the nearest one.
        EnvironmentFailedError: the folder, the disk or the decoders cannot be used.
        StoppedError: Ctrl-C; the data set is consistent, and the same call resumes.

    Example:
        >>> ds = pixtrawl.download("urls.csv", output="images", url_column="photo")
        >>> ds = pixtrawl.download({"cat": ["https://example.org/1.jpg"]}, resize=256, to="parquet")
    """
    chosen = given(locals())
    result = wait(lambda: download_lists(manifests, Watch(progress, log, listener), chosen))
    warn(result.report)
    return result
