"""Give a browser the password of its gateway.

A browser takes no password on its command line. It is asked for one by the gateway's first answer
(407); the answer comes by DevTools, and the browser keeps it for all its tabs, frames and workers.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from pixtrawl.browser.driver import DriverPage, quietly
from pixtrawl.browser.failure import BrowserFailure, BrowserTrouble
from pixtrawl.net.gateway.server import GREETING_HOST, Gateway

__all__ = ["give_login"]

_LIMIT_S: Final = 20.0
_URL: Final = f"http://{GREETING_HOST}/"


async def give_login(page: DriverPage, gateway: Gateway) -> None:
    """Have the browser greet the gateway by a blank page.

    Raises BrowserFailure, and the driver's errors.
    """
    commands = await page.commands()
    sending: set[asyncio.Future[None]] = set()

    def send(method: str, params: dict[str, Any]) -> None:
        task: asyncio.Future[None] = asyncio.ensure_future(
            quietly(commands.send(method, params), _LIMIT_S)
        )
        sending.add(task)
        task.add_done_callback(sending.discard)

    def on_login(event: Any) -> None:
        answer: dict[str, str] = {"response": "CancelAuth"}
        if event["authChallenge"].get("source") == "Proxy" and not gateway.greeted:
            answer = {
                "response": "ProvideCredentials",
                "username": gateway.user,
                "password": gateway.password,
            }
        send(
            "Fetch.continueWithAuth",
            {"requestId": event["requestId"], "authChallengeResponse": answer},
        )

    commands.on("Fetch.authRequired", on_login)

    def on_paused(event: Any) -> None:
        if event["request"]["url"] == _URL:
            send("Fetch.continueRequest", {"requestId": event["requestId"]})

    commands.on("Fetch.requestPaused", on_paused)
    await commands.send(
        "Fetch.enable", {"handleAuthRequests": True, "patterns": [{"urlPattern": f"{_URL}*"}]}
    )
    await page.goto(_URL, _LIMIT_S)
    await commands.send("Fetch.disable")
    if not gateway.greeted:
        raise BrowserFailure(
            BrowserTrouble.MISSING,
            "the browser does not use the proxy that it was given",
            "look at chrome://policy for a proxy that is set there; another browser is named with "
            "PIXTRAWL_CHROME",
        )
