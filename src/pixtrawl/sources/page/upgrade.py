"""Derive the URL of the original from the URL of a resized copy, if its form allows it. Pure.

The result is a guess from well-known URL schemes of image servers, so callers keep the URL of the
page as a fall-back. Signed URLs are left alone, and no thumbnail URL is ever built.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from pixtrawl import urls

__all__ = ["has_image_name", "stated_width", "upgraded"]

_IMAGE: Final = r"\.(?:jpe?g|jfif|pjpeg|png|gif|webp|avif|bmp|tiff?|heic|heif|jxl)"
_NAMED: Final = re.compile(rf"{_IMAGE}\Z", re.IGNORECASE)
_MAX_CHARS: Final = 8000

_SIGNATURES: Final = (
    "s sig sign signature hmac hash token expires exp policy key-pair-id oh oe x-amz-signature"
)
_SIZES: Final = (
    "w h width height maxwidth maxheight max-width max-height max_width max_height resize fit crop "
    "scale quality q dpr auto size sz strip ssl imwidth imheight wid hei thumb thumbnail"
)
_SIGNED: Final = frozenset(_SIGNATURES.split())
_SIZING: Final = frozenset(_SIZES.split())
_WP_SIZE: Final = re.compile(rf"-([0-9]{{2,4}})x([0-9]{{2,4}})(?={_IMAGE}\Z)", re.IGNORECASE)
_WP_SCALED: Final = re.compile(rf"-scaled(?={_IMAGE}\Z)", re.IGNORECASE)
_WIKI: Final = re.compile(r"/thumb(/(?:archive/)?[0-9a-f]/[0-9a-f]{2}/[^/]+)/[^/]+\Z")
_CLOUDINARY: Final = re.compile(r"(/(?:image|[^/]+)/(?:upload|private))/((?:[^/]+/)+)([^/]+)\Z")
_TRANSFORMATION: Final = re.compile(
    r"\$?[a-z]{1,3}_[^/,]+(?:,\$?[a-z]{1,4}_[^/,]+)*", re.IGNORECASE
)
_FETCH: Final = re.compile(r"/image/fetch/(?:[^/]*/)*?(https?(?::|%3[Aa]).+)\Z")
_CLOUDFLARE: Final = re.compile(r"/cdn-cgi/image/[^/]*=[^/]*/(.+)\Z")
_IPX: Final = re.compile(r"/_ipx/[^/]*/(.+)\Z")
_RESIZE: Final = re.compile(r"/resize/[0-9]{1,5}(?:[x/][0-9]{1,5})?(?:[!%^<>]|%25)?(?=/)")
_SHOPIFY: Final = re.compile(
    rf"_(?:[0-9]{{1,4}}x[0-9]{{0,4}}|x[0-9]{{1,4}}|pico|icon|thumb|small|compact|medium|large|"
    rf"grande)(?:_crop_[a-z]+)?(?:@[23]x)?(?={_IMAGE}\Z)",
    re.IGNORECASE,
)
_AMAZON: Final = re.compile(rf"\._[A-Z]{{2}}[A-Za-z0-9_,%-]*_(?={_IMAGE}\Z)")
_WIX: Final = re.compile(rf"(/media/[^/]+{_IMAGE})/v1/[^/]+/.+\Z", re.IGNORECASE)
_GOOGLE: Final = re.compile(r"=(?:[swh][0-9]{1,5})(?:-[a-z0-9-]+)*\Z")
_BLOGGER: Final = re.compile(
    r"/(?:s[0-9]{2,4}|w[0-9]{2,4}-h[0-9]{2,4})(?:-[a-z0-9-]+)*(?=/[^/]+\Z)"
)
_PINTEREST: Final = re.compile(r"\A/[0-9]{2,4}x(?:[0-9]{2,4})?(?:_RS)?/")
_MEDIUM: Final = re.compile(
    r"\A/(?:v2/resize:[a-z]+:[0-9:]+(?:/format:[a-z]+)?|(?:max|fit)/[0-9/c]+?)/(?=[^/]+\Z)"
)

_NEXT: Final = ("/_next/image", "/_vercel/image", "/.netlify/images", "/_image")
_WORDPRESS_PATHS: Final = ("/wp-content/", "/uploads/", "/files/")
_SMALL_PX: Final = 1024  # outside WordPress, `-1920x1080` is probably part of the name


class _Url:
    """A URL in parts; `query` without its question mark."""

    def __init__(self, url: str) -> None:
        rest = url.partition("#")[0]
        rest, _, self.query = rest.partition("?")
        scheme, _, rest = rest.partition("://")
        host, slash, path = rest.partition("/")
        self.origin = f"{scheme}://{host}"
        self.host = host.lower()
        self.path = slash + path
        self.pairs = [pair.partition("=") for pair in self.query.split("&") if pair]
        self.names = {name.lower() for name, _, _ in self.pairs}

    def with_path(self, path: str, *, query: bool = True) -> str:
        tail = f"?{self.query}" if query and self.query else ""
        return f"{self.origin}{path}{tail}"


def upgraded(url: str) -> str | None:
    """Return the URL of the original; None if this is no known form of a resized copy."""
    if len(url) > _MAX_CHARS or not url.lower().startswith(("http://", "https://")):
        return None
    current = url
    for _ in range(3):  # the inner URL of a proxy may be a resized copy too
        better = _once(current)
        if better is None or better == current:
            break
        current = better
    return None if current == url or urls.check(current) is not None else current


def _once(url: str) -> str | None:
    parts = _Url(url)
    if parts.names & _SIGNED:
        return None
    for rule in _RULES:
        better = rule(parts)
        if better is not None and better != url:
            return better
    return None


def _proxied(parts: _Url) -> str | None:
    """Return the original that Next, Vercel and Netlify name in `url`."""
    if not parts.path.rstrip("/").endswith(_NEXT):
        return None
    inner = next((value for name, _, value in parts.pairs if name in {"url", "href"}), "")
    return _inner(parts, unquote(inner)) if inner else None


def _in_path(parts: _Url) -> str | None:
    """Return the original in the path: Cloudflare, Nuxt's ipx, Cloudinary's fetch, Substack."""
    for pattern in (_CLOUDFLARE, _IPX, _FETCH):
        match = pattern.search(parts.path)
        if match:
            inner = match[1]
            if re.match(r"https?%3a", inner, re.IGNORECASE):
                inner = unquote(inner)
            elif parts.query:
                inner += f"?{parts.query}"
            return _inner(parts, inner)
    return None


def _inner(parts: _Url, inner: str) -> str | None:
    if re.match(r"https?:/[^/]", inner):  # a server merged the two slashes
        inner = inner.replace(":/", "://", 1)
    if not inner.startswith(("http://", "https://", "/")):
        inner = f"/{inner}"
    return urls.join(f"{parts.origin}/", inner)


def _mediawiki(parts: _Url) -> str | None:
    """Return the file of `.../thumb/a/ab/Name.jpg/330px-Name.jpg` if it is a raster picture."""
    match = _WIKI.search(parts.path)
    if match is None or not _NAMED.search(match[1]):
        return None
    return f"{parts.origin}{parts.path[: match.start()]}{match[1]}"


def _cloudinary(parts: _Url) -> str | None:
    match = _CLOUDINARY.search(parts.path) if "cloudinary" in parts.host else None
    if match is None:
        return None
    folders = match[2].split("/")[:-1]
    kept = [one for one in folders if not _TRANSFORMATION.fullmatch(one)]
    if len(kept) == len(folders):
        return None
    path = "/".join([parts.path[: match.start()] + match[1], *kept, match[3]])
    return parts.with_path(path)


def _wordpress(parts: _Url) -> str | None:
    match = _WP_SIZE.search(parts.path)
    ours = any(word in parts.path for word in _WORDPRESS_PATHS)
    if match and (ours or max(int(match[1]), int(match[2])) <= _SMALL_PX):
        return parts.with_path(_WP_SIZE.sub("", parts.path))
    if ours and _WP_SCALED.search(parts.path):
        return parts.with_path(_WP_SCALED.sub("", parts.path))
    return None


def _shops(parts: _Url) -> str | None:
    """Return the original on Shopify, Amazon and Wix."""
    path = parts.path
    if parts.host.startswith("cdn.shopify.") or "/cdn/shop/" in path:
        return parts.with_path(_SHOPIFY.sub("", path))
    if "amazon" in parts.host and "/images/" in path:
        return parts.with_path(_AMAZON.sub("", path))
    if parts.host.endswith("wixstatic.com"):
        return parts.with_path(_WIX.sub(r"\1", path))
    return None


def _blogs(parts: _Url) -> str | None:
    """Return the original on Google's image hosts, Pinterest, Medium, Twitter, Squarespace."""
    path, host = parts.path, parts.host
    if host.endswith((".googleusercontent.com", ".ggpht.com")) and _GOOGLE.search(path):
        return parts.with_path(_GOOGLE.sub("=s0", path))
    if host.endswith((".bp.blogspot.com", "blogger.googleusercontent.com")):
        return parts.with_path(_BLOGGER.sub("/s0", path))
    if host == "i.pinimg.com":
        return parts.with_path(_PINTEREST.sub("/originals/", path))
    if host.endswith("miro.medium.com"):
        return parts.with_path(_MEDIUM.sub("/", path))
    if host == "pbs.twimg.com" and "name" in parts.names:
        return parts.with_path(path, query=False) + _replaced(parts, "name", "orig")
    if host.endswith("squarespace-cdn.com") and "format" in parts.names:
        return parts.with_path(path, query=False) + _replaced(parts, "format", "original")
    return None


def _replaced(parts: _Url, name: str, value: str) -> str:
    pairs = [f"{one}={value if one == name else old}" for one, _, old in parts.pairs]
    return "?" + "&".join(pairs)


def _resize_folder(parts: _Url) -> str | None:
    """Remove `/resize/300x200/` from the path."""
    if not _RESIZE.search(parts.path):
        return None
    return parts.with_path(_RESIZE.sub("", parts.path, count=1))


def _parameters(parts: _Url) -> str | None:
    """Remove parameters of size and fit: `photo.jpg?w=300&fit=crop`."""
    if not parts.names & _SIZING or not _NAMED.search(parts.path):
        return None
    kept = "&".join("".join(pair) for pair in parts.pairs if pair[0].lower() not in _SIZING)
    return f"{parts.origin}{parts.path}" + (f"?{kept}" if kept else "")


_RULES: Final[tuple[Callable[[_Url], str | None], ...]] = (
    _proxied, _in_path, _mediawiki, _cloudinary, _shops, _blogs, _wordpress, _resize_folder,
    _parameters,
)  # fmt: skip

_STATED: Final = (
    re.compile(r"[?&](?:w|width|imwidth|wid|sz)=([0-9]{1,5})(?![0-9])", re.IGNORECASE),
    re.compile(r"/([0-9]{1,5})px-[^/]+\Z"),
    re.compile(rf"[-_]([0-9]{{2,4}})x[0-9]{{2,4}}{_IMAGE}(?:\?|\Z)", re.IGNORECASE),
    re.compile(r"/(?:[^/]+,)?w_([0-9]{1,5})(?:,[^/]+)?/"),
    re.compile(r"[,/]width=([0-9]{1,5})[,/]"),
    re.compile(r"[=/][sw]([0-9]{2,4})(?:-[a-z0-9-]+)?(?:/[^/]+)?\Z"),
)


def stated_width(url: str) -> int | None:
    """Return the width in pixels that a resized copy's URL states; None if it states none."""
    for pattern in _STATED:
        match = pattern.search(url[:_MAX_CHARS])
        if match:
            return int(match[1])
    return None


def has_image_name(url: str) -> bool:
    """Return whether the path ends like the name of an image file."""
    path = url[:_MAX_CHARS].partition("#")[0].partition("?")[0]
    return _NAMED.search(path) is not None
