"""The User-Agent of every request of ours, and whether it says how its user can be reached."""

from __future__ import annotations

from typing import Final

from pixtrawl import __version__
from pixtrawl.config.groups import Fetch

__all__ = ["ABOUT_URL", "HOW_TO_SET", "has_contact", "user_agent"]

ABOUT_URL: Final = "https://github.com/pixtrawl/pixtrawl/blob/main/docs/bot.md"
"""The page for owners of sites; `Bot` in [project.urls] of pyproject.toml."""

HOW_TO_SET: Final = (
    "--contact you@example.org, PIXTRAWL_CONTACT, or fetch.contact in the configuration file"
)


def user_agent(fetch: Fetch) -> str:
    """The header's value: `pixtrawl/VERSION (+PAGE; CONTACT)`, or the user's own text.

    A contact that the user's own text does not hold already is added to it.
    """
    contact = fetch.contact or ""
    if fetch.user_agent is None:
        about = f"+{ABOUT_URL}; {contact}" if contact else f"+{ABOUT_URL}"
        return f"pixtrawl/{__version__} ({about})"
    if contact and contact not in fetch.user_agent:
        return f"{fetch.user_agent} ({contact})"
    return fetch.user_agent


def has_contact(fetch: Fetch) -> bool:
    """Whether the header names an e-mail address or a page of the user."""
    own = fetch.user_agent or ""
    return bool(fetch.contact) or "@" in own or "://" in own
