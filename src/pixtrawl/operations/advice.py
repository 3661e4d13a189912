"""Why a query is short and the next step, derived from the report alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from msgspec import Struct, structs

from pixtrawl.model import REASONS, Reason, SourceOutcome, Status

AGAIN: Final = "the same command goes on where it stopped"
ANEW: Final = "the same command asks again from the start"


class Advice(Struct, frozen=True):
    """The cause of a shortfall and the next step. Messages of sources are quoted as received."""

    why: str
    next_step: str


_BLOCKS: Final[Mapping[str, str]] = {
    "captcha": "solve it in the browser window (no display: xvfb-run), wait, or use another source",
    "rate_limit": f"wait an hour, then {AGAIN}; or use another source",
    "js_wall": "it wants a browser: pip install 'pixtrawl[browser]', or use another source",
    "soft_block": f"wait an hour, then {AGAIN}; or use another source",
    "login": "give it the cookies of a login (--cookies FILE), or use another source",
    "forbidden": "use another source, or another way out (--proxy URL)",
}
_OUTCOMES: Final[Mapping[SourceOutcome, str]] = {
    SourceOutcome.BLOCKED: "wait, or use another source (-s NAME, see `pixtrawl sources`)",
    SourceOutcome.CONSENT: "answer its consent page in the visible browser window once",
    SourceOutcome.CHANGED: "its pages have changed: use another source, and report the evidence",
    SourceOutcome.QUOTA: "wait until its quota is renewed, or use another key or source",
    SourceOutcome.BROWSER_MISSING: "install Chrome or Chromium, or set PIXTRAWL_CHROME to its path",
    SourceOutcome.NETWORK_ERROR: f"check it with `pixtrawl doctor`; then {AGAIN}",
    SourceOutcome.UNSUPPORTED: "leave out the filter it cannot do, or use another source",
    SourceOutcome.NO_RESULTS: "check the spelling, or use fewer words or filters",
}

# The option to change for each reason that most candidates were lost to.
_REASONS: Final[Mapping[Reason, str]] = {
    Reason.TOO_SMALL: "lower --min-size",
    Reason.THUMBNAIL: "add --allow-thumbnails, or use a source that gives originals (-s google)",
    Reason.UNWANTED_MARK: "widen --exclude, or ask more sources",
    Reason.UNWANTED_LICENSE: "use sources that name each licence (-s open), or widen --license",
    Reason.UNWANTED_ASPECT: "leave out --aspect",
    Reason.UNWANTED_SIZE: "leave out --size",
    Reason.SAME_PICTURE: "the sources repeat themselves: add -s NAME, or try --dedup strict",
    Reason.ROBOTS_TXT: "these hosts opt out of it; add another source (-s NAME)",
    Reason.ROBOTS_HEADER: "these hosts opt out of it; add another source (-s NAME)",
    Reason.OPTED_OUT: "their owners say no to this purpose; add another source (-s NAME)",
    Reason.ROBOTS_UNAVAILABLE: f"these hosts are in trouble; later, {AGAIN}",
    Reason.CRAWL_DELAY: "these hosts ask for long pauses: raise --max-crawl-delay, and wait",
    Reason.TOO_MANY_BYTES: "raise --max-bytes",
    Reason.ADDRESS_REFUSED: "if these hosts are yours: --allow-address CIDR",
    Reason.DEADLINE: "raise --timeout",
    Reason.TOO_SLOW: f"lower --concurrency; {AGAIN}",
    Reason.RATE_LIMITED: f"lower --per-host or raise --delay; {AGAIN}",
    Reason.DNS_FAILED: f"check the name server (`pixtrawl doctor`); {AGAIN}",
    Reason.PROXY_FAILED: "check --proxy and HTTP(S)_PROXY",
}
_MUCH: Final = 0.3  # least share of lost candidates and of the shortfall for a main cause
_SOME: Final = 0.1  # least share of all candidates


BUDGET: Final = Advice(
    "the budget was used up", f"raise --max-total-bytes or --max-time, or: {AGAIN}"
)


def advise(query: Mapping[str, Any], report: Mapping[str, Any], *, resumes: bool = True) -> Advice:
    """Return why this query of the report is short, and the next step.

    `resumes` is whether the same command goes on where it stopped; `discover` begins anew.
    """
    advice = _advise(query, report)
    if resumes:
        return advice
    return structs.replace(advice, next_step=advice.next_step.replace(AGAIN, ANEW))


def _advise(query: Mapping[str, Any], report: Mapping[str, Any]) -> Advice:
    if report.get("interrupted") or report.get("end_reason") == "killed":
        return Advice("the run did not end", AGAIN)
    if report.get("end_reason") == "budget" or report.get("reasons", {}).get(Reason.BUDGET):
        return BUDGET
    if by_hand := _by_hand(query):
        return by_hand
    failed = list(_refusals(query))
    if failed:
        return failed[0]
    return _lost(query, report) or _exhausted(query)


def _by_hand(query: Mapping[str, Any]) -> Advice | None:
    """Return advice if images that the user deleted or moved account for the whole shortfall."""
    deleted = int((query.get("reasons") or {}).get(Reason.REMOVED_BY_USER, 0))
    moved = int(query.get("under_other_labels") or 0)
    lacks_all = query.get("wanted") is None and not query.get("saved")  # a list without a limit
    if not (lacks_all or _shortfall(query) > 0) or not _shortfall(query) <= deleted + moved:
        return None
    if not _has_more(query):
        back = "`pixtrawl restore DIR`, then the same command, brings them back"
        return (
            Advice(f"{deleted:,} deleted by hand, and there is no more", back) if deleted else None
        )
    words = [
        f"{count:,} {what}" for count, what in ((deleted, "deleted"), (moved, "moved")) if count
    ]
    back = "; `pixtrawl restore` brings deleted ones back" if deleted else ""
    return Advice(f"{' and '.join(words)} by hand", f"the same command finds others{back}")


def _has_more(query: Mapping[str, Any]) -> bool:
    """Return whether untried candidates are left, or a source is not exhausted."""
    ends = [answer.get("exhausted", True) for answer in query.get("sources", {}).values()]
    return int(query.get("untried") or 0) > 0 or not all(ends)


def _refusals(query: Mapping[str, Any]) -> Iterator[Advice]:
    """Yield advice on each source whose outcome is not ok or no_results, in the report's order."""
    for name, answer in query.get("sources", {}).items():
        outcome = str(answer.get("outcome") or "")
        if outcome in {SourceOutcome.OK, SourceOutcome.NO_RESULTS, ""}:
            continue
        detail = detail_of(answer)
        kind = str(detail.get("kind", ""))
        what = f"{outcome} ({kind.replace('_', ' ')})" if kind else outcome.replace("_", " ")
        step = detail.get("next_step") or _BLOCKS.get(kind)
        step = step or _OUTCOMES.get(_outcome(outcome), "use another source (-s NAME)")
        said = f": {detail['message']}" if detail.get("message") else ""
        yield Advice(f"{name}: {what}{said}", str(step))


def _outcome(text: str) -> SourceOutcome:
    return SourceOutcome(text) if text in set(SourceOutcome) else SourceOutcome.BLOCKED


def detail_of(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the `detail` of a source's answer; a plain text becomes its `message`."""
    detail = answer.get("detail") or {}
    return detail if isinstance(detail, Mapping) else {"message": str(detail)}


def _lost(query: Mapping[str, Any], report: Mapping[str, Any]) -> Advice | None:
    """Return advice on the reason most candidates were lost to; None if none stands out.

    Uses the reasons of the whole run if there are none by query.
    """
    if query.get("sources") and not _found(query):
        return None
    own = query.get("reasons") or (report.get("reasons") if len(report["queries"]) == 1 else None)
    counts = {
        Reason(name): count
        for name, count in (own or report.get("reasons") or {}).items()
        if name in set(Reason)
    }
    lost = {
        reason: count
        for reason, count in counts.items()
        if REASONS[reason].status not in {Status.SAVED, Status.SKIPPED}
    }
    if not lost:
        return None
    worst = max(lost, key=lambda reason: lost[reason])
    little = max(
        _MUCH * sum(lost.values()), _MUCH * _shortfall(query), _SOME * sum(counts.values())
    )
    if lost[worst] < little:
        return None
    step = _REASONS.get(worst)
    if step is None:
        transient = REASONS[worst].transient
        step = AGAIN if transient else "add a source (-s NAME) or try --expand filters"
    share = "" if own else " in the whole run"
    return Advice(f"{lost[worst]:,} {worst}{share}: {REASONS[worst].sentence}", step)


def _found(query: Mapping[str, Any]) -> int:
    return sum(int(answer.get("found") or 0) for answer in query.get("sources", {}).values())


def _shortfall(query: Mapping[str, Any]) -> int:
    return max(0, int(query.get("wanted") or 0) - int(query.get("saved") or 0))


def _exhausted(query: Mapping[str, Any]) -> Advice:
    if not _found(query) and query.get("sources"):
        return Advice("no source has results", _OUTCOMES[SourceOutcome.NO_RESULTS])
    if not query.get("sources") and not _has_more(query):
        return Advice("the list has no more", "add URLs to it, or let `pixtrawl run` look for more")
    if _has_more(query):
        untried = int(query.get("untried") or 0)
        left = f"{untried:,} candidates were not tried" if untried else "its sources have more"
        return Advice(left, AGAIN)
    return Advice(
        "the sources have no more",
        "try --expand filters, or add a source (-s NAME, see `pixtrawl sources`)",
    )
