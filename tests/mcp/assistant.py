"""An assistant: the SDK's own client, which starts `pixtrawl mcp` and talks to it over stdio."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ERAS = ("legacy", "2026-07-28")  # with and without a handshake
PATIENCE_S = 120  # for a loaded machine


@dataclass
class Assistant:
    """Where the server is started, with which options, and the answers of its person."""

    folder: Path
    options: tuple[str, ...] = ()
    cache: Path | None = None
    answer: str = "accept"  # accept | refuse (accepted with a no) | decline | cancel
    asked: list[str] = field(default_factory=list)
    progress: list[float] = field(default_factory=list)

    async def _person(self, context: Any, params: Any) -> Any:
        from mcp.types import ElicitResult

        self.asked.append(params.message)
        if self.answer in {"decline", "cancel"}:
            return ElicitResult.model_validate({"action": self.answer})
        return ElicitResult(action="accept", content={"go_ahead": self.answer == "accept"})

    @asynccontextmanager
    async def inside(
        self, era: str = "2026-07-28", *, can_ask: bool = True, config: Any = None, **limits: Any
    ) -> AsyncIterator[Call]:
        """A connection to a server in this process, which is quicker."""
        from mcp import Client
        from pixtrawl.config.groups import Config
        from pixtrawl.mcp_server.limits import AssistantLimits
        from pixtrawl.mcp_server.server import assistant_server

        own = AssistantLimits(roots=(self.folder,), **limits)
        server = assistant_server(config or Config(), own)
        person = self._person if can_ask else None
        async with Client(server, mode=era, elicitation_callback=person) as client:
            yield Call(client, self)

    @asynccontextmanager
    async def talking(self, era: str = "legacy", *, can_ask: bool = True) -> AsyncIterator[Call]:
        """A connection to a server in a process of its own, as an assistant's program has it."""
        from mcp import Client, StdioServerParameters

        environment = {
            "PIXTRAWL_DECODERS": "1",
            "XDG_CACHE_HOME": str(self.cache or self.folder / ".cache"),
        }
        environment |= {
            n: v for n, v in os.environ.items() if n.startswith(("PIXTRAWL_", "PYTHON"))
        }
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "pixtrawl", "mcp", "--folder", str(self.folder), *self.options],
            env=environment, cwd=self.folder,
        )  # fmt: skip
        client = Client(
            server, mode=era, read_timeout_seconds=PATIENCE_S,
            elicitation_callback=self._person if can_ask else None,
        )  # fmt: skip
        async with client:
            yield Call(client, self)


@dataclass
class Call:
    """Calls tools of a server by name, as in `await call("report", folder="cats")`."""

    client: Any
    assistant: Assistant

    async def raw(self, tool: str, **arguments: Any) -> Any:
        async def heard(progress: float, total: float | None, message: str | None) -> None:
            self.assistant.progress.append(progress)

        return await self.client.call_tool(tool, arguments, progress_callback=heard)

    async def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured answer, which is also there as text."""
        found = await self.raw(tool, **arguments)
        assert not found.is_error, found.content
        assert json.loads(found.content[0].text) == found.structured_content
        answer: dict[str, Any] = found.structured_content
        return answer

    async def error(self, tool: str, **arguments: Any) -> str:
        """The sentence of a call that is refused."""
        found = await self.raw(tool, **arguments)
        assert found.is_error, found.structured_content
        return str(found.content[0].text)

    async def ended(self, job: str) -> dict[str, Any]:
        """The status of a job when it is no longer at work."""
        for _ in range(PATIENCE_S // 10):
            told = await self("job_status", job=job, wait_s=10)
            if told["state"] != "running":
                return told
        raise AssertionError(f"job {job} has not ended")

    async def sheet(self, **arguments: Any) -> tuple[dict[str, Any], bytes]:
        """The answer of `look` and the picture."""
        found = await self.raw("look", **arguments)
        assert not found.is_error, found.content
        text, image = found.content
        assert image.mime_type == "image/jpeg"
        assert json.loads(text.text) == found.structured_content
        return found.structured_content, base64.b64decode(image.data)


def talk(work: Callable[[], Awaitable[None]]) -> None:
    """Run a conversation."""
    asyncio.run(asyncio.wait_for(work(), 2 * PATIENCE_S))
