"""Secrets: which settings hold one, and addresses without those that they carry. Pure.

A data set is passed on, and with it the addresses of its pictures. Signed links, `user:password@`
and `?api_key=` open doors that their owner opened for one person, so they are masked in everything
that is made to be shown or shared. The catalog keeps addresses as they are: going on needs them.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Final
from urllib.parse import quote, quote_plus, unquote, unquote_plus

from pixtrawl.reasons import Reason

__all__ = [
    "MASK",
    "NO_SECRETS",
    "PARAMETERS",
    "SIGNED_WITH",
    "SUFFIXES",
    "KnownSecrets",
    "hide_settings",
    "is_secret_name",
    "masked_text",
    "masked_url",
    "secrets_in_url",
    "shown_url",
]  # fmt: skip

MASK: Final = "***"

# Names are compared without case, `-`, `_` and `.`: api_key, API-Key and apikey are one.
PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "Keys, tokens and passwords": (
        "key", "apikey", "token", "secret", "password", "passwd", "passphrase", "pwd", "pass", "pw",
        "auth", "authorization", "authkey", "authcode", "bearer", "jwt", "credential",
        "credentials", "session", "sessionid", "sid", "phpsessid", "jsessionid", "appkey",
        "userkey",
        "subscriptionkey", "licensekey", "privatekey", "clientsecret", "appsecret", "otp",
    ),
    "Signatures": ("sig", "sign", "signature", "hmac", "mac", "authsig", "urlsig", "sas"),
    "Amazon S3": (
        "xamzsignature", "xamzcredential", "xamzsecuritytoken", "awsaccesskeyid",
    ),
    "Google Cloud Storage": ("xgoogsignature", "xgoogcredential", "googleaccessid"),
    "Amazon CloudFront": ("keypairid",),
    "Alibaba, Tencent, Huawei": (
        "ossaccesskeyid", "xosssignature", "xosscredential", "xosssecuritytoken", "qsignature",
        "qak", "xcossecuritytoken", "accesskeyid", "xobssecuritytoken", "xtossignature",
        "xtoscredential",
    ),
    "Akamai, Fastly, other CDNs": (
        "hdnea", "hdnts", "hdntl", "hdnt", "edgetoken", "cdntoken", "verify", "wssecret",
        "txsecret", "authtoken",
    ),
}  # fmt: skip
"""Parameters of addresses whose values are masked, by whose they are."""

SUFFIXES: Final = (
    "token", "secret", "password", "apikey", "accesskey", "accesskeyid", "signature", "credential",
)  # fmt: skip
"""Endings of further names that mean the same."""

SIGNED_WITH: Final[Mapping[str, frozenset[str]]] = {
    "sig": frozenset({"se", "sp", "st", "si", "sv", "sr", "spr", "sip", "skoid", "sktid", "skt",
                      "ske", "sks", "skv"}),
    "signature": frozenset({"expires", "policy"}),
    "keypairid": frozenset({"expires", "policy"}),
}  # fmt: skip
"""Short names that belong to a signature (Azure, CloudFront): masked beside it only."""

_SECRET_WORDS: Final = (
    "key", "token", "secret", "password", "passwd", "cookie", "auth", "credential", "bearer",
    "proxy",
)  # fmt: skip
_NAMES: Final = frozenset(name for names in PARAMETERS.values() for name in names)
# Pieces of them, of which one is in every address that has to be looked at closely.
_HINTS: Final = (
    "key", "token", "secret", "pass", "pw", "auth", "bearer", "jwt", "credential", "ses", "sid",
    "sig", "mac", "sas", "otp", "hdn", "verify", "accessid", "qak",
)  # fmt: skip
_LEAST_CHARS: Final = 4
_JOINTS: Final = str.maketrans("", "", "-_.[]")
# Bounded, because an address is foreign text; `;` parts parameters, too.
_PARAMETER: Final = re.compile(
    r"([?&;#]|%3[Ff]|%26)([^=&;#?%\s]{1,80}|[^=&;#?\s]{1,80}?)(=|%3[Dd])"
)
_END: Final = re.compile(r"[&;#\s]")
_END_IN_PATH: Final = re.compile(r"[&;#?/\s]")  # of /page;jsessionid=1?x=2
_END_INSIDE: Final = re.compile(r"[&;#\s]|%26|%23", re.IGNORECASE)  # of an address inside another
_USER: Final = re.compile(r"(?<=:[/\\]{2})[^/?#\\\s\"'<>]*@")
_USER_INSIDE: Final = re.compile(r"(?<=%3A%2F%2F)[^/?#&\\\s]{1,200}?(?:%40|@)", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]{1,20}:[/\\]{2}[^\s\"'<>`|]+", re.IGNORECASE)


def is_secret_name(name: str) -> bool:
    """Return whether a setting holds a secret, judging by its name."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def hide_settings(group: MutableMapping[str, object], declared: Iterable[str] = ()) -> None:
    """Replace secrets among settings, in groups too, by `set`; mask those in URLs.

    `declared` are names that are said to be secret by whoever reads them.
    """
    for name, value in group.items():
        if isinstance(value, MutableMapping):
            hide_settings(value, declared)
        elif value and (name in declared or is_secret_name(name)):
            group[name] = "set"
        elif isinstance(value, str):
            group[name] = masked_text(value)


def masked_text(text: str) -> str:
    """Mask the URLs in any text."""
    if "://" not in text and ":\\\\" not in text:
        return text
    return _ADDRESS.sub(lambda found: masked_url(found[0]), text)


def masked_url(url: str) -> str:
    """Return a URL without user information and without the values of secret parameters.

    All else stays byte for byte; an address inside a parameter, encoded or not, is masked, too.
    """
    if "=" not in url and "%" not in url and "@" not in url:
        return url  # nearly all are so
    if url[:5].lower() == "data:":
        return url
    if "@" in url or "%40" in url:
        url = _USER_INSIDE.sub(MASK + "%40", _USER.sub(MASK + "@", url))
    if ("=" not in url and "%3" not in url) or not _may_hold_secrets(url):
        return url
    found = [*_parameters(url)]
    names = {name for name, _, _ in found}
    beside = frozenset().union(*(also for name, also in SIGNED_WITH.items() if name in names))
    parts, at = [], 0
    for name, start, end in found:
        if start >= at and (_is_secret(name) or name in beside) and end > start:
            parts += [url[at:start], MASK]
            at = end
    return "".join([*parts, url[at:]]) if parts else url


def shown_url(url: str, reason: Reason) -> str:
    """Return an address as it is shown beside its outcome: one of a blocked picture never is."""
    return MASK if url and reason is Reason.BLOCKED_HASH else masked_url(url)


class KnownSecrets:
    """The secrets of a run by their values, to mask them where others repeat them.

    A server may echo a key, a cookie or a password in a page, an error or an address of its own, in
    any of the usual spellings.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        """`values` of fewer than four characters are not looked for: they are in any text."""
        spelled = {
            form for value in values if len(value) >= _LEAST_CHARS for form in _spellings(value)
        }
        longest_first = sorted(spelled, key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if spelled else None

    def masked(self, text: str) -> str:
        """Return a text without the secrets."""
        return text if self._pattern is None else self._pattern.sub(MASK, text)

    def masked_values(self, value: object) -> object:
        """Return lists and mappings of texts without the secrets, in addresses or known."""
        if isinstance(value, str):
            return self.masked(masked_text(value))
        if isinstance(value, Mapping):
            return {key: self.masked_values(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.masked_values(one) for one in value]
        return value


def _spellings(value: str) -> Iterable[str]:
    """Yield a secret as it stands in headers, addresses, pages and JSON."""
    yield value
    yield from (quote(value, safe=""), quote(value), quote_plus(value), unquote(value))
    yield from (html.escape(value), html.escape(value, quote=False))
    yield from (json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1])
    raw = value.encode("utf-8", "replace")
    yield from (base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("="))


def secrets_in_url(url: str) -> Iterable[str]:
    """Yield user information and the values of secret parameters of an address."""
    if (found := _USER.search(url)) is not None:
        user = unquote(found[0][:-1])
        yield user  # as `Authorization: Basic` encodes it
        if (password := user.partition(":")[2]) or ":" not in user:
            yield password or user
    for name, start, end in _parameters(url):
        if _is_secret(name):
            yield unquote_plus(url[start:end])


NO_SECRETS: Final = KnownSecrets()


def _parameters(url: str) -> Iterable[tuple[str, int, int]]:
    """Yield (plain name, start of its value, end) of each query parameter."""
    at = 0
    while (match := _PARAMETER.search(url, at)) is not None:
        inside = match[1][0] == "%" or match[3] != "="
        in_path = match[1] == ";" and "?" not in url[: match.start()]
        ends = _END_INSIDE if inside else _END_IN_PATH if in_path else _END
        end = ends.search(url, match.end())
        yield _plain(match[2]), match.end(), end.start() if end else len(url)
        at = match.end()


def _may_hold_secrets(url: str) -> bool:
    plain = (unquote_plus(url) if "%" in url else url).lower().translate(_JOINTS)
    return any(hint in plain for hint in _HINTS)


def _plain(name: str) -> str:
    return (unquote_plus(name) if "%" in name else name).translate(_JOINTS).lower()


def _is_secret(name: str) -> bool:
    """Return whether a name denotes a secret; each such name contains one of `_HINTS`."""
    return name in _NAMES or name.endswith(SUFFIXES)
