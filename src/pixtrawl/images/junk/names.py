"""Read what a URL and an alt text name a picture as: a logo, a captcha, "no image". Pure.

Names alone are wrong too often (a shirt with a logo, an article about captchas): they only lower
the bar for the look of the picture (`images.junk.drawn`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urlsplit

from pixtrawl.model import Candidate, Reason

__all__ = ["is_stock_preview", "named_as"]

# Words about a file's form, which may follow its name: acme-logo-white@2x.png.
_FORM: Final = (
    r"(?:[-_. @]+(?:\d+(?:x\d*|px|w|h)?|x\d+|white|black|dark|light|colou?r|rgb|cmyk|mono|small"
    r"|large|big|new|old|full|square|round|horizontal|vertical|header|footer|final|transparent"
    r"|hd|retina|mobile|desktop|default|main|svg|png|vector|en|de|fr|es|v\d+|[0-9a-f]{6,}))*"
)
_LOGO: Final = re.compile(
    r"(?:^|[-_. ])(?:logos?|logo[-_ ]?type|word[-_ ]?mark|favicon|sprites?|apple[-_]touch[-_]icon)"
    rf"{_FORM}$|^logo[-_. ](?:of|de|von|der|du)[-_. ]",
    re.IGNORECASE,
)
_LOGO_FOLDER: Final = re.compile(r"/(?:logos?|sprites?|favicons?)/[^/]+$", re.IGNORECASE)
_CAPTCHA: Final = re.compile(
    r"captcha|securimage|security[-_ ]?code|verif(?:y|ication)[-_ ]?code|validate[-_ ]?code",
    re.IGNORECASE,
)
_GONE: Final = re.compile(
    r"(?:^|[-_. ])(?:no[-_ ]?(?:image|photo|picture|img|pic|thumb(?:nail)?|cover|avatar)s?"
    r"|(?:image|photo|picture|img|pic|file|content)s?[-_ ]?"
    r"(?:(?:is[-_ ])?not?[-_ ]?(?:found|available|exist(?:s|ing)?)|na|removed|deleted|missing"
    r"|unavailable|coming[-_ ]?soon)"
    r"|not[-_ ]?found|unavailable|placeholder|missing|removed|coming[-_ ]?soon)"
    rf"{_FORM}$",
    re.IGNORECASE,
)
_WORN: Final = re.compile(  # a thing that bears a logo
    r"(?:^|[-_. ])(?:with|on|mit|auf|avec|sur|con|shirt|tee|hoodie|cap|mug|bag)(?:[-_. ]|$)",
    re.IGNORECASE,
)
_ALT_CHARACTERS: Final = 60  # longer ones are sentences about a picture
# Previews by which agencies sell, with their watermark on them; each marks them in its URLs.
_STOCK: Final = re.compile(
    r"^(?:[a-z0-9]+\.)?alamy\.com/(?:comp|450v|zooms)/"
    r"|^previews\.123rf\.com/|^[a-z]+\.123rf\.com/\d+wm/"
    r"|^(?:www|image)\.shutterstock\.com/[^?#]*-(?:260nw|600w|450w)-"
    r"|^(?:www|image)\.shutterstock\.com/(?:[a-z0-9]+/)?display_pic_with_logo/"
    r"|^thumbs\.dreamstime\.com/[a-z]/"
    r"|^comps\.canstockphoto\.com/|^previews\.agefotostock\.com/"
    r"|^cdn\d*\.vectorstock\.com/i/(?:preview|\d+v)"
    r"|^[a-z0-9-]+\.depositphotos\.com/[^?#]*-stock-(?:photo|illustration)-"
    r"|^media\.(?:istockphoto|gettyimages)\.com/[^?]*\?(?:[^#]*&)?s=\d+x\d+",
    re.IGNORECASE,
)


def named_as(candidate: Candidate, url: str) -> Reason | None:
    """Return HUMAN_CHECK, PLACEHOLDER or ICON where the URL's last part or the alt text say so."""
    found = _path_names(url)
    if found is not None:
        return found
    for text in (candidate.alt, candidate.title):
        if text and len(text) <= _ALT_CHARACTERS:
            named = _reason_in(text.strip())
            if named is not None:
                return named
    return None


def is_stock_preview(url: str) -> bool:
    """Return whether the URL is that of a picture agency's preview, which has its watermark."""
    scheme, _, rest = url.partition("://")
    return scheme.lower() in ("http", "https") and _STOCK.search(rest) is not None


@lru_cache(maxsize=1024)  # a URL is judged again for a copy, and a site repeats its parts
def _path_names(url: str) -> Reason | None:
    path = urlsplit(url).path if url[:5].lower() != "data:" else ""
    last = unquote(path.rpartition("/")[2])
    stem = last.rpartition(".")[0] or last
    if _CAPTCHA.search(stem):
        return Reason.HUMAN_CHECK
    return _reason_in(stem) or (Reason.ICON if _LOGO_FOLDER.search(path) else None)


def _reason_in(text: str) -> Reason | None:
    if _GONE.search(text):
        return Reason.PLACEHOLDER
    if _LOGO.search(text) and not _WORN.search(text):
        return Reason.ICON
    return Reason.HUMAN_CHECK if _CAPTCHA.fullmatch(text) else None
