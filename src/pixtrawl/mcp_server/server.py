"""Puts the tools together to a server, and serves them over standard input and output."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from pixtrawl import __version__
from pixtrawl.errors import MissingExtraError

try:
    from mcp.server.mcpserver import MCPServer
    from mcp.types import ToolAnnotations

    from pixtrawl.mcp_server import export_tool, run_tools, set_tools
    from pixtrawl.mcp_server.server_state import ServerState
except ImportError as error:
    if (error.name or "").partition(".")[0] not in {"mcp", "mcp_types", "pydantic"}:
        raise
    raise MissingExtraError("the server for assistants", "mcp") from None
from pixtrawl.config.groups import Config
from pixtrawl.mcp_server.limits import AssistantLimits
from pixtrawl.mcp_server.untrusted import NOTE

__all__ = ["SKILL", "assistant_server", "serve"]

SKILL: Final = Path(__file__).with_name("skill") / "SKILL.md"
_READS: Final = {"read_only_hint": True, "open_world_hint": False}
_ASKS_THE_WEB: Final = {"read_only_hint": True, "open_world_hint": True}
_ADDS: Final = {"read_only_hint": False, "destructive_hint": False}
_CHANGES: Final = {"read_only_hint": False, "destructive_hint": True, "open_world_hint": False}
_TOOLS: Final[tuple[tuple[Callable[..., Any], str, dict[str, bool]], ...]] = (
    (run_tools.sources, "Where to search", _READS),
    (run_tools.estimate, "Estimate a run", _ASKS_THE_WEB),
    (run_tools.start_job, "Collect images", {**_ADDS, "open_world_hint": True}),
    (run_tools.job_status, "Progress of a job", _READS),
    (run_tools.stop, "Stop a job", {**_ADDS, "idempotent_hint": True, "open_world_hint": False}),
    (set_tools.report, "What a data set holds", _READS),
    (set_tools.look, "Contact sheet", _READS),
    (set_tools.reject, "Reject images", _CHANGES),
    (set_tools.keep, "Keep images", {**_ADDS, "open_world_hint": False}),
    (set_tools.relabel, "Relabel images", _CHANGES),
    (set_tools.undo, "Undo a decision", _CHANGES),
    (export_tool.export, "Export a data set", {**_ADDS, "open_world_hint": False}),
)
_INSTRUCTIONS: Final = f"""\
pixtrawl collects images from the web into a data set for training, and cleans it.
Order of work: sources, estimate, start_job, job_status until it is done, look, reject what does not
belong, start_job again (it refills the places), report, export. Read the resource pixtrawl://skill
for how to do it well. The person is asked before anything is downloaded, rejected, relabelled or
exported; take a "no" as the answer. {NOTE}
"""


def assistant_server(config: Config, limits: AssistantLimits) -> MCPServer[ServerState]:
    """Return the server; `config` are the settings of runs that are started through it."""
    state = ServerState(config, limits)

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[ServerState]:
        yield state

    server = MCPServer(
        "pixtrawl", title="pixtrawl", version=__version__, instructions=_INSTRUCTIONS,
        lifespan=lifespan, log_level="WARNING",
    )  # fmt: skip
    for function, title, hints in _TOOLS:
        server.add_tool(function, title=title, annotations=ToolAnnotations.model_validate(hints))
    server.resource(
        "pixtrawl://skill", name="skill", title="How to collect a good data set",
        mime_type="text/markdown",
    )(_skill)  # fmt: skip
    return server


def _skill() -> str:
    return SKILL.read_text(encoding="utf-8")


def serve(config: Config, limits: AssistantLimits) -> None:
    """Serve until standard input ends."""
    assistant_server(config, limits).run("stdio")
