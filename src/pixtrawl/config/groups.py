"""Every setting, in small frozen groups; a part of pixtrawl receives only its own group.

A field is written once (those of images in `config.images`): its default, its unit (in the name),
the sentence under it, and how it is spelled on the command line. The command line, the environment
(`PIXTRAWL_<NAME>`), the TOML file, `pixtrawl config show` and the table in docs/settings.md are all
made from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from pixtrawl.config import parse
from pixtrawl.config.images import Images
from pixtrawl.config.setting import setting
from pixtrawl.model import Filters
from pixtrawl.preferences import PURPOSES, PreferencePolicy

__all__ = [
    "GROUPS", "Config", "Export", "Fetch", "Images", "Job", "Lists", "Models",
    "Politeness", "Publish", "settings",
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Which images to collect, and where to write them."""

    limit: int | None = setting(
        100, "images wanted per query (valid and distinct), or `all`", flag="--limit", short="-n",
        parse=parse.limit, metavar="N",
    )  # fmt: skip
    output: str = setting("images", "data set folder", flag="--output", short="-o", metavar="DIR")
    sources: tuple[str, ...] = setting(
        ("auto",), "source to search (repeatable); see `pixtrawl sources`", flag="--source",
        short="-s", metavar="NAME", repeat=True,
    )  # fmt: skip
    label: str | None = setting(None, "folder name for all queries", flag="--label", metavar="WORD")
    prefix: str = setting("", "words to put before each query", flag="--prefix", metavar="WORDS")
    suffix: str = setting("", "words to put after each query", flag="--suffix", metavar="WORDS")
    expand: tuple[str, ...] = setting(
        ("off",), "also search variants of each query (repeatable; `drift`: off-topic ones, too)",
        flag="--expand", repeat=True,
        choices=("off", "filters", "related", "synonyms", "drift"),
    )  # fmt: skip
    synonyms: str | None = setting(
        None, "synonyms for --expand synonyms; lines: QUERY = SYNONYM, ...", flag="--synonyms",
        metavar="FILE",
    )  # fmt: skip
    relevant: bool = setting(
        False, "keep the best of a pool of images for each query, by --model", flag="--relevant",
        parse=parse.boolean,
    )  # fmt: skip
    model: str | None = setting(
        None, "model for --relevant (image-text, or embedding), and for --steer in place of looks: "
        "a file, a folder, or a known model", flag="--model", metavar="MODEL",
    )  # fmt: skip
    pool: int | None = setting(
        None, "images collected for each query before the best are chosen (default: 3 N)",
        flag="--pool", parse=parse.positive, metavar="N",
    )  # fmt: skip
    steer: int = setting(
        200, "thumbnails of each query to compare with what you liked and refused of its label, so "
        "that the likest candidates come first (0: off)", flag="--steer", parse=parse.count,
        metavar="N",
    )  # fmt: skip
    engine: str = setting(
        "auto", "what carries out the work; ray: lists, into shards; auto: processes for large "
        "jobs on more than 6 cores", flag="--engine", choices=("auto", "local", "processes", "ray"),
    )  # fmt: skip
    workers: int | None = setting(
        None, "worker processes of --engine processes (default: one per five cores, at least two)",
        parse=parse.positive,
    )  # fmt: skip
    durability: str = setting(
        "batch", "keep saved images through a power cut (batch), or only a kill (none: faster)",
        flag="--durability", choices=("batch", "none"),
    )  # fmt: skip
    retry: str = setting(
        "transient", "which failures a resumed run tries again", flag="--retry",
        choices=("transient", "failed", "none"),
    )  # fmt: skip
    caption: str | None = setting(
        None, "captions, the first there is: title, alt, file, page, query, template:TEXT, model, "
        "hand; none", flag="--caption", parse=parse.captions, metavar="ORIGIN[,ORIGIN...]",
    )  # fmt: skip
    max_total_bytes: int | None = setting(
        None, "stop after fetching this many bytes", flag="--max-total-bytes",
        parse=parse.size_bytes, metavar="BYTES",
    )  # fmt: skip
    max_time_s: float | None = setting(
        None, "stop after this many seconds", flag="--max-time", parse=parse.seconds, metavar="S"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Settings of one transfer: limits, identity, proxy."""

    concurrency: int = setting(
        256, "most transfers at once; adapts below that", flag="--concurrency",
        parse=parse.positive, metavar="N",
    )  # fmt: skip
    timeout_s: float = setting(
        30.0, "seconds for one file, all attempts together", flag="--timeout",
        parse=parse.seconds, metavar="S",
    )  # fmt: skip
    connect_timeout_s: float = setting(5.0, "seconds to connect, TLS included", parse=parse.seconds)
    first_byte_timeout_s: float = setting(8.0, "seconds until the first byte", parse=parse.seconds)
    min_speed_bytes_s: int = setting(
        1024, "slowest speed allowed, bytes per second", parse=parse.size_bytes
    )
    min_speed_window_s: int = setting(
        10, "seconds over which that speed is measured", parse=parse.positive
    )
    retries: int = setting(
        2, "more attempts after a transient failure", flag="--retries", parse=parse.count,
        metavar="N",
    )  # fmt: skip
    max_bytes: int = setting(
        64 * 2**20, "largest file accepted, compressed or not",
        flag="--max-bytes", parse=parse.size_bytes,
        metavar="BYTES",
    )  # fmt: skip
    max_redirects: int = setting(10, "redirects followed per file", parse=parse.count)
    limit_rate_bytes_s: int | None = setting(
        None, "bytes per second over all transfers", flag="--limit-rate", parse=parse.size_bytes,
        metavar="BYTES",
    )  # fmt: skip
    proxy: str | None = setting(
        None, "http://, https:// or socks5h:// proxy for everything", flag="--proxy", metavar="URL"
    )
    cookies: str | None = setting(
        None, "cookies.txt (Netscape format) to send", flag="--cookies", metavar="FILE"
    )
    contact: str | None = setting(
        None, "your e-mail address or web page, sent to sites in the User-Agent",
        flag="--contact", parse=parse.contact, metavar="ADDRESS",
    )  # fmt: skip
    user_agent: str | None = setting(
        None, "User-Agent to send instead of pixtrawl/VERSION (+page about it; contact)",
        flag="--user-agent", metavar="TEXT",
    )  # fmt: skip
    allow_address: tuple[str, ...] = setting(
        (), "private address range to allow (repeatable)", flag="--allow-address",
        parse=parse.network, metavar="CIDR", repeat=True,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Politeness:
    """Limits per host."""

    per_host: int = setting(
        8, "most transfers at once from one host", flag="--per-host", parse=parse.positive,
        metavar="N",
    )  # fmt: skip
    delay_s: float = setting(
        0.0, "seconds between two requests to one host", flag="--delay", parse=parse.seconds,
        metavar="S",
    )  # fmt: skip
    patience_s: float = setting(
        900.0, "seconds to wait for a failing source or host before giving it up",
        flag="--patience", parse=parse.seconds, metavar="S",
    )  # fmt: skip
    exclude_host: tuple[str, ...] = setting(
        (), "never fetch from this host or its subdomains (repeatable)", flag="--exclude-host",
        metavar="HOST", repeat=True,
    )  # fmt: skip
    max_crawl_delay_s: float = setting(
        60.0, "longest Crawl-delay to keep; a host that asks for more is too slow",
        flag="--max-crawl-delay", parse=parse.seconds, metavar="S",
    )  # fmt: skip
    ignore_robots: bool = setting(
        False, "ignore robots.txt and opt-out headers", flag="--ignore-robots",
        parse=parse.boolean,
    )  # fmt: skip
    purpose: str = setting(
        "train", "use of the images, on which their owners are heard", flag="--purpose",
        choices=PURPOSES,
    )  # fmt: skip
    ignore_ai_preferences: bool = setting(
        False, "keep images whose owners say no to the purpose", flag="--ignore-ai-preferences",
        parse=parse.boolean,
    )  # fmt: skip

    @property
    def preferences(self) -> PreferencePolicy:
        """How owners' statements on the use of images are taken."""
        return PreferencePolicy(self.purpose, self.ignore_ai_preferences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """Columns of a list of URLs, where their names do not make them clear."""

    url_column: str | None = setting(
        None, "column of the URLs, by name or number (default: found by name and content)",
        flag="--url-column", metavar="NAME",
    )  # fmt: skip
    label_column: str | None = setting(
        None, "column of the labels; one folder per label", flag="--label-column", metavar="NAME"
    )
    caption_column: str | None = setting(
        None, "column of the captions, used as titles", flag="--caption-column",
        metavar="NAME",
    )  # fmt: skip
    id_column: str | None = setting(
        None,
        "column of ids that name the files: <label>/<id>.jpg",
        flag="--id-column",
        metavar="NAME",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """The export to write at the end of a run, beside the data set folder."""

    to: str | None = setting(
        None, "export format, such as webdataset; see `pixtrawl export --help`", flag="--to",
        metavar="FORMAT",
    )  # fmt: skip
    export_to: str | None = setting(
        None, "folder or fsspec URL (default: DIR-FORMAT)", flag="--export-to", metavar="OUT"
    )
    resize: str | None = setting(
        None, "size of exported pictures in pixels; MODE:N sets the mode too", flag="--resize",
        metavar="N",
    )  # fmt: skip
    encode: str | None = setting(
        None, "jpg, png, webp or avif (default: keep the bytes)", flag="--encode", metavar="FORMAT"
    )
    quality: int | None = setting(
        None, "1 to 100 (default: jpg 95, webp 90, avif 80)", flag="--quality",
        parse=parse.positive, metavar="Q",
    )  # fmt: skip
    split: str | None = setting(
        None,
        "split by shares, such as train=0.8,val=0.1,test=0.1",
        flag="--split",
        metavar="SHARES",
    )
    formulas: str = setting(
        "keep", "cells that a spreadsheet would compute, in csv; escape: put an apostrophe first",
        choices=("keep", "escape"),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Models:
    """Models that score images, and where known ones are fetched from."""

    base_url: str = setting(
        "https://huggingface.co", "hub, or a mirror of it, that known models are fetched from",
        flag="--models-url", metavar="URL",
    )  # fmt: skip
    folder: str | None = setting(
        None, "folder of fetched models (default: `models` in the user's cache)",
        flag="--models-dir", metavar="DIR",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Where data sets are published."""

    hub_url: str | None = setting(
        None, "hub to publish to (default: HF_ENDPOINT, else https://huggingface.co)",
        metavar="URL",
    )  # fmt: skip
    staging: str | None = setting(
        None, "folder for shards until they are sent (default: `publish` in the user's cache)",
        metavar="DIR",
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings: those of each group, the search filters, and each source's own.

    Every function that runs takes one as `config=`; arguments given beside it win over it, and
    neither the user's file nor the environment is asked then. `Config()` is the defaults,
    `Config.load()` what the command would take, `Config.load("file.toml")` that with a file.
    Units are in the names: `_s` seconds, `_bytes` bytes; sizes of pictures are pixels. Nothing in
    it changes later: `dataclasses.replace` makes another one.

    Example:
        >>> from pixtrawl.config.groups import Fetch, Images
        >>> patient = pixtrawl.Config(fetch=Fetch(connect_timeout_s=20), images=Images(decoders=1))
        >>> pixtrawl.run("tabby cat", config=patient, limit=20)
    """

    job: Job = Job()
    fetch: Fetch = Fetch()
    politeness: Politeness = Politeness()
    images: Images = Images()
    export: Export = Export()
    lists: Lists = Lists()
    models: Models = Models()
    publish: Publish = Publish()
    filters: Filters = Filters()
    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def load(cls, file: Path | str | None = None) -> Config:
        """Read the settings: defaults < the user's own file < `file` < environment.

        Args:
            file: settings in TOML; None: that of `PIXTRAWL_CONFIG`, if it names one.

        Raises:
            UsageError: it cannot be read, or names what does not exist; with file and key.

        Example:
            >>> config = pixtrawl.Config.load("settings.toml")
            >>> config.fetch.timeout_s
        """
        import os
        from importlib import import_module

        reading = import_module("pixtrawl.config.load")  # by name: it lies above this module
        known = reading.registered_sources()
        config: Config = reading.load({}, environ=os.environ, config_file=file, known=known).config
        return config

    def source(self, name: str) -> Mapping[str, str]:
        """Return the settings given for one source: `base_url`, `delay_s`, `enabled`, its own."""
        return self.sources.get(name, {})


GROUPS: Final[Mapping[str, type]] = {
    "job": Job,
    "fetch": Fetch,
    "politeness": Politeness,
    "images": Images,
    "export": Export,
    "lists": Lists,
    "models": Models,
    "publish": Publish,
}


def settings() -> list[tuple[str, Field[Any]]]:
    """Return every (group name, field) in the order of this file."""
    return [(group, item) for group, cls in GROUPS.items() for item in fields(cls)]
