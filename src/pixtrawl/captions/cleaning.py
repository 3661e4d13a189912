"""Clean collected texts of what says nothing about the picture. Pure; bounded on hostile text.

Dropped are: markup and entities, control and bidirectional characters, addresses, names of sites,
words of stock agencies, "Image of", file names and camera numbers, sizes, licences and credits,
repeated punctuation. A text of which nothing is left is no caption.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final
from urllib.parse import urlsplit

__all__ = ["MAX_CHARS", "cleaned", "one_text"]

MAX_CHARS: Final = 400  # of a caption; text encoders read less than that
_MAX_READ: Final = 4000
_FEWEST: Final = 3  # letters of a caption; one is enough of scripts that write words in one

_TAG: Final = re.compile(r"</?[a-zA-Z!][^<>]{0,500}>")
# Controls, halves of surrogates, private use, bidirectional marks, zero-width spaces, soft hyphens.
_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffd\ud800-\udfff\ue000-\uf8ff]"
)
_ADDRESS: Final = re.compile(
    r"(?:https?://|www\.)\S{1,2000}|[\w.+-]{1,64}@[\w-]{1,64}\.[\w.-]{2,64}", re.IGNORECASE
)
_CUT: Final = re.compile(r"\s+[|–—•·»«:]{1,3}\s+|\s+-{1,3}\s+|\s*\|\s*|\s+/\s+")  # between parts
_NOUN: Final = (
    r"(?:stock\s+)?(?:image|photo|picture|photograph|pic|illustration|thumbnail|screenshot)s?"
)
_LEAD: Final = re.compile(
    rf"(?:file:|image\s+result\s+for\b|image\s+may\s+contain:?|alt(?:\s+text)?:"
    rf"|(?:click|tap)\s+(?:here\s+)?(?:to|for)\s+(?:enlarge|view|see|zoom)\b"
    rf"|(?:this|the|an?|some)?\s*(?:{_NOUN})\s+(?:of|showing|shows|depicting)\b"
    rf"|(?:{_NOUN})\s*(?:\d{{1,4}}\s*)?(?:of\s+\d{{1,4}}\s*)?:)\s*",
    re.IGNORECASE,
)
_STOCK: Final = re.compile(
    r"\b(?:(?:royalty[- ]free|rights[- ]managed|premium|free)\s+){0,2}stock\s+"
    r"(?:photo|image|picture|illustration|vector|footage|art)(?:graphy|graph)?s?\b"
    r"(?:\s*[#(]?\s*(?:id\s*:?\s*)?\d{4,}\)?)?"
    r"|\broyalty[- ]free\b(?:\s+(?:photo|image|vector|picture)s?)?|\bfree\s+download\b"
    r"|\b(?:hd|4k|8k|full\s*hd|desktop|free)\s+wallpapers?\b|\bhigh[- ]res(?:olution)?\b"
    r"(?:\s+(?:photo|image)s?)?|\beditorial\s+use\s+only\b|\bdownload\s+(?:now|image|photo)\b",
    re.IGNORECASE,
)
_LICENSE: Final = re.compile(
    r"(?:©|\(c\)(?=\s)|\bcopyright(?:ed)?\b)[^|]{0,200}|\ball\s+rights\s+reserved\b\.?"
    r"|\b(?:licen[sc]ed\s+under|creative\s+commons)\b[^|.]{0,100}(?:\d\.\d[^|.]{0,40})?"
    r"|\bcc[- ](?:by(?:-(?:nc|nd|sa)){0,2}|0|zero)\b(?:\s*\d\.\d)?|\bcc0\b|\bpublic\s+domain\b",
    re.IGNORECASE,
)
_CREDIT: Final = re.compile(
    r"[(\[]?\b(?:(?:photo|image|picture|photograph|illustration)s?\s*(?:credits?|by|courtesy|source)"
    r"|credits?|photographer|courtesy)\b\s*(?::|of\b|by\b|\s)\s*[^|.)\]]{1,100}[)\]]?\.?"
    r"|\bvia\s+(?:getty|shutterstock|flickr|wikimedia|unsplash|reuters|ap)\b[^|.)]{0,60}\)?",
    re.IGNORECASE,
)
_SIZE: Final = re.compile(
    r"[(\[]?\s*\b\d{2,5}\s?[x×*]\s?\d{2,5}\b\s?(?:px|pixels?)?\s*[)\]]?"
    r"|[(\[]?\s*\b\d{1,5}(?:[.,]\d{1,3})?\s?(?:[kmg]i?b|bytes|dpi|ppi|px|pixels|mp|megapixels)\b\s*"
    r"[)\]]?",
    re.IGNORECASE,
)
_ENDING: Final = r"\.(?:jpe?g|jpe|jfif|png|gif|webp|avif|bmp|tiff?|heic|heif|svg|jxl)\b"
_FILE: Final = re.compile(rf"[^\s/\\|()\[\]]{{1,200}}{_ENDING}", re.IGNORECASE)
_WHOLE_FILE: Final = re.compile(rf"(?:\S.{{0,300}}?)?{_ENDING}", re.IGNORECASE)
_CAMERA: Final = re.compile(
    r"(?:img|dsc[nf]?|dscf|dcim|p\d|pxl|mvimg|gopr|gp|sam|cimg|imag|kdo|_mg|wp|vid|mov|scan|screen"
    r"[\s_-]*shot|whatsapp\s+image|signal|received|fb_img|image|images|photo|picture|pic|file"
    r"|untitled|unnamed|download|original|thumb(?:nail)?|large|small|medium|full|max)?"
    r"[\s_.()-]*(?:[\d][\d\s_.:()at-]*)?(?:am|pm)?(?:[\s_-]*(?:hdr|edit(?:ed)?|copy|scaled|final))?",
    re.IGNORECASE,
)
_HASH: Final = re.compile(r"(?=[^\s]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*|[A-Za-z0-9_-]{24,}")
_HASHTAGS: Final = re.compile(r"(?:\s*#\w{1,100}){2,}\s*$")
_REPEATED: Final = re.compile(r"([!?,;:…~*=_#.\-–—])(?:\s*\1)+")
_LOOSE: Final = re.compile(r"\s+([,.;:!?])")
_BRACKETS: Final = re.compile(r"[(\[{]\s*[,;:.\-–|]*\s*[)\]}]")
_EDGES: Final = " \t\n-–—|:;,·•_/\\*~=#»«<>+"
_CAMERA_WORDS: Final = frozenset(
    {
        "olympus digital camera", "sony dsc", "minolta digital camera",
        "konica minolta digital camera", "samsung digital camera", "samsung",
        "kodak digital still camera", "exif_jpeg_picture",
        "digital camera", "created with gimp", "default", "screenshot", "charset=ascii", "hdr",
        "processed with vsco", "cof", "sdr", "ptr", "oznor", "dav", "rhdr", "dcim",
        "my beautiful picture",
    }
)  # fmt: skip
_EMPTY_WORDS: Final = frozenset(
    {
        "image", "images", "photo", "photos", "picture", "pictures", "img", "pic", "thumbnail",
        "thumb", "untitled", "unnamed", "no title", "null", "none", "undefined", "n/a", "nan",
        "placeholder", "alt", "alt text", "alt tag", "no description", "description", "caption",
        "click to enlarge", "enlarge", "zoom", "loading", "lazy", "banner", "logo", "icon",
        "featured image", "cover image", "hero image", "post image", "product image",
        "gallery image",
        "main image", "wallpaper", "slide", "download", "attachment", "no alt text", "view larger",
        "no image", "image not available", "home", "gallery", "avatar", "share", "advertisement",
    }
)  # fmt: skip
_SITES: Final = frozenset(
    {
        "wikipedia", "wikimedia", "wikimedia commons", "flickr", "pinterest", "shutterstock",
        "istock", "istockphoto", "getty images", "gettyimages", "alamy", "adobe stock",
        "dreamstime", "depositphotos", "123rf", "unsplash", "pexels", "pixabay", "freepik",
        "vecteezy", "etsy", "ebay", "amazon", "youtube", "facebook", "instagram", "reddit",
        "tumblr", "deviantart", "imgur", "bigstock", "can stock photo", "stocksy", "twitter", "x",
        "medium", "fine art america", "redbubble", "walmart", "britannica", "national geographic",
        "bbc news", "cnn", "fotolia", "rawpixel", "wallpaper flare", "peakpx", "imdb", "tiktok",
        "yandex", "google images", "bing images", "free", "pikwizard", "picryl",
        "publicdomainpictures",
    }
)  # fmt: skip
_SITE_NAME: Final = re.compile(
    r"(?:www\.)?[\w-]{1,60}\.(?:com|net|org|info|io|de|co\.uk|co|fr|it|es|ru|cn|jp|eu|us|tv|me)",
    re.IGNORECASE,
)


def one_text(text: str | None) -> str:
    """Return text in one line without characters that are not seen, in Unicode's form NFC."""
    if not text:
        return ""
    text = text[:_MAX_READ]
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return " ".join(_UNSEEN.sub(" " if "\x00" in text else "", text).split())


def cleaned(text: str | None, address: str = "") -> str:
    """Return what a collected text says of the picture, "" where that is nothing.

    Args:
        text: a title, an alt text, a sentence; it may hold anything.
        address: URL of the page or file: the site's own name is dropped at the ends of the text.
    """
    if not text:
        return ""
    text = html.unescape(html.unescape(text[:_MAX_READ]))
    text = one_text(_ADDRESS.sub(" ", _TAG.sub(" ", text)))
    if _says_nothing(text):
        return ""
    text = _without_file_names(text)
    for pattern in (_CREDIT, _LICENSE, _STOCK, _SIZE, _HASHTAGS):
        text = pattern.sub(" ", text)
    parts = [part for part in map(_trimmed, _CUT.split(text)) if part]
    site = _site_of(address)
    while len(parts) > 1 and _is_site(parts[-1], site):
        parts.pop()
    while len(parts) > 1 and _is_site(parts[0], site):
        parts.pop(0)
    parts = [part for part in (_without_lead(part) for part in parts) if not _says_nothing(part)]
    if len(parts) == 1 and _is_site(parts[0], site):
        return ""
    text = _trimmed(", ".join(dict.fromkeys(parts)))
    return "" if _says_nothing(text) else _cut(text)


def _without_lead(part: str) -> str:
    match = _LEAD.match(part)
    while match is not None and match.end():
        part = part[match.end() :]
        match = _LEAD.match(part)
    return _trimmed(part)


def _trimmed(text: str) -> str:
    """Return text without repeated punctuation, empty brackets, and loose marks at its ends."""
    text = _BRACKETS.sub(" ", text)
    text = _REPEATED.sub(lambda match: "…" if match[1] == "." else match[1], text)
    text = _LOOSE.sub(r"\1", " ".join(text.split())).strip(_EDGES)
    return text.lstrip(".!?,;:…)]}").strip(_EDGES)


def _without_file_names(text: str) -> str:
    """Replace a file name by the words in it; those of cameras and databases have none."""
    if _WHOLE_FILE.fullmatch(text):
        return _words_of(text)
    return _FILE.sub(lambda match: f" {_words_of(match[0])} ", text)


def _words_of(name: str) -> str:
    stem = re.sub(rf"{_ENDING}$", "", name.removeprefix("File:"), flags=re.IGNORECASE)
    if " " not in stem.strip():
        stem = re.sub(r"(?i)[-_]?\d{2,5}x\d{2,5}$|@[23]x$|[-_]scaled$", "", stem)
        stem = re.sub(r"[-_+]+|%20", " ", stem)
    stem = stem.replace("_", " ").strip("([{ ")
    words = [word for word in stem.split() if not re.fullmatch(r"[\d().]{3,}", word)]
    return "" if _says_nothing(stem) else " ".join(words)


def _says_nothing(text: str) -> bool:
    plain = text.casefold().strip(_EDGES + ".!?…")
    if plain in _EMPTY_WORDS or plain in _CAMERA_WORDS:
        return True
    if _CAMERA.fullmatch(plain) or _HASH.fullmatch(plain):
        return True
    letters = [char for char in text[:200] if char.isalpha()]
    words = any(unicodedata.category(char) == "Lo" for char in letters)  # no small letters: CJK ...
    return len(letters) < (1 if words else _FEWEST)


def _site_of(address: str) -> str:
    """Return the site's name in an address, letters and digits only: `wikipedia`."""
    try:
        host = urlsplit(address[:2000]).hostname or ""
    except ValueError:
        return ""
    labels = host.removeprefix("www.").split(".")
    if len(labels) > 2 and len(labels[-2]) <= 3 and len(labels[-1]) == 2:  # example.co.uk
        labels = labels[:-1]
    return re.sub(r"[^a-z0-9]", "", labels[-2]) if len(labels) > 1 else ""


def _is_site(part: str, site: str) -> bool:
    plain = part.casefold().strip(_EDGES + ".!?…")
    if plain in _SITES or _SITE_NAME.fullmatch(plain):
        return True
    letters = re.sub(r"[\W_]+", "", plain)
    return bool(site) and len(site) > 2 and letters in {site, f"the{site}", f"{site}com"}


def _cut(text: str) -> str:
    """Cut at the end of a sentence, else of a word, within `MAX_CHARS`."""
    if len(text) <= MAX_CHARS:
        return text
    text = text[: MAX_CHARS + 1]
    ends = [match.end(1) for match in re.finditer(r"([.!?。！？])(?=\s|$)", text)]
    if ends and ends[-1] >= MAX_CHARS // 2:
        return text[: ends[-1]]
    words, space, _ = text.rpartition(" ")
    return (words if space and len(words) >= MAX_CHARS // 2 else text[:MAX_CHARS]).rstrip(_EDGES)
