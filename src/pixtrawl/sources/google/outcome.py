"""Map the state of a page to an outcome with its next step. Pure."""

from __future__ import annotations

import re
from typing import Final

from pixtrawl.browser.executable import has_display, install_command
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.errors import SourceStop
from pixtrawl.model import SourceOutcome
from pixtrawl.sources.google.state import BLOCKED, State

_MESSAGES: Final = {
    State.CAPTCHA: "Google asks for a captcha",
    State.RATE_LIMIT: "Google asks to slow down (HTTP 429)",
    State.JS_WALL: "Google shows its JavaScript check and nothing else",
    State.SOFT_BLOCK: "Google answers with an empty page that only reloads itself",
    State.LOGIN: "Google asks for a login",
    State.FORBIDDEN: "Google refuses the request",
    State.CONSENT: "the consent page stays, although 'reject all' was chosen where it could be",
    State.NO_RESULTS: "Google states that it has no images for this query",
    State.SERVER_ERROR: "the server failed",
    State.UNKNOWN: "the page holds no images and none of the signs of a block: its form changed",
}
_OUTCOMES: Final = {
    State.CONSENT: SourceOutcome.CONSENT,
    State.NO_RESULTS: SourceOutcome.NO_RESULTS,
    State.SERVER_ERROR: SourceOutcome.NETWORK_ERROR,
}
ONLY_THUMBNAILS: Final = "the page shows results, but no original was found for any thumbnail"


def stop_for(
    state: State,
    *,
    visible: bool,
    http_status: int = 0,
    message: str = "",
    evidence: tuple[str, ...] = (),
) -> SourceStop:
    """Return the stop for a page in `state`; for a grid: one that could not be read."""
    detail: dict[str, object] = {
        "message": message or _MESSAGES.get(state, _MESSAGES[State.UNKNOWN])
    }
    if http_status:
        detail["http_status"] = http_status
    detail["evidence"] = list(evidence)
    if state in BLOCKED:
        detail |= {"kind": state.value, "next_step": _by_hand(visible)}
        return SourceStop(SourceOutcome.BLOCKED, **detail)
    outcome = _OUTCOMES.get(state, SourceOutcome.CHANGED)
    step = _next_step(outcome, visible)
    if step:
        detail["next_step"] = step
    return SourceStop(outcome, **detail)


def stop_after(failure: BrowserFailure) -> SourceStop:
    """Return the stop for a query on which the browser failed."""
    message = str(failure)
    if failure.trouble is BrowserTrouble.MISSING:
        return SourceStop(
            SourceOutcome.BROWSER_MISSING,
            message=message,
            next_step=failure.next_step or install_command(),
            evidence=[],
        )
    if failure.trouble in (BrowserTrouble.NETWORK, BrowserTrouble.GONE):
        return SourceStop(
            SourceOutcome.NETWORK_ERROR,
            message=message,
            next_step=failure.next_step
            or "check the network and the base URL, then run the same command again",
            evidence=[],
        )
    return SourceStop(
        SourceOutcome.CHANGED, message=f"the page could not be read: {message}", evidence=[]
    )


def _by_hand(visible: bool) -> str:
    other = "or take another source, such as -s bing"
    if visible:
        return (
            "solve it by hand in the browser window and run again (--set google.patience_s=300 "
            f"keeps the window open longer, --set google.profile=DIR keeps the result), {other}"
        )
    if has_display():
        return f"show the window with --set google.headless=false and solve it by hand, {other}"
    return (
        "there is no display: run the command under xvfb-run -a, so that a full Chrome with a "
        f"window is used, or on a computer with a screen, {other}"
    )


def _next_step(outcome: SourceOutcome, visible: bool) -> str:
    if outcome is SourceOutcome.CONSENT:
        return (
            f"answer it once by hand and keep it with --set google.profile=DIR; {_by_hand(visible)}"
        )
    if outcome is SourceOutcome.CHANGED:
        return "look at the saved page, report it, and take another source meanwhile: -s bing"
    if outcome is SourceOutcome.NETWORK_ERROR:
        return "run the same command again later"
    return ""


def evidence_name(text: str, number: int) -> str:
    """Return the file name of a saved page without its suffix: `google-tabby-cat-1`."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40].strip("-")
    return f"google-{slug or 'query'}-{number}"
