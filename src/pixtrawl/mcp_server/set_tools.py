"""Tools about a data set: report, look, reject, keep, relabel, undo."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Any, Final, Literal

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve
from mcp.types import CallToolResult, ImageContent, TextContent
from msgspec import Struct
from pydantic import Field

from pixtrawl.catalog import labels, samples
from pixtrawl.catalog.database import connect
from pixtrawl.catalog.schema.states import KEPT_STATES
from pixtrawl.catalog.views import counts as look_counts, rows as look_rows
from pixtrawl.catalog.views.filter import LookFilter, LookSort
from pixtrawl.catalog.views.rows import LookRow
from pixtrawl.catalog.views.table import LookTable
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder, in_use
from pixtrawl.mcp_server.consent import Consent, ask, refusal
from pixtrawl.mcp_server.contact_sheet import MOST_TILES, TILE, numbered_sheet
from pixtrawl.mcp_server.run_tools import FolderName
from pixtrawl.mcp_server.server_state import as_tool_errors, state_of_call
from pixtrawl.mcp_server.untrusted import NOTE, capped, marked
from pixtrawl.model import REASONS, Reason
from pixtrawl.operations.decision_summary import summarise
from pixtrawl.operations.job_progress import shortfalls
from pixtrawl.operations.thumbnails import thumbnails
from pixtrawl.pipeline.curating import deciding
from pixtrawl.pipeline.curating.labelling import put_under_label
from pixtrawl.pipeline.finished.opened import looked_at
from pixtrawl.pipeline.report import report as run_report

__all__ = ["keep", "look", "reject", "relabel", "report", "undo"]

_MOST_ROWS: Final = 50
_MOST_FILES: Final = 1000
_MOST_THUMB_BYTES: Final = 8 * 2**20
_NAMES_ASKED: Final = 5

Images = Annotated[
    list[str],
    Field(
        description="Numbers of images as on the contact sheet ('12'), file names "
        "('tabby cat/000012.jpg'), or a label for all of its images"
    ),
]


@as_tool_errors
def report(
    *,
    folder: Annotated[
        str, Field(description="Folder of a data set; empty: list the data sets there are")
    ] = "",
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Tell what a data set holds, what was not kept and why, and which query is short and why."""
    limits = state_of_call(ctx).limits
    if not folder:
        return {"data_sets": [_set_line(Folder(one)) for one in limits.data_sets()]}
    data_set = limits.data_set(folder)
    found = run_report(data_set.root)
    with looked_at(data_set) as db:
        counts = {
            "labels": look_counts.label_counts(db)[:_MOST_ROWS],
            "sources": look_counts.source_counts(db),
            "hosts": look_counts.host_counts(db, 20),
            "licences": look_counts.licence_counts(db)[:_MOST_ROWS],
        }
        reasons = look_counts.reason_counts(db)[:_MOST_ROWS]
        kept = samples.count(db)
    queries = found.to_dict()["queries"][:_MOST_ROWS]
    shown = ("query", "label", "wanted", "saved")
    return {
        **_set_line(data_set), "images": kept,
        "queries": [{name: _short(one[name]) for name in shown} for one in queries],
        **{name: _named_counts(rows) for name, rows in counts.items()},
        "not_kept": [
            {"reason": name, "n": n, "meaning": REASONS[Reason(name)].sentence}
            for name, n in reasons
            if name in set(Reason)
        ],
        "short": [
            {"query": _short(one["query"]), **marked(why=one["why"]),
             "next_step": capped(one["next_step"])}
            for one in shortfalls(found)[:_MOST_ROWS]
        ],
        "note": NOTE,
    }  # fmt: skip


def _named_counts(rows: Sequence[tuple[str, int]]) -> list[dict[str, object]]:
    return [{"name": _short(name), "n": n} for name, n in rows]


def _short(value: object) -> object:
    return capped(value, 100) if isinstance(value, str) else value


def _set_line(folder: Folder) -> dict[str, Any]:
    with closing(connect(folder.catalog, read_only=True)) as db:
        images = samples.count(db)
    return {"folder": str(folder.root), "images": images, "run_at_work": in_use(folder)}


@as_tool_errors
def look(  # noqa: PLR0913 - arguments of a tool
    *,
    folder: FolderName,
    label: Annotated[str, Field(description="Only this label")] = "",
    words: Annotated[
        str, Field(description="Only images with all of these words in title, page or URL")
    ] = "",
    order: Literal["number", "newest", "random"] = "number",
    start: Annotated[int, Field(ge=0, description="How many images to skip")] = 0,
    count: Annotated[int, Field(ge=1, le=MOST_TILES, description="Images on the sheet")] = 24,
    ctx: Context[Any, Any],
) -> CallToolResult:
    """Show images as ONE contact sheet with their numbers, and where each comes from.

    The numbers under the tiles are what reject, keep and relabel take.
    """
    data_set = state_of_call(ctx).limits.data_set(folder)
    total, rows = _chosen(data_set, label, words, order, start, count)
    thumbs = asyncio.run(thumbnails(data_set, rows, TILE, most_bytes=_MOST_THUMB_BYTES))
    numbered = [(one.number or 0, one) for one in rows]
    sheet = numbered_sheet(
        [number for number, _ in numbered],
        {number: thumbs[one.id] for number, one in numbered if one.id in thumbs},
    )
    following = start + len(rows)
    answer = {
        "folder": str(data_set.root), "total": total, "start": start, "shown": len(rows),
        **({"next_start": following} if following < total else {}),
        "images": [_described(one) for one in rows],
        "note": NOTE + " That holds for words in the pictures, too.",
    }  # fmt: skip
    content: list[Any] = [TextContent(type="text", text=json.dumps(answer, ensure_ascii=False))]
    if rows:
        data = base64.b64encode(sheet).decode()
        content.append(ImageContent(type="image", data=data, mime_type="image/jpeg"))
    return CallToolResult(content=content, structured_content=answer)


def _chosen(
    folder: Folder, label: str, words: str, order: str, start: int, count: int
) -> tuple[int, list[LookRow]]:
    wanted = LookFilter(labels=(label,) if label else (), text=words)
    with looked_at(folder):  # takes changes made by hand into the catalog
        pass
    with closing(connect(folder.catalog, read_only=True)) as db:
        table = LookTable(db, ())
        table.update()
        ids = table.ids(wanted, LookSort(by=order))
        if label and not len(ids) and not words:
            names = [name for name, _ in look_counts.label_counts(db)]
            if label not in names:
                raise UsageError(f"no label {label!r}; there are: {', '.join(names[:_MOST_ROWS])}")
        return len(ids), look_rows.sample_rows_of(db, list(ids[start : start + count]))


def _described(row: LookRow) -> dict[str, Any]:
    return {
        "n": row.number, "file": row.file_name, "width": row.width, "height": row.height,
        "host": capped(row.host, 100), "licence": capped(row.licence, 60),
        **marked(title=row.title),
    }  # fmt: skip


class ImagesPlan(Struct, frozen=True):
    """The images that a decision is about, each by its file name."""

    folder: Folder
    names: tuple[str, ...]

    @property
    def shown(self) -> str:
        """The number and the first names, for a question."""
        first = ", ".join(capped(one, 60) for one in self.names[:_NAMES_ASKED])
        more = ", ..." if len(self.names) > _NAMES_ASKED else ""
        return f"{len(self.names):,} image{'' if len(self.names) == 1 else 's'} ({first}{more})"


def _named(
    folder: str, images: Sequence[str], ctx: Context[Any, Any], *, refused: bool = False
) -> ImagesPlan:
    """Find the images. Raise UsageError where one is not there."""
    if not images or len(images) > _MOST_FILES:
        raise UsageError(f"name from 1 to {_MOST_FILES} images")
    data_set = state_of_call(ctx).limits.data_set(folder)
    with looked_at(data_set) as db:
        names: list[str] = []
        for one in images:
            word = one.strip()
            if word.isascii() and word.isdigit() and not labels.is_known(db, word):
                names.append(_of_number(db, int(word), refused=refused))
            else:
                names.append(word)
        found = deciding.named_images(db, data_set, names, refused=refused)
    return ImagesPlan(data_set, tuple(name for name, _ in found))


def _of_number(db: Any, number: int, *, refused: bool) -> str:
    rows = look_rows.sample_rows_of(db, sorted(look_rows.ids_of_number(db, number)))
    for row in rows:
        if row.state in KEPT_STATES or (refused and row.reason == Reason.REFUSED_BY_PERSON):
            return row.file_name
    raise UsageError(f"no image has the number {number}")


@as_tool_errors
def plan_images(folder: str, images: list[str], ctx: Context[Any, Any]) -> ImagesPlan:
    """Find the images of `reject` and `relabel`. Raise ToolError."""
    return _named(folder, images, ctx)


def ask_reject(
    plan: Annotated[ImagesPlan, Resolve(plan_images)], reason: str, ctx: Context[Any, Any]
) -> Elicit[Consent] | Consent | str:
    """Ask whether these images may be rejected."""
    why = f", because: {capped(reason, 100)}" if reason else ""
    return ask(ctx, f"Reject {plan.shown} of {plan.folder.root}{why}? It can be undone.")


@as_tool_errors
def reject(  # noqa: PLR0913 - arguments of a tool
    *,
    folder: FolderName,
    images: Images,
    reason: Annotated[str, Field(description="Why, in a few words")] = "",
    refill: Annotated[bool, Field(description="Whether a run finds others in their place")] = True,
    plan: Annotated[ImagesPlan, Resolve(plan_images)],
    consent: Annotated[ElicitationResult[Consent], Resolve(ask_reject)],
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Reject images: they are set aside, and neither they nor their near copies come back.

    The person is asked first, with the exact number. A run at work, or the next start_job, finds
    others in their place.
    """
    no = refusal(consent)
    if no is not None:
        return no
    done = deciding.reject(plan.folder, plan.names, who="mcp", reason=reason, refill=refill)
    return _done(done, len(done.records))


def _done(done: deciding.Recorded, changed: int) -> dict[str, Any]:
    when = "; the run at work carries it out within a second" if done.by_run else ""
    return {"done": True, "changed": changed, "next_step": f"undo takes it back{when}"}


@as_tool_errors
def keep(*, folder: FolderName, images: Images, ctx: Context[Any, Any]) -> dict[str, Any]:
    """Mark images as wanted; rejected ones come back."""
    plan = _named(folder, images, ctx, refused=True)
    done = deciding.keep(plan.folder, plan.names, who="mcp")
    return _done(done, len(done.records))


def ask_relabel(
    plan: Annotated[ImagesPlan, Resolve(plan_images)], label: str, ctx: Context[Any, Any]
) -> Elicit[Consent] | Consent | str:
    """Ask whether these images may be put under another label."""
    return ask(
        ctx, f"Put {plan.shown} of {plan.folder.root} under the label {capped(label, 60)!r}?"
    )


@as_tool_errors
def relabel(
    *,
    folder: FolderName,
    images: Images,
    label: Annotated[str, Field(description="The new label; it may be a new one")],
    plan: Annotated[ImagesPlan, Resolve(plan_images)],
    consent: Annotated[ElicitationResult[Consent], Resolve(ask_relabel)],
) -> dict[str, Any]:
    """Put images under another label. The person is asked first."""
    no = refusal(consent)
    if no is not None:
        return no
    moved = put_under_label(plan.folder, plan.names, label, who="mcp")
    return {"done": True, "changed": len(moved), "next_step": "undo takes it back"}


@as_tool_errors
def undo(
    *,
    folder: FolderName,
    redo: Annotated[bool, Field(description="Take back the last undo instead")] = False,
    ctx: Context[Any, Any],
) -> dict[str, Any]:
    """Take back the last decision on a data set as a whole, whoever made it."""
    data_set = state_of_call(ctx).limits.data_set(folder)
    done = deciding.undo(data_set, who="mcp", redo=redo)
    changed = sum(len(one.names) or int(one.changed) for one in done.effects)
    what = summarise(done.undone)
    return {
        "done": True,
        "what": what,
        "changed": changed,
        "next_step": "redo=true takes this back",
    }
