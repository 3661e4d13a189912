"""The state of a run as lines of limited width; parts that do not fit are left out, not cut."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Final

from pixtrawl.amounts import plural, size, span
from pixtrawl.display.screen import cells, clean, shorten
from pixtrawl.events import DecisionTaken
from pixtrawl.model import Status
from pixtrawl.operations.tally import QueryTally, Rest, Tally

LIVE_QUERIES: Final = 6  # lines for active queries
LIVE_RESTS: Final = 3  # lines for resting sources and hosts
WIDTH: Final = 100  # columns, if the width is unknown
_ROOMY: Final = 60  # columns; on narrower screens the stages are not aligned
_BAR: Final = 20  # columns
_NAME: Final = 32


def fitted(parts: Sequence[str], width: int, *, head: str = "") -> str:
    """Join `head` and the parts with dots, within `width` columns.

    Parts are tried in order, the most important first. One that does not fit is left out and the
    next is tried.
    """
    line = head
    for part in parts:
        longer = f"{line} · {part}" if line != head else f"{head}{part}"
        if cells(longer) <= width:
            line = longer
    return line


def stage_lines(
    tally: Tally, now: float, *, width: int = WIDTH, queries: int = LIVE_QUERIES
) -> list[str]:
    """Return lines for the stages, then for `queries` active queries, then for resting hosts."""
    pad = 13 if width >= _ROOMY else 0
    stages = (
        ("finding", _finding(tally, now)),
        ("downloading", _downloading(tally, now)),
        ("checking", _checking(tally, now)),
    )
    lines = [fitted(parts, width, head=f"{f'{name} ':{pad}}") for name, parts in stages]
    if (eta := tally.eta_s(now)) is not None and "ETA" not in lines[-1]:
        lines.append(f"ETA {span(eta)}")
    if tally.exporting is not None:
        lines.append("exporting    {:,} of {:,} images".format(*tally.exporting))
    active = [query for query in list(tally.queries.values()) if query.is_active]
    lines += [query_line(query, width) for query in active[:queries]]
    if rest := active[queries:]:
        lines.append(f"  … and {plural(len(rest), 'query', 'queries')} more at work")
    lines += _rest_lines(tally, now, width)
    if tally.stopping:
        lines += wrapped(stopping_words(tally), width)
    return lines


def stopping_words(tally: Tally) -> str:
    """Return the message that is shown after a first Ctrl-C."""
    count = tally.under_way
    broken = f"{plural(count, 'transfer')} broken off, " if count else ""
    return f"stopping: {broken}what is saved is put in order; Ctrl-C again ends at once"


def wrapped(text: str, width: int) -> list[str]:
    """Wrap a sentence between words into lines of at most `width` columns."""
    lines: list[str] = []
    for word in text.split():
        if lines and cells(f"{lines[-1]} {word}") <= width:
            lines[-1] = f"{lines[-1]} {word}"
        else:
            lines.append(shorten(word, width))
    return lines


def summary_line(tally: Tally, now: float, *, clock: datetime.datetime | None = None) -> str:
    """Return the state in one line: time of day (if `clock` is given), elapsed time, counts."""
    when = f"{clock:%H:%M:%S} " if clock is not None else ""
    elapsed = tally.elapsed_s(now)
    head = f"{when}{span(elapsed)}: " if elapsed is not None else when
    if tally.exporting is not None:
        return head + "exporting: {:,} of {:,} images".format(*tally.exporting)
    parts = [_saved(tally), _done(tally)]
    if tally.queries or tally.found:  # a job finds nothing
        parts[1:1] = [f"{tally.found:,} found"]
    if tally.done:
        parts.append(f"{tally.settling.per_second(now):.1f}/s")
        parts.append(f"{size(tally.bytes.per_second(now))}/s")
    if (eta := tally.eta_s(now)) is not None:
        parts.append(f"ETA {span(eta)}")
    parts += [f"{clean(name)} x{count}" for name, count in tally.troubled.items()]
    rests = list(tally.rests(now).items())
    parts += [f"{clean(name)} rests {_whole(rest, now)}" for name, rest in rests[:LIVE_RESTS]]
    return head + ", ".join(parts)


def _rest_lines(tally: Tally, now: float, width: int) -> list[str]:
    rests = list(tally.rests(now).items())
    lines = [
        fitted(
            [
                f"{shorten(clean(name), 40)} rests {_whole(rest, now)}",
                _waits(rest),
                clean(rest.why),
            ],
            width,
            head="  ",
        )
        for name, rest in rests[:LIVE_RESTS]
    ]
    if len(rests) > LIVE_RESTS:
        lines.append(f"  … and {len(rests) - LIVE_RESTS} more rest")
    return lines


def decision_words(event: DecisionTaken) -> str:
    """Describe a decision of the user in one line."""
    if event.file_name or event.new_name:
        old, new = clean(event.file_name), clean(event.new_name)
        what = f"{old} -> {new}" if old and new and old != new else old or new
    else:
        what = clean(event.query) or (f"-n {event.limit}" if event.limit else "the run")
    reason = f" ({clean(event.reason)})" if event.reason else ""
    return f"{clean(event.action)}, by {clean(event.who)}: {what}{reason}"


def _waits(rest: Rest) -> str:
    if rest.what == "query":
        return plural(rest.waiting, "query waits", "queries wait")
    return plural(rest.waiting, "file waits", "files wait")


def _whole(rest: Rest, now: float) -> str:
    return span(max(1.0, round(rest.until_s - now))).replace(".0 s", " s")


def _finding(tally: Tally, now: float) -> list[str]:
    trouble = [f"{clean(name)} x{count}" for name, count in tally.troubled.items()]
    return [f"{tally.found:,} URLs", *trouble, f"{tally.finding.per_second(now):.1f}/s"]


def _downloading(tally: Tally, now: float) -> list[str]:
    speed = size(tally.bytes.per_second(now))
    return [_done(tally), f"{speed}/s", f"{tally.settling.per_second(now):.1f}/s"]


def _checking(tally: Tally, now: float) -> list[str]:
    parts = [_saved(tally)]
    if (eta := tally.eta_s(now)) is not None:
        parts.append(f"ETA {span(eta)}")
    if (elapsed := tally.elapsed_s(now)) is not None:
        parts.append(f"{span(elapsed)} so far")
    parts.append(f"{tally.done - tally.statuses[Status.SAVED]:,} not kept")
    parts.append(f"{tally.finished:,} of {plural(len(tally.queries), 'query', 'queries')} over")
    return parts


def _saved(tally: Tally) -> str:
    of = f" of {tally.wanted:,}" if tally.wanted is not None else ""
    return f"{tally.saved:,}{of} saved"


def _done(tally: Tally) -> str:
    if not tally.under_way:
        return f"{tally.done:,} done"
    return f"{tally.done:,} done, {tally.under_way:,} under way"


def query_line(query: QueryTally, width: int) -> str:
    """Return the line of an active query."""
    of = f"/{query.wanted}" if query.wanted is not None else ""
    count = f"{query.counted}{of} saved"
    name = shorten(clean(query.text), max(8, min(_NAME, width - len(count) - 4)))
    parts = [count, f"{query.found} found"]
    asking = [name for name, outcome in list(query.sources.items()) if outcome == "asking"]
    if asking:
        parts.append(f"asking {clean(', '.join(asking))}")
    return fitted(parts, width, head=f"  {name}: ")


def bars(tally: Tally, now: float, *, width: int = WIDTH, queries: int = 12) -> list[str]:
    """Return lines for a display that is redrawn: a headline, and a bar for each started query."""
    lines = [fitted([*_checking(tally, now), *_downloading(tally, now)], width)]
    begun = [query for query in list(tally.queries.values()) if query.is_active or query.finished]
    # active queries first, then finished ones
    shown = sorted(begun, key=lambda query: query.finished)[:queries]
    names = [shorten(clean(query.text), _NAME) for query in shown]
    widest = max(map(cells, names), default=0)
    for query, name in zip(shown, names, strict=True):
        lines.append(_bar(query, name + " " * (widest - cells(name)), width))
    if rest := len(tally.queries) - len(shown):
        lines.append(f"… and {plural(rest, 'query', 'queries')} more")
    if tally.exporting is not None:
        lines.append("exporting {:,} of {:,} images".format(*tally.exporting))
    return lines + _rest_lines(tally, now, width)


def _bar(query: QueryTally, name: str, width: int) -> str:
    if query.wanted:
        full = min(_BAR, _BAR * query.saved // query.wanted)
        drawn = f"{'█' * full}{'░' * (_BAR - full)} {query.counted}/{query.wanted}"
    else:
        drawn = f"{query.saved} saved"
    asking = [one for one, outcome in list(query.sources.items()) if outcome == "asking"]
    trouble = [
        f"{one} {outcome}"
        for one, outcome in list(query.sources.items())
        if outcome not in {"asking", "ok", "no_results"}
    ]
    parts = [drawn, f"{query.found} found", *map(clean, trouble)]
    if query.finished:
        parts.append("over")
    elif asking:
        parts.append(f"asking {clean(', '.join(asking))}")
    return fitted(parts, width, head=f"{name}  ")
