"""The state that the tools of one server share, and how their errors are answered."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from pixtrawl.config.groups import Config
from pixtrawl.errors import PixtrawlError
from pixtrawl.mcp_server.limits import AssistantLimits
from pixtrawl.operations.detached_job import DetachedJob

__all__ = ["ServerState", "as_tool_errors", "state_of_call"]

P = ParamSpec("P")
T = TypeVar("T")


class ServerState:
    """The settings of runs, the limits, and what this server has under way."""

    def __init__(self, config: Config, limits: AssistantLimits) -> None:
        self.config = config
        self.limits = limits
        self.starting = threading.Lock()  # one job at a time is counted and started
        self.started: list[DetachedJob] = []
        self.exports: dict[str, Any] = {}  # `set_tools.ExportTask` by what was asked for


def state_of_call(ctx: Context[Any, Any]) -> ServerState:
    """Return the state of the server that a call came to."""
    return cast("ServerState", ctx.request_context.lifespan_context)


def as_tool_errors(function: Callable[P, T]) -> Callable[P, T]:
    """Answer a `PixtrawlError` as an error of the tool, with its sentence for the assistant."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except PixtrawlError as error:
            raise ToolError(str(error)) from error

    return checked
