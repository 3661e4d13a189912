"""The targets of fuzzing, each with seeds of our own making: a name, a reader, a few small inputs.

A reader returns for any bytes. The errors that it is documented to raise are caught here; any
other exception, a crash, or more than a few seconds for one input is a finding.
"""

from __future__ import annotations

import contextlib
import io
import struct
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image, ImageCms

from pixtrawl.errors import UsageError
from pixtrawl.images import srgb
from pixtrawl.images.formats import exif, jpeg, png_chunks, sniff
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.metadata.rights import read_rights
from pixtrawl.manifests.literal import read_literal
from pixtrawl.manifests.reader import read_manifest
from pixtrawl.net.data_url import decode as decode_data_url
from pixtrawl.net.headers import Headers
from pixtrawl.net.mime import parse_mime_type
from pixtrawl.net.robots.exclusion import opts_out, parse_robots
from pixtrawl.net.stated_pause import retry_after_s
from pixtrawl.sources.page.links import read_page
from pixtrawl.sources.page.sitemap import read_sitemap, sitemaps_of_robots, unpacked
from pixtrawl.sources.page.srcset import parse_srcset
from pixtrawl.sources.script_data import read_value, scripts_in

__all__ = ["TARGETS", "Target"]

_MOST_PIXELS: Final = 4_000_000  # keeps one execution short; the readers are the same
_URL: Final = "http://site.example/page"


class Target(NamedTuple):
    """One reader, and what it starts from."""

    read: Callable[[bytes], object]
    seeds: Callable[[], Iterable[bytes]]
    most_bytes: int = 1 << 16


def _image(format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = Image.linear_gradient("L").resize((72, 66))
    picture = picture.convert("P" if format == "GIF" else "RGB")
    picture.save(buffer, format, **options)
    return buffer.getvalue()


def _images(format: str) -> Callable[[], Iterable[bytes]]:
    def seeds() -> Iterable[bytes]:
        yield _image(format)
        if format == "JPEG":
            yield _image(format, progressive=True, exif=_exif())
        if format in ("GIF", "PNG", "WEBP", "TIFF", "AVIF"):
            yield _image(format, save_all=True, append_images=[Image.new("RGB", (72, 66))])
        if format == "TIFF":
            yield _image(format, compression="tiff_lzw")

    return seeds


def _decode(format: str) -> Callable[[bytes], object]:
    """Return a reader of files whose signature is that of the format, however the rest goes."""

    def read(data: bytes) -> object:
        if sniff.sniff(data[: sniff.HEAD_BYTES]) not in (format, "jpeg"):
            return None
        inspect_bytes(data, _MOST_PIXELS)
        return read_rights(data)

    return read


def _exif() -> bytes:
    block = Image.Exif()
    block[0x0112], block[0x8298] = 6, "somebody"
    return block.tobytes()


def _read_exif(data: bytes) -> object:
    exif.orientation_of(data)
    return list(exif.entries(data)), list(exif.entries(data, 8))


def _read_jpeg_head(data: bytes) -> object:
    head = jpeg.read_head(data)
    jpeg.essential(data, head, 4)
    if head.scan_at:
        jpeg.count_scans(data, head, 50)
    return jpeg.profile(data, head), jpeg.quality(head.luma_table)


_XMP: Final = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description photoshop:Credit="a">'
    b"<dc:creator><rdf:Seq><rdf:li>A</rdf:li><rdf:li>B</rdf:li></rdf:Seq></dc:creator>"
    b'<cc:license rdf:resource="http://l.example/"/></rdf:Description></rdf:RDF></x:xmpmeta>'
)


def _read_profile(data: bytes) -> object:
    return srgb.to_srgb(Image.new("RGB", (4, 4)), data)


def _profiles() -> Iterable[bytes]:
    yield ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()


def _text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def _read_robots(data: bytes) -> object:
    rules = parse_robots(data)
    sitemaps_of_robots(data.decode("utf-8", "replace"))
    return rules.allows(_URL), rules.allows("http://site.example/a/b?c=d*$")


def _read_page(text: str) -> object:
    found = read_page(text, _URL)
    return found.links, found.following, list(scripts_in(text))


def _read_json(text: str) -> object:
    with contextlib.suppress(ValueError):
        return read_value(text)
    return None


def _read_headers(data: bytes) -> object:
    headers = Headers(data.split(b"\n"))
    text = data.decode("latin-1")
    opts_out(text.split("\n"))
    return dict(headers), parse_mime_type(text), retry_after_s(text)


def _list(ending: str) -> Callable[[bytes], object]:
    def read(data: bytes) -> object:
        with tempfile.TemporaryDirectory(prefix="pixtrawl-fuzz-") as folder:
            path = Path(folder) / f"list{ending}"
            path.write_bytes(data)
            with contextlib.suppress(UsageError):
                return list(read_manifest(path, read_parquet=_rows_of_parquet))
        return None

    return read


def _rows_of_parquet(path: Path) -> Iterable[Mapping[str, object]]:
    from pixtrawl.pipeline.parquet_manifest import read_rows

    return read_rows(path)


def _parquet() -> Iterable[bytes]:
    import pyarrow as pa
    from pyarrow import parquet

    buffer = io.BytesIO()
    parquet.write_table(pa.table({"url": ["http://a.example/1.jpg"], "label": ["a"]}), buffer)
    yield buffer.getvalue()


_SITEMAP: Final = (
    b"<urlset><url><loc>http://a/</loc><image:image><image:loc>http://a/b.jpg"
    b"</image:loc></image:image></url></urlset>"
)
_PAGE: Final = (
    b"<html><head><base href=/b/><meta property=og:image content=a.jpg>"
    b'<script type=application/ld+json>{"@type":"ImageObject"}</script></head>'
    b"<body><a href=x><img src=a.jpg srcset='b.jpg 2x, c.jpg 800w' alt=t></a>"
)
_ROW: Final = b"http://a.example/1.jpg"
TARGETS: Final[Mapping[str, Target]] = {
    **{
        f"decode-{name}": Target(_decode(name), _images(format))
        for name, format in {
            "jpeg": "JPEG",
            "png": "PNG",
            "gif": "GIF",
            "webp": "WEBP",
            "avif": "AVIF",
            "bmp": "BMP",
            "tiff": "TIFF",
        }.items()
    },
    "exif": Target(_read_exif, lambda: [_exif()[6:], b"MM\0*" + struct.pack(">IH", 8, 0)]),
    "jpeg-head": Target(_read_jpeg_head, _images("JPEG")),
    "png-chunks": Target(png_chunks.without_damaged_metadata, _images("PNG")),
    "rights": Target(read_rights, lambda: [_XMP, _image("JPEG", exif=_exif(), xmp=_XMP)]),
    "profile": Target(_read_profile, _profiles),
    "robots": Target(
        _read_robots,
        lambda: [
            b"User-agent: *\nDisallow: /a*b$\nAllow: /\nCrawl-delay: 2\nSitemap: http://a/s\n"
        ],
    ),
    "sitemap": Target(
        lambda data: read_sitemap(unpacked(data).decode("utf-8", "replace")),
        lambda: [_SITEMAP],
    ),
    "page": Target(
        _text(_read_page),
        lambda: [_PAGE],
    ),
    "srcset": Target(_text(parse_srcset), lambda: [b"a.jpg 1x, b.jpg 2x", b"a,b 100w 50h,(c)"]),
    "json": Target(_text(_read_json), lambda: [b'{"a": [1, "b", null, {"c": 1e9}]}', b"{a:'b'}"]),
    "headers": Target(
        _read_headers,
        lambda: [
            b"Content-Type: image/jpeg; charset=x\nX-Robots-Tag: noai, googlebot: noindex\n",
            b"Sun, 06 Nov 1994 08:49:37 GMT",
            b"120",
        ],
    ),
    "data-url": Target(
        _text(decode_data_url), lambda: [b"data:image/png;base64,iVBORw0KGgo=", b"data:,a%20b"]
    ),
    "literal": Target(
        lambda data: list(read_literal(io.StringIO(data.decode("utf-8", "replace")))),
        lambda: [b"{'a b': ['http://a/1.jpg', \"x\"], 'c': []}"],
    ),
    "list-csv": Target(_list(".csv"), lambda: [b"url,label\n" + _ROW + b',"a,b"\n']),
    "list-jsonl": Target(_list(".jsonl"), lambda: [b'{"url": "' + _ROW + b'", "query": "a"}\n']),
    "list-json": Target(_list(".json"), lambda: [b'{"rows": [{"url": "' + _ROW + b'"}]}']),
    "list-parquet": Target(_list(".parquet"), _parquet),
    "list-txt": Target(_list(".txt"), lambda: [_ROW + b"\nhttp://b.example/\n# no\n"]),
}
