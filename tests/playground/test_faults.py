"""Each fault does what it says, seen over a plain socket."""

from __future__ import annotations

import gzip
import io
import socket
import zlib
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from PIL import Image

from pixtrawl.model import Reason
from pixtrawl.playground import Playground
from pixtrawl.playground.faults.faultline import FAULTS
from pixtrawl.playground.faults.link import LINK_FAULTS
from tests.matrices import sample
from tests.playground.wire import Seen, ask, follow


def _opens(body: bytes) -> tuple[str | None, tuple[int, int]]:
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return image.format, image.size


def _sound(seen: Seen) -> bool:
    return seen.status == 200 and _opens(seen.body) == ("JPEG", (640, 480))


def _cut(seen: Seen) -> bool:
    return seen.status == 200 and 0 < len(seen.body) < int(seen.headers["content-length"])


def _status(number: int) -> Callable[[Seen], bool]:
    return lambda seen: seen.status == number and seen.ended == "closed"


def _redirects(target: str) -> Callable[[Seen], bool]:
    return lambda seen: seen.status == 302 and seen.headers["location"].startswith(target)


def _is(picture_format: str) -> Callable[[Seen], bool]:
    return lambda seen: _opens(seen.body)[0] == picture_format


def _breaks(seen: Seen) -> bool:
    try:
        _opens(seen.body)
    except (OSError, SyntaxError):
        return True
    return False


def _pixels(seen: Seen) -> tuple[int, int]:
    with Image.open(io.BytesIO(seen.body)) as image:
        return image.size


BEHAVIOUR: dict[str, Callable[[Seen], bool]] = {
    "not-found": _status(404),
    "gone": _status(410),
    "forbidden": _status(403),
    "unauthorized": _status(401),
    "legal-reasons": _status(451),
    "teapot": _status(418),
    "rate-limited": lambda s: s.status == 429 and s.headers["retry-after"] == "1",
    "refused-address": lambda s: s.status == 429 and s.headers["retry-after"] == "600",
    "down": _status(503),
    "retry-after": lambda s: s.status == 429 and s.headers["retry-after"] == "1",
    "flaky-503": _status(503),
    "redirect-chain": _redirects("http://127."),
    "redirect-loop": _redirects("/fault/redirect-loop/"),
    "redirect-endless": _redirects("/fault/redirect-endless/"),
    "redirect-metadata": _redirects("http://169.254.169.254/"),
    "redirect-private": _redirects("http://10.0.0.1/"),
    "redirect-mapped": _redirects("http://[::ffff:"),
    "redirect-inner": _redirects("http://127.1.0.1:"),
    "redirect-file": _redirects("file:///"),
    "hotlink": _status(403),
    "cookie-needed": lambda s: s.status == 302 and "set-cookie" in s.headers,
    "noai": lambda s: _sound(s) and "noai" in s.headers["x-robots-tag"],
    "robots-disallowed": _sound,
    "unicode-url": _sound,
    "base64-in-path": _sound,
    "signed-url": _sound,
    "silent": lambda s: s.raw == b"" and s.ended == "timeout",
    "slow-first-byte": _sound,
    "short-body": _cut,
    "chunked-cut": lambda s: not s.raw.endswith(b"0\r\n\r\n") and s.ended == "closed",
    "bad-chunk": lambda s: s.body.startswith(b"zz\r\n"),
    "chunked": lambda s: s.body.endswith(b"\r\n0\r\n\r\n"),
    "until-close": lambda s: _sound(s) and "content-length" not in s.headers,
    "lying-length": lambda s: len(s.body) > int(s.headers["content-length"]),
    "drip": lambda s: _cut(s) and s.ended in {"timeout", "closed"},
    "stall": lambda s: _cut(s) and s.ended == "timeout",
    "endless": lambda s: s.ended == "enough",
    "huge-length": lambda s: int(s.headers["content-length"]) == 10 << 30,
    "gzip-bomb": lambda s: (
        len(s.body) < 8 << 20
        and len(zlib.decompressobj(31).decompress(s.body, 50 << 20)) == 50 << 20
    ),
    "unasked-gzip": lambda s: _opens(gzip.decompress(s.body))[0] == "JPEG",
    "reset": lambda s: s.raw == b"" and s.ended == "reset",
    "reset-in-body": lambda s: _cut(s) and s.ended == "reset",
    "dropped": lambda s: s.raw == b"" and s.ended == "closed",
    "other-protocol": lambda s: s.status == 101 and b"\xff\xd8" in s.raw,
    "cut-header": lambda s: s.raw.endswith(b"Content-Le") and s.ended == "closed",
    "chunk-extension": lambda s: s.ended == "enough" and b"\r\n5;a=aaaa" in s.raw,
    "chunk-extensions": lambda s: s.ended == "enough" and s.raw.count(b"\r\n1;a") > 3,
    "endless-headers": lambda s: s.ended == "enough" and b"\r\n\r\n" not in s.raw,
    "endless-trailers": lambda s: s.ended == "enough" and s.raw.count(b"\r\nX-Pad") > 9999,
    "endless-continue": lambda s: s.ended == "enough" and s.raw.count(b"100 Continue") > 9999,
    "huge-headers": lambda s: len(s.raw.partition(b"\r\n\r\n")[0]) > 500_000,
    "not-http": lambda s: s.raw.startswith(b"SSH-"),
    "html-as-jpg": lambda s: b"<html" in s.body and s.headers["content-type"] == "image/jpeg",
    "html": lambda s: b"<html" in s.body and s.headers["content-type"] == "text/html",
    "garbage": _breaks,
    "svg": lambda s: b"<svg" in s.body,
    "tracking-pixel": lambda s: _opens(s.body) == ("GIF", (1, 1)),
    "empty-body": lambda s: s.status == 200 and s.body == b"",
    "no-content": lambda s: s.status == 204 and s.body == b"",
    "truncated-file": lambda s: len(s.body) == int(s.headers["content-length"]) and _breaks(s),
    "truncated-png": lambda s: s.body.startswith(b"\x89PNG") and _breaks(s),
    "corrupt": lambda s: s.body.startswith(b"\xff\xd8") and s.body.endswith(b"\xff\xd9"),
    "png-as-jpg": _is("PNG"),
    "webp-no-extension": _is("WEBP"),
    "wrong-type": lambda s: _sound(s) and s.headers["content-type"].startswith("text/html"),
    "no-type": lambda s: _sound(s) and "content-type" not in s.headers,
    "exif-6": lambda s: Image.open(io.BytesIO(s.body)).getexif()[0x0112] == 6,
    "cmyk": lambda s: Image.open(io.BytesIO(s.body)).mode == "CMYK",
    "huge-png": lambda s: len(s.body) < 100_000 and s.body[16:24] == (20_000).to_bytes(4) * 2,
    "placeholder": lambda s: _opens(s.body) == ("PNG", (640, 480)),
    "flat": lambda s: _spread(s) <= 2,
    "icon": lambda s: _pixels(s) == (32, 32),
    "sliver": lambda s: _pixels(s) == (1600, 20),
    "content-signal": lambda s: _sound(s) and "ai-train=no" in s.headers["content-signal"],
    "content-usage": lambda s: _sound(s) and s.headers["content-usage"] == "train-ai=n",
    "tdm-reservation": lambda s: _sound(s) and s.headers["tdm-reservation"] == "1",
    "robots-content-usage": _sound,
    "robots-content-signal": _sound,
    "tdmrep": _sound,
    "plus-data-mining": lambda s: _sound(s) and b"DMI-PROHIBITED-AIMLTRAINING" in s.body,
    "c2pa-training": lambda s: _sound(s) and b"cawg.training-mining" in s.body,
    "trailing-garbage": lambda s: s.body.endswith(b"</html>") and _sound(s),
}


def _spread(seen: Seen) -> int:
    """Largest difference of grey levels."""
    with Image.open(io.BytesIO(seen.body)) as image:
        levels = image.convert("L").tobytes()
    return max(levels) - min(levels)


def test_every_fault_has_its_behaviour_tested() -> None:
    assert set(BEHAVIOUR) == set(FAULTS)


@pytest.mark.parametrize("name", sample(sorted(FAULTS), 2))
def test_a_fault_does_what_it_says(site: Playground, name: str) -> None:
    patient = name not in {"silent", "stall", "drip", "huge-length"}
    seen = ask(site.fault(name).url, timeout=20.0 if patient else 0.3)
    assert BEHAVIOUR[name](seen), (seen.ended, seen.raw[:300])


def test_expected_reasons_are_members_of_the_closed_list(site: Playground) -> None:
    for truth in site.faults():
        assert {truth.reason, *truth.also} <= {str(reason) for reason in Reason}, truth.name
        assert truth.sentence, truth.name


@pytest.mark.parametrize(
    ("name", "tries"), [("retry-after", 2), ("flaky-503", 3)], ids=["retry-after", "flaky-503"]
)
def test_a_flaky_fault_ends_with_the_picture(site: Playground, name: str, tries: int) -> None:
    url = site.fault(name, index=77).url
    answers = [ask(url) for _ in range(tries)]
    assert [seen.status == 200 for seen in answers] == [False] * (tries - 1) + [True]
    assert _sound(answers[-1])


def test_the_redirect_chain_ends_at_the_picture(site: Playground) -> None:
    seen, url = follow(site.fault("redirect-chain").url)
    assert _sound(seen)
    assert url.endswith("?hop=3")


def test_the_inner_address_serves_and_records(site: Playground) -> None:
    seen, url = follow(site.fault("redirect-inner", index=3).url)
    assert _sound(seen)
    assert [record.host for record in site.requests_to(url)] == [urlsplit(url).netloc]


def test_a_cookie_opens_the_cookie_fault(site: Playground) -> None:
    assert _sound(follow(site.fault("cookie-needed").url)[0])


def test_a_referer_opens_the_hotlink_fault(site: Playground) -> None:
    assert _sound(ask(site.fault("hotlink").url, "Referer: http://example.org/page"))


def test_robots_txt_disallows_the_disallowed_fault(site: Playground) -> None:
    url = site.fault("robots-disallowed").url
    parts = urlsplit(url)
    rules = ask(f"http://{parts.netloc}/robots.txt").body.decode()
    assert "Disallow: /fault/robots-disallowed/" in rules
    assert parts.path.startswith("/fault/robots-disallowed/")


def test_link_faults_lead_where_they_say(site: Playground) -> None:
    urls = {link.name: site.fault(link.name).url for link in LINK_FAULTS}
    assert urls["data-jpeg"].startswith("data:image/jpeg;base64,/9j/")
    refused = urlsplit(urls["refused"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((refused.hostname or "", refused.port or 0), timeout=1)
    full = urlsplit(urls["never-connects"])
    with pytest.raises(TimeoutError):
        socket.create_connection((full.hostname or "", full.port or 0), timeout=0.3)


def test_faults_of_different_kinds_lie_on_different_hosts(site: Playground) -> None:
    hosts = [urlsplit(site.fault(name).url).netloc for name in FAULTS]
    assert len(set(hosts)) == len(hosts)
