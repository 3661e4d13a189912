"""One browser and one site for all tests of a module."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from tests.sources.google.site import Site

from pixtrawl.browser.chrome import Chrome
from pixtrawl.browser.options import ChromeOptions
from pixtrawl.errors import SourceStop
from pixtrawl.events import Event
from pixtrawl.model import Candidate, Query
from pixtrawl.sources.base import Page, SourceContext
from pixtrawl.sources.google.source import Google

LOOPBACK = ("127.0.0.0/8",)
SHELL = shutil.which("chromium-headless-shell") or shutil.which("chromium")


class Kept:
    """Evidence in memory."""

    def __init__(self) -> None:
        self.files: dict[str, bytes | str] = {}

    def save(self, name: str, content: bytes | str) -> str:
        assert name not in self.files
        self.files[name] = content
        return name


class Asked:
    """What became of one query."""

    def __init__(self) -> None:
        self.pages: list[Page] = []
        self.stop: SourceStop | None = None
        self.evidence = Kept()
        self.events: list[Event] = []

    @property
    def candidates(self) -> list[Candidate]:
        return [candidate for page in self.pages for candidate in page.candidates]


class Desk:
    """A loop, a browser and a site; `ask` asks a query and waits for the end."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.chrome = Chrome(ChromeOptions(visible=False, allow_address=LOOPBACK))
        self.site = Site()

    def google(self, base_url: str, **settings: str) -> Google:
        return Google({"base_url": base_url, **settings}, chrome=self.chrome)

    def ask(
        self, form: str, text: str = "tabby cat", *, enough: int | None = None, **settings: str
    ) -> Asked:
        base = form if "://" in form else self.site.base(form)
        return self.runner.run(self.asking(self.google(base, **settings), text, enough))

    async def asking(self, google: Google, text: str, enough: int | None = None) -> Asked:
        asked = Asked()
        context: Any = SourceContext(
            http=None,  # type: ignore[arg-type]
            evidence=asked.evidence,
            wanted=enough,
            emit=asked.events.append,
        )
        pages = google.discover(Query(text, "label"), context)
        try:
            async for page in pages:
                asked.pages.append(page)
                if enough is not None and len(asked.candidates) >= enough:
                    break
        except SourceStop as stop:
            asked.stop = stop
        finally:
            await pages.aclose()
        return asked

    def close(self) -> None:
        self.runner.run(self.chrome.aclose())
        self.runner.close()
        self.site.close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    if SHELL is None:
        pytest.skip("no Chromium on this computer")
    before = os.environ.get("PIXTRAWL_CHROME")
    os.environ["PIXTRAWL_CHROME"] = SHELL
    desk = Desk()
    try:
        yield desk
    finally:
        desk.close()
        if before is None:
            del os.environ["PIXTRAWL_CHROME"]
        else:
            os.environ["PIXTRAWL_CHROME"] = before
