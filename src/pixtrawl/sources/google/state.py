"""Classify a page: result grid, no results, consent, block, or unknown. Pure.

Pages are recognised by path, form, attributes and a few words; never by host, because base_url may
be another server, and never by class names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

SHORT_PAGE_CHARS: Final = 5000  # the soft block has about 400, the JavaScript wall 85,000

NO_RESULTS: Final = re.compile(
    r"did not match any|no results found|no image results|about 0 results|couldn.t find any|"
    r"there are no results|aren.t any (?:great )?matches|"
    r"stimmt mit keine|keine (?:ergebnisse|bilder) gefunden|übereinstimmenden dokumente|"
    r"ne correspond à aucun|aucun résultat|no se (?:han )?encontr|no obtuvo ningún|"
    r"nessun risultato|non ha prodotto risultati|não encontrou nenhum|nenhum resultado|"
    r"geen resultaten|komt niet overeen|nie znaleziono|brak wyników|ничего не найдено|"
    r"не найдено ни одного|нічого не знайдено|inga resultat|matchade inte|ingen resultater|"
    r"ei tuloksia|žádné výsledky|nincs találat|niciun rezultat|δεν βρέθηκαν|sonuç bulunamadı|"
    r"一致する(?:情報|画像|ページ)は|見つかりません|找不到和您|找不到符合|未找到|没有找到|"
    r"검색결과가 없습니다|"
    r"không tìm thấy|tidak (?:cocok|ditemukan)|ไม่ตรงกับ|لم ينجح|لا توجد نتائج|लिए कोई परिणाम",
    re.IGNORECASE,
)  # fmt: skip

REJECT_WORDS: Final = (
    r"reject|decline|refuse|deny|only (?:necessary|essential)|ablehnen|refuser|rechazar|rifiuta|"
    r"rejeitar|recusar|rebutja|weiger|afwijzen|avvisa|afvis|avvis|hylkää|odrzuć|odmít|odmiet|"
    r"elutas|respinge|отклон|відхил|отхвърл|απόρριψη|reddet|拒否|拒绝|拒絕|거부|رفض|דחה|דחייה|"
    r"từ chối|ปฏิเสธ|tolak|अस्वीकार|zavrni|odbij|lükka|noraid|atmest|hafna"
)
MORE_WORDS: Final = (
    r"^(?:show |see |load |view )?more(?: results| images)?$|^mehr (?:ergebnisse|anzeigen|bilder)|"
    r"^weitere (?:ergebnisse|bilder)|^plus de résultats|^afficher plus|^más resultados|"
    r"^mostrar más|^altri risultati|^mostra altri|^mais resultados|^mostrar mais|"
    r"^meer resultaten|^więcej wyników|^показать ещ|^ещё результаты|^fler resultat|"
    r"^(?:検索)?結果をもっと見る|^もっと見る|^更多结果|^显示更多|^顯示更多|^결과 더보기|^daha fazla"
)


_CONSENT_PATH: Final = re.compile(r"(?:^|/)consent(?:/|$|\.|-|_)|^/(?:m|ml|d|dl)$", re.IGNORECASE)
_CONSENT_WORDS: Final = re.compile(
    r"cookie|before you continue|bevor sie|avant d.accéder|antes de ir|antes de continuar|"
    r"prima di continuare|voordat je|datenschutz|privacy|privacidad|confidentialité|"
    r"обработк|куки|クッキー|同意|쿠키|çerez",
    re.IGNORECASE,
)
_UNUSUAL: Final = re.compile(
    r"unusual traffic|ungewöhnlichen datenverkehr|trafic exceptionnel|tráfico inusual|"
    r"not a robot|kein roboter",
    re.IGNORECASE,
)
_LOGIN_PATH: Final = re.compile(r"/(?:service)?login|/signin|/accounts?/", re.IGNORECASE)


class State(StrEnum):
    """The state of a page."""

    GRID = "grid"
    NO_RESULTS = "no_results"
    CONSENT = "consent"
    CAPTCHA = "captcha"
    RATE_LIMIT = "rate_limit"
    JS_WALL = "js_wall"
    SOFT_BLOCK = "soft_block"
    LOGIN = "login"
    FORBIDDEN = "forbidden"
    SERVER_ERROR = "server_error"
    UNKNOWN = "unknown"


BLOCKED: Final = frozenset(
    {
        State.CAPTCHA,
        State.RATE_LIMIT,
        State.JS_WALL,
        State.SOFT_BLOCK,
        State.LOGIN,
        State.FORBIDDEN,
    }
)
# These states may be temporary; all others are final.
PASSING: Final = frozenset({State.UNKNOWN, State.JS_WALL, State.SOFT_BLOCK})


def classify(url: str, status: int, facts: Any, *, records: int = 0) -> State:
    """Return the state of the page at `url`, from facts.js and the records in its texts.

    Args:
        url: of the page, redirects followed.
        status: HTTP status of the page; 0 where unknown.
        facts: result of the script, of any type.
        records: how many image records its texts hold.
    """
    if not isinstance(facts, Mapping):
        facts = {}
    try:
        path = urlsplit(url).path
    except ValueError:
        path = ""
    text = _text(facts, "text")
    if "/sorry/" in path or facts.get("captcha") is True or _is_traffic_page(text, records):
        return State.CAPTCHA
    if _asks_consent(path, facts, records):
        return State.CONSENT
    refusal = _REFUSALS.get(status)
    if refusal is not None:
        return refusal
    if records or _count(facts, "tiles"):
        return State.GRID
    if status >= 500:
        return State.SERVER_ERROR
    return _gridless(path, text, facts)


_REFUSALS: Final = {429: State.RATE_LIMIT, 403: State.FORBIDDEN, 401: State.LOGIN,
                    451: State.FORBIDDEN}  # fmt: skip


def _gridless(path: str, text: str, facts: Mapping[str, Any]) -> State:
    noscript = _text(facts, "noscript")
    if "/retry/enablejs" in noscript:
        short = _count(facts, "chars") < SHORT_PAGE_CHARS
        return State.SOFT_BLOCK if short and "<iframe" in noscript else State.JS_WALL
    if facts.get("password") is True or _LOGIN_PATH.search(path):
        return State.LOGIN
    return State.NO_RESULTS if NO_RESULTS.search(text) else State.UNKNOWN


def _is_traffic_page(text: str, records: int) -> bool:
    return not records and len(text) < SHORT_PAGE_CHARS and _UNUSUAL.search(text) is not None


def _asks_consent(path: str, facts: Mapping[str, Any], records: int) -> bool:
    # A folder of a server may be called "consent"; its result pages are no consent pages.
    is_result_page = records > 0 or _count(facts, "tiles") > 0 or path.endswith("/search")
    if facts.get("consentForm") is True or (not is_result_page and _CONSENT_PATH.search(path)):
        return True
    dialogs = facts.get("dialogs")
    for dialog in dialogs if isinstance(dialogs, list) else []:
        if not isinstance(dialog, Mapping) or _count(dialog, "buttons") < 2:
            continue
        if _CONSENT_WORDS.search(_text(dialog, "text")):
            return True
    return False


def _text(facts: Mapping[str, Any], name: str) -> str:
    value = facts.get(name)
    return value if isinstance(value, str) else ""


def _count(facts: Mapping[str, Any], name: str) -> int:
    value = facts.get(name)
    return int(value) if isinstance(value, int | float) and 0 <= value < 2**53 else 0
