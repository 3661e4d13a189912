"""Consent of the person, asked through the protocol.

A tool takes the outcome as an argument that a resolver fills, which holds for clients that are
asked during the call (until protocol 2025-11-25) and for those that call again with the answer
(from 2026-07-28). A "no" is an ordinary answer of the tool, and no error.
"""

from __future__ import annotations

from typing import Any, Final

from mcp.server.mcpserver import Context, Elicit
from pydantic import BaseModel, Field

from pixtrawl.mcp_server.server_state import state_of_call

__all__ = ["Consent", "ask", "refusal"]

_CANNOT_ASK: Final = "cannot_ask"
_NEXT_STEPS: Final = {
    "declined": "The person said no: nothing was done. Do not ask again unless they bring it up.",
    "cancelled": "The person gave no answer: nothing was done. Ask them in your own words first.",
    _CANNOT_ASK: "This client cannot ask the person, so nothing was done. They can do it with the "
    "pixtrawl command, or start this server with --no-ask.",
}


class Consent(BaseModel):
    """The answer of the person."""

    go_ahead: bool = Field(title="Go ahead", description="Whether this may be done")


def ask(ctx: Context[Any, Any], question: str) -> Elicit[Consent] | Consent | str:
    """Return the question, or the outcome where the person need not or cannot be asked."""
    if not state_of_call(ctx).limits.asks:
        return Consent(go_ahead=True)
    declared = ctx.client_capabilities
    form = declared.elicitation if declared is not None else None
    if form is None or (form.form is None and form.url is not None):
        return _CANNOT_ASK
    return Elicit(question, Consent)


def refusal(outcome: Any) -> dict[str, Any] | None:
    """Return the answer of a tool that may not go ahead; None where it may."""
    match outcome.action:
        case "accept" if outcome.data == _CANNOT_ASK:
            word = _CANNOT_ASK
        case "accept" if outcome.data.go_ahead:
            return None
        case "cancel":
            word = "cancelled"
        case _:
            word = "declined"
    return {"done": False, "consent": word, "next_step": _NEXT_STEPS[word]}
