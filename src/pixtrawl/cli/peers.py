"""Suggest an option for an unknown one: by other tools' names, by meaning, by spelling.

Only read in an error. The tools: gallery-dl, img2dataset, icrawler, bing-image-downloader,
google-images-download, simple_image_download, yt-dlp, wget, curl, aria2, scrapy.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import Final

_CERTIFICATES: Final = "certificates are always checked; a CA of your own: SSL_CERT_FILE"
_CUTOFF: Final = 0.75  # of difflib; with less, --sleep is taken for --set

# An option here, or a sentence where there is none. Words with a - for options of several tools.
PEERS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # google-images-download, bing-image-downloader
        "-k": "queries are words behind the command: pixtrawl run 'tabby cat' dog",
        "--keywords": "queries are words behind the command: pixtrawl run 'tabby cat' dog",
        "-kf": "a file of queries is a word behind the command: pixtrawl run queries.txt",
        "--keywords-from-file": "a file of queries is a word behind the command: "
        "pixtrawl run queries.txt",
        "--query": "queries are words behind the command: pixtrawl run 'tabby cat' dog",
        "-l": "--limit",
        "-nd": "`pixtrawl discover` finds URLs and downloads nothing",
        "--no-download": "`pixtrawl discover` finds URLs and downloads nothing",
        "--output-directory": "--output",
        "--image-directory": "--label",
        "--no-directory": "--label",
        "--extract-metadata": "metadata.jsonl is always written",
        "--print-urls": "`pixtrawl discover` finds URLs; `-o -` writes them to standard output",
        "--format": "--encode",
        "--specific-site": "--site",
        "--usage-rights": "--license",
        "--color-type": "--color",
        "--exact-size": "--min-size",
        "--aspect-ratio": "--aspect",
        "--safe-search": "--safe",
        "--adult-filter-off": "--safe",
        "--related-images": "--expand",
        "--similar-images": "--expand",
        "--chromedriver": "the browser is named by the variable PIXTRAWL_CHROME",
        "--url": "URLs stand in a list: pixtrawl download urls.txt",
        "--single-image": "URLs stand in a list: pixtrawl download urls.txt",
        "--socket-timeout": "--timeout",
        "--thumbnail": "--allow-thumbnails",
        "--thumbnail-only": "--allow-thumbnails",
        "--language": "--lang",
        # gallery-dl, yt-dlp
        "-d": "--output",
        "--dest": "--output",
        "--destination": "--output",
        "--directory": "--output",
        "-D": "--output",
        "-P": "--output",
        "--paths": "--output",
        "--directory-prefix": "--output",
        "--range": "--limit",
        "--simulate": "--dry-run",
        "-g": "`pixtrawl discover` finds URLs and downloads nothing",
        "--get-urls": "`pixtrawl discover` finds URLs and downloads nothing",
        "--dump-json": "--json",
        "-j": "--concurrency",
        "-J": "--json",
        "-i": "a file of queries is a word behind the command: pixtrawl run queries.txt",
        "--input-file": "a file of queries or URLs is a word behind the command",
        "-a": "a list of URLs is a word behind the command: pixtrawl download urls.txt",
        "--batch-file": "a list of URLs is a word behind the command: pixtrawl download urls.txt",
        "-r": "--limit-rate",
        "--rate": "--limit-rate",
        "-R": "--retries",
        "--http-timeout": "--timeout",
        "--sleep": "--delay",
        "--sleep-request": "--delay",
        "--sleep-interval": "--delay",
        "--filesize-max": "--max-bytes",
        "--filesize-min": "--min-size",
        "--max-filesize": "--max-bytes",
        "--max-downloads": "--limit",
        "--cookies-from-browser": "--cookies FILE takes a cookies.txt that a browser exports",
        "--no-check-certificate": _CERTIFICATES,
        "--write-metadata": "metadata.jsonl is always written",
        "--download-archive": "nothing is fetched twice into a folder: the same command goes on",
        "--write-log": "--log",
        "--config-location": "--config",
        "-u": "a login is given by its cookies: --cookies FILE",
        "--username": "a login is given by its cookies: --cookies FILE",
        # img2dataset
        "--url-list": "a list of URLs is a word behind the command: pixtrawl download urls.txt",
        "--output-folder": "--output",
        "--output-format": "--to",
        "--image-size": "--resize",
        "--resize-mode": "--resize MODE:N, such as --resize border:256",
        "--processes-count": "--concurrency",
        "--thread-count": "--concurrency",
        "--encode-format": "--encode",
        "--encode-quality": "--quality",
        "--number-sample-per-shard": "`pixtrawl export --shard-images N`",
        "--min-image-size": "--min-size",
        "--disallowed-header-directives": "--ignore-robots",
        "--distributor": "--engine",
        "--user-agent-token": "--user-agent",
        # icrawler
        "--max-num": "--limit",
        "--count": "--limit",
        "--downloader-threads": "--concurrency",
        "--feeder-threads": "--concurrency",
        "--root-dir": "--output",
        # wget, curl, aria2
        "-O": "--output",
        "-w": "--delay",
        "--wait": "--delay",
        "-t": "--retries",
        "--tries": "--retries",
        "-T": "--timeout",
        "-m": "--max-time",
        "--connect-timeout": "--timeout",
        "-Q": "--max-total-bytes",
        "--quota": "--max-total-bytes",
        "-x": "--proxy",
        "-b": "--cookies",
        "--load-cookies": "--cookies",
        "-A": "--user-agent",
        "-U": "--user-agent",
        "--insecure": _CERTIFICATES,
        "-c": "the same command goes on where the last one stopped",
        "--continue": "the same command goes on where the last one stopped",
        "--resume": "the same command goes on where the last one stopped",
        "--exclude-domains": "--exclude-host",
        "-e": "--ignore-robots",
        "--max-concurrent-downloads": "--concurrency",
        "--max-connection-per-server": "--per-host",
        "--split-size": "--split",
        # scrapy
        "--nolog": "--quiet",
        "--logfile": "--log",
        "--loglevel": "--verbose",
        "-L": "--verbose",
    }
)

# By what one of its words means; the first that is found decides.
_MEANINGS: Final[tuple[tuple[tuple[str, ...], str], ...]] = (
    (("robots", "robotstxt"), "--ignore-robots"),
    (("thumbnail", "thumbnails", "thumbs"), "--allow-thumbnails"),
    (("simulate", "simulation", "dry", "noop"), "--dry-run"),
    (("log", "logs", "logging"), "--log"),
    (("license", "licence", "rights", "licenses"), "--license"),
    (("threads", "thread", "workers", "worker", "jobs", "parallel", "processes", "connections",
      "concurrent", "multithread", "tasks"), "--concurrency"),
    (("sleep", "wait", "pause", "interval", "throttle"), "--delay"),
    (("bandwidth", "speed"), "--limit-rate"),
    (("retry", "tries", "attempts"), "--retries"),
    (("agent", "useragent", "ua"), "--user-agent"),
    (("cookie", "cookiejar"), "--cookies"),
    (("domain", "website"), "--site"),
    (("blacklist", "blocklist", "denylist"), "--exclude-host"),
    (("resolution", "width", "height", "pixels"), "--min-size"),
    (("filesize", "bytes"), "--max-bytes"),
    (("deduplicate", "duplicates", "unique", "similarity"), "--dedup"),
    (("engine", "engines", "provider", "site", "search", "crawler", "backend"), "--source"),
    (("out", "output", "outdir", "dest", "destination", "folder", "directory", "dir", "path",
      "save"), "--output"),
    (("class", "category", "name", "label"), "--label"),
    (("resize", "scale"), "--resize"),
    (("quality",), "--quality"),
    (("silent", "noprogress"), "--quiet"),
    (("debug",), "--verbose"),
    (("locale", "language"), "--lang"),
    (("country",), "--region"),
    (("nsfw", "adult"), "--safe"),
    (("num", "number", "count", "max", "amount", "n", "images", "total"), "--limit"),
)  # fmt: skip


def meant(name: str, known: Collection[str]) -> str:
    """Return a suffix for an error message: `; did you mean --delay?`, a sentence, or nothing.

    Args:
        name: the option as it was typed, without a value.
        known: the options there are in this command.
    """
    word = name.replace("_", "-") if name.startswith("--") else name
    for hint in (_of_a_peer(word, known), _by_letters(word, known), _by_meaning(word, known)):
        if hint:
            return hint
    return ""


def _of_a_peer(word: str, known: Collection[str]) -> str:
    hint = PEERS.get(word) or PEERS.get(word.lower() if word.startswith("--") else word)
    if hint is None and word.startswith("-") and not word.startswith("--"):
        hint = PEERS.get(word[:2])  # -j8, -l=100
    if hint is None:
        return ""
    if not hint.startswith("--") or " " in hint:
        return f"; {hint}" if not hint.startswith("--") else f"; here it is {hint}"
    return f"; did you mean {hint}?" if hint in known else ""


def _by_letters(word: str, known: Collection[str]) -> str:
    if not word.startswith("--"):
        return ""
    long = [one for one in known if one.startswith("--")]
    close = get_close_matches(word, long, n=1, cutoff=_CUTOFF)
    return f"; did you mean {close[0]}?" if close else ""


def _by_meaning(word: str, known: Collection[str]) -> str:
    parts = set(word.strip("-").lower().split("-"))
    for names, option in _MEANINGS:
        if option in known and parts.intersection(names):
            return f"; did you mean {option}?"
    return ""
