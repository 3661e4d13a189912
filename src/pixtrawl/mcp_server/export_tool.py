"""The tool export: writes a data set in another format, also where that takes longer than a call.

An export goes on in a thread; the same call again waits for it. After the end of the server the
same call goes on where it was, as `pixtrawl export` does.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Annotated, Any, Final

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from msgspec import Struct
from pydantic import Field

from pixtrawl.dataset import Dataset
from pixtrawl.errors import UsageError
from pixtrawl.exporters import FORMATS
from pixtrawl.exporters.export import Exported
from pixtrawl.mcp_server.consent import Consent, ask, refusal
from pixtrawl.mcp_server.run_tools import FolderName
from pixtrawl.mcp_server.server_state import as_tool_errors, state_of_call

__all__ = ["ExportTask", "export"]

_WAIT_S: Final = 45.0  # clients give a call up after a minute


class ExportTask:
    """An export under way in a thread that does not outlive the server."""

    def __init__(self, folder: Path, to: str, out: Path, options: dict[str, Any]) -> None:
        self._given = (folder, to, out, options)
        self._done: Exported | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="export", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        folder, to, out, options = self._given
        try:
            self._done = Dataset(folder).export(to, out, **options)
        except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
            self._error = error

    def result(self, wait_s: float) -> Exported | None:
        """Return the result; None where it is still at work after `wait_s` seconds."""
        self._thread.join(wait_s)
        if self._thread.is_alive():
            return None
        if self._error is not None:
            raise self._error
        return self._done


class ExportPlanned(Struct, frozen=True):
    """A checked request."""

    folder: Path
    to: str
    out: Path
    options: dict[str, Any]

    @property
    def key(self) -> str:
        """The same for the same request."""
        return repr((self.folder, self.to, self.out, sorted(self.options.items())))


@as_tool_errors
def plan_export(  # noqa: PLR0913
    folder: str,
    to: str,
    out: str,
    label: list[str],
    split: str,
    resize: str,
    encode: str,
    ctx: Context[Any, Any],
) -> ExportPlanned:
    """Check the request of `export`. Raise ToolError."""
    limits = state_of_call(ctx).limits
    data_set = limits.data_set(folder)
    if to not in FORMATS:
        raise UsageError(f"{to!r} is no format: {', '.join(FORMATS)}")
    if "://" in out:
        raise UsageError("exports go into the folders of this server, and to no address")
    target = limits.path(out)
    if target.is_file():
        raise UsageError(f"{target} is there already; choose another name")
    if target.is_relative_to(data_set.root) or data_set.root.is_relative_to(target):
        raise UsageError(f"{target} holds the data set, or lies in it; choose a folder beside it")
    given: dict[str, Any] = {"split": split, "resize": resize, "encode": encode}
    options = {name: value for name, value in given.items() if value}
    if label:
        options["label"] = tuple(label)
    return ExportPlanned(data_set.root, to, target, options)


def ask_export(
    plan: Annotated[ExportPlanned, Resolve(plan_export)], ctx: Context[Any, Any]
) -> Elicit[Consent] | Consent | str:
    """Ask whether the export may be written, unless it was asked already."""
    if plan.key in state_of_call(ctx).exports:
        return Consent(go_ahead=True)
    return ask(ctx, f"Export {plan.folder} as {plan.to} to {plan.out}?")


@as_tool_errors
def export(  # noqa: PLR0913 - arguments of a tool
    *,
    folder: FolderName,
    to: Annotated[str, Field(description=f"Format: {', '.join(FORMATS)}")],
    out: Annotated[str, Field(description="A new folder, in the folders of this server")],
    label: Annotated[list[str], Field(description="Only these labels")] = [],  # noqa: B006
    split: Annotated[str, Field(description="Shares, such as train=0.8,val=0.2")] = "",
    resize: Annotated[str, Field(description="Longest side in pixels, or MODE:N")] = "",
    encode: Annotated[str, Field(description="jpg, png, webp or avif; empty: as they are")] = "",
    plan: Annotated[ExportPlanned, Resolve(plan_export)],
    consent: Annotated[ElicitationResult[Consent], Resolve(ask_export)],
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Write a data set in the format of a loader. The person is asked first.

    Where it takes longer than 45 s it goes on; the same call again waits for it.
    """
    no = refusal(consent)
    if no is not None:
        return no
    tasks = state_of_call(ctx).exports
    task = tasks.setdefault(plan.key, None) or ExportTask(
        plan.folder, plan.to, plan.out, plan.options
    )
    tasks[plan.key] = task
    try:
        done = task.result(_WAIT_S)
    except Exception:
        del tasks[plan.key]  # the next call tries again
        raise
    if done is None:
        return {"done": False, "state": "running", "next_step": "the same call again waits for it"}
    del tasks[plan.key]
    return {
        "done": True, "out": str(plan.out), "images": done.images, "files": done.files,
        "splits": done.splits, "left_out": done.missing + done.bad, "hints": list(done.hints),
    }  # fmt: skip
