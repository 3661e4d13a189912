"""The User-Agent header, and whether it contains a contact of the user."""

from __future__ import annotations

from typing import Final

from pixtrawl import __version__
from pixtrawl.config.groups import Fetch

__all__ = ["ABOUT_URL", "HOW_TO_SET", "has_contact", "user_agent"]

ABOUT_URL: Final = "https://github.com/pixtrawl/pixtrawl/blob/main/docs/bot.md"
"""The page for site owners; `Bot` in [project.urls] of pyproject.toml."""

HOW_TO_SET: Final = (
    "--contact you@example.org, PIXTRAWL_CONTACT, or fetch.contact in the configuration file"
)


def user_agent(fetch: Fetch) -> str:
    """Return the header: `pixtrawl/VERSION (+PAGE; CONTACT)`, or the user's own text.

    The contact is appended to the user's own text unless it is contained already.
    """
    contact = fetch.contact or ""
    if fetch.user_agent is None:
        about = f"+{ABOUT_URL}; {contact}" if contact else f"+{ABOUT_URL}"
        return f"pixtrawl/{__version__} ({about})"
    if contact and contact not in fetch.user_agent:
        return f"{fetch.user_agent} ({contact})"
    return fetch.user_agent


def has_contact(fetch: Fetch) -> bool:
    """Return whether the header has an e-mail address or a page of the user."""
    own = fetch.user_agent or ""
    return bool(fetch.contact) or "@" in own or "://" in own
