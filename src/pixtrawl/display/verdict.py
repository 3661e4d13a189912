"""The last screen of a run: results, shortfalls with their reasons, and next steps.

It is built from the report alone, so that `pixtrawl report DIR` shows the same. The number of rows
is limited; further queries and reasons are counted, not listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pixtrawl.amounts import plural, size, span
from pixtrawl.display.screen import clean, columns, paint, shorten
from pixtrawl.model import REASONS, Reason, Status
from pixtrawl.operations.advice import AGAIN, ANEW, BUDGET, Advice, advise, detail_of
from pixtrawl.report import Report

IMAGES: Final = "images"
MAX_ROWS: Final = 8  # of queries
MAX_REASONS: Final = 8
MAX_ADVICE: Final = 3
MAX_WIDTH: Final = 110  # columns of a line with text of any length

_MANY_COPIES: Final = 0.1  # share of a label's images from which dropped near duplicates are shown
_FEW_COPIES: Final = 5  # fewer are not shown

_NO_TROUBLE: Final = {Reason.SAVED, Reason.NOT_NEEDED}
_WORDS: Final = {Status.NEAR_DUPLICATE: "near duplicate"}


def verdict(
    given: Report | Mapping[str, Any],
    *,
    where: str = "",
    things: str = IMAGES,
    shards: bool = False,
    color: bool = False,
) -> str:
    """Return the screen as text.

    Args:
        given: the report, or its JSON.
        where: the data set folder as a command takes it, quoted, for the lines on files; "" leaves
            these out.
        things: what the run collected: images or URLs.
        shards: whether `where` is a set of shards, which has no folders of labels.
        color: whether to use ANSI colours.
    """
    report = given.to_dict() if isinstance(given, Report) else given
    queries = list(report.get("queries", ()))
    parts = [
        _headline(report, queries, things, color=color),
        _table(queries, color),
        # URLs that were only discovered have no outcomes yet
        _totals(report, where) if things == IMAGES else "",
        _reasons(report) if things == IMAGES else "",
        _advice(report, queries, color, resumes=things == IMAGES),
        _near_duplicates(queries, where) if things == IMAGES else "",
        _files(report, where, shards=shards),
    ]
    return "\n\n".join(part for part in parts if part)


def shortfall(given: Report | Mapping[str, Any], things: str = IMAGES) -> str:
    """Return one line on the first short query, why, and the next step: `no images: 0 of 50...`."""
    report = given.to_dict() if isinstance(given, Report) else given
    queries = list(report.get("queries", ()))
    text = _headline(report, queries, things, color=False).partition(" (")[0]
    for query in queries:
        if is_short(query):
            advice = advise(query, report, resumes=things == IMAGES)
            name = shorten(clean(query.get("query", "")), 40)
            return f"{text}. {name}: {clean(advice.why)}. Next: {clean(advice.next_step)}."
    return text


def is_short(query: Mapping[str, Any]) -> bool:
    """Return whether a query has less than wanted; without a limit, whether it has none."""
    saved, wanted = int(query.get("saved") or 0), query.get("wanted")
    return saved < int(wanted) if wanted is not None else saved == 0


def _counted(query: Mapping[str, Any]) -> int:
    """Return the saved images, capped at `wanted`, because an earlier run may have wanted more."""
    saved, wanted = int(query.get("saved") or 0), query.get("wanted")
    return saved if wanted is None else min(saved, int(wanted))


def _headline(
    report: Mapping[str, Any], queries: Sequence[Mapping[str, Any]], things: str, *, color: bool
) -> str:
    saved = sum(map(_counted, queries))
    wanted = [int(query["wanted"]) for query in queries if query.get("wanted") is not None]
    of = f" of {sum(wanted):,}" if wanted and len(wanted) == len(queries) else ""
    short = sum(map(is_short, queries))
    if report.get("interrupted"):
        word, tint = "interrupted", "yellow"
    elif report.get("end_reason") == "killed":
        word, tint = "not ended (killed, or still at work)", "yellow"
    elif not saved:
        word, tint = f"no {things}", "red"
    elif short:
        word, tint = f"{short} of {plural(len(queries), 'query', 'queries')} short", "yellow"
    elif report.get("cut_short"):
        word, tint = "cut short", "yellow"
    elif not_asked := int(report.get("not_asked") or 0):
        word, tint = f"{plural(not_asked, 'address', 'addresses')} not asked for", "yellow"
    else:
        word, tint = "complete", "green"
    facts = [plural(len(queries), "query", "queries")]
    if more := sum(int(query.get("saved") or 0) for query in queries) - saved:
        facts.append(f"{more:,} more there from before")
    if report.get("bytes"):
        facts.append(size(float(report["bytes"])))
    if report.get("elapsed_s") is not None:
        facts.append(span(float(report["elapsed_s"])))
    return f"{paint(word, tint, on=color)}: {saved:,}{of} {things} ({', '.join(facts)})"


def _table(queries: Sequence[Mapping[str, Any]], color: bool) -> str:
    if not queries:
        return ""
    few = len(queries) <= MAX_ROWS
    listed = list(queries) if few else [query for query in queries if is_short(query)]
    rest = listed[MAX_ROWS:]
    rows = [_row(query, color) for query in listed[:MAX_ROWS]]
    text = columns([("query", "saved", "sources"), *rows], right={1}) if rows else ""
    lines = text.splitlines()
    if rest:
        lines.append(f"… and {len(rest):,} more that are short")
    if complete := 0 if few else len(queries) - len(listed):
        lines.append(f"{plural(complete, 'query', 'queries')} complete")
    return "\n".join(f"  {line}" for line in lines)


def _row(query: Mapping[str, Any], color: bool) -> tuple[str, str, str]:
    saved, wanted = int(query.get("saved") or 0), query.get("wanted")
    count = f"{_counted(query)}/{wanted}" if wanted is not None else str(saved)
    sources = ", ".join(
        f"{clean(name)} {_answer(answer)}" for name, answer in query.get("sources", {}).items()
    )
    tint = ("red" if not saved else "yellow") if is_short(query) else "green"
    return (
        clean(query.get("query", "")),
        paint(count, tint, on=color),
        shorten(sources or "-", MAX_WIDTH - 50),
    )


def _answer(answer: Mapping[str, Any]) -> str:
    kind = detail_of(answer).get("kind")
    found = answer.get("found", 0)
    if not answer.get("outcome") and answer.get("exhausted"):
        return f"{found}"  # URLs of a list that name their source, which was not asked itself
    word = clean(str(answer.get("outcome") or "not finished").replace("_", " "))
    return f"{word} ({clean(kind).replace('_', ' ')})" if kind else f"{word} {found}"


def _totals(report: Mapping[str, Any], where: str) -> str:
    totals = report.get("totals") or {}
    if not totals.get("candidates"):
        return ""
    # "Not needed" is no failure and often the largest number, so it is listed apart.
    spare = int((report.get("reasons") or {}).get(Reason.NOT_NEEDED) or 0)
    counts = {status: int(totals.get(status) or 0) for status in Status}
    counts[Status.SKIPPED] -= spare
    words = [f"{n:,} {_WORDS.get(status, str(status))}" for status, n in counts.items() if n > 0]
    words += [f"{spare:,} not needed"] if spare else []
    line = f"{plural(int(totals['candidates']), 'candidate')}: {', '.join(words)}"
    if several := len(report.get("across_labels") or ()):
        line += f"\n{plural(several, 'picture')} under several labels (--conflict decides)"
    if junk := report.get("junk_kept"):
        line += "\n" + _junk(junk, where)
    if steering := report.get("steering"):
        line += "\n" + _steering(steering)
    line += "".join(f"\n{sentence}" for sentence in _changes(report))
    if bad := int(report.get("bad_lines") or 0):
        line += f"\n{plural(bad, 'line')} could not be read"
    return line


def _steering(steering: Mapping[str, Any]) -> str:
    by = "looks" if steering["by"] == "look" else f"embeddings of {clean(steering['model'])}"
    rest = ((steering["failed"], "not to be had"), (steering["without"], "without one"),
            (steering["left"], "beyond --steer"))  # fmt: skip
    others = "".join(f", {count:,} {what}" for count, what in rest if count)
    ranked = plural(int(steering["ranked"]), "candidate")
    return f"{ranked} ordered by your likes, by {by} of their thumbnails{others}"


def _junk(counts: Mapping[str, int], where: str) -> str:
    kinds = ", ".join(f"{count:,} {clean(name)}" for name, count in counts.items())
    count = sum(counts.values())
    text = f"{plural(count, 'image')} {'looks' if count == 1 else 'look'} like junk ({kinds})"
    folder = where or "DIR"
    return (
        f"{text}, kept as your list names them\n"
        f"  see: pixtrawl report {folder} --junk; --junk drop leaves such out"
    )


def _changes(report: Mapping[str, Any]) -> list[str]:
    """Return lines on rules that changed between runs, and images saved under other filters."""
    names = [
        f"--{str(change['setting']).partition('.')[2].replace('_', '-')} "
        f"{_rule(change['before'][-1])}, now {_rule(change['now'])}"
        for change in report.get("changed_rules") or ()
    ]
    lines = [f"rules changed for new candidates: {'; '.join(names)}"] if names else []
    queries = report.get("queries") or ()
    here = [(query.get("query"), query.get("label")) for query in queries]
    times = Counter(here)
    other = sum(
        int(before["saved"])
        for query, key in zip(queries, here, strict=True)
        for before in query.get("asked_otherwise", ())
        if times[key] == 1  # else the query has a row of its own
    )
    if other:
        lines.append(f"{plural(other, 'image')} asked for with other filters before, not counted")
    return [shorten(clean(line), MAX_WIDTH) for line in lines]


def _rule(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value is None else str(value)


def _reasons(report: Mapping[str, Any]) -> str:
    counts = {
        Reason(name): int(count)
        for name, count in (report.get("reasons") or {}).items()
        if name in set(Reason) and name not in _NO_TROUBLE and count
    }
    # Skipped candidates come last, whatever their number.
    ranked = sorted(counts, key=lambda one: (REASONS[one].status is Status.SKIPPED, -counts[one]))
    rows = [
        (f"{counts[one]:,}", str(one), REASONS[one].sentence + _cause(report, one))
        for one in ranked[:MAX_REASONS]
    ]
    lines = columns(rows, right={0}).splitlines()
    if rest := ranked[MAX_REASONS:]:
        lines.append(
            f"{sum(counts[one] for one in rest):,} for {plural(len(rest), 'other reason')}"
        )
    return "\n".join(f"  {line}" for line in lines)


def _cause(report: Mapping[str, Any], reason: Reason) -> str:
    """Return known causes of a reason, such as ": self-signed certificate"; else ""."""
    causes = (report.get("causes") or {}).get(reason.value) or {}
    if len(causes) == 1:
        return f": {clean(next(iter(causes)))}"
    words = ", ".join(f"{clean(cause)} ({count:,})" for cause, count in causes.items())
    return f": {words}" if words else ""


def _near_duplicates(queries: Sequence[Mapping[str, Any]], where: str) -> str:
    """Return a line on labels of which more than a tenth was dropped as near duplicates."""
    kept: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    for query in queries:
        reasons, label = query.get("reasons") or {}, clean(query.get("label") or "")
        kept[label] += int(query.get("saved") or 0)
        dropped[label] += int(reasons.get(Reason.SAME_PICTURE) or 0)
    many = [
        label
        for label, count in dropped.most_common()
        if count >= _FEW_COPIES and count > _MANY_COPIES * (count + kept[label])
    ]
    if not many:
        return ""
    first = many[0]
    others = f", and in {plural(len(many) - 1, 'other label')}" if many[1:] else ""
    sentence = (
        f"near duplicates: {shorten(first, 30)}: {dropped[first]:,} of "
        f"{dropped[first] + kept[first]:,} dropped as copies of others{others}"
    )
    folder = where or "DIR"
    return f"{sentence}\n  see: pixtrawl dedup {folder}; if they differ, --dedup exact keeps them"


def _advice(
    report: Mapping[str, Any], queries: Sequence[Mapping[str, Any]], color: bool, *, resumes: bool
) -> str:
    found: dict[Advice, list[str]] = {}
    for query in queries:
        if is_short(query):
            found.setdefault(advise(query, report, resumes=resumes), []).append(
                clean(query.get("query", ""))
            )
    if not found and report.get("interrupted"):  # lists without a limit are not short
        return f"next: {AGAIN if resumes else ANEW}"
    if not found and report.get("cut_short"):
        return f"short: {BUDGET.why}\n  next: {BUDGET.next_step}"
    if not found and report.get("not_asked"):  # URLs at hosts that were given up for this run
        return f"next: {AGAIN} and asks them then"
    ranked = sorted(found, key=lambda one: -len(found[one]))
    lines = []
    for one in ranked[:MAX_ADVICE]:
        names = found[one]
        who = shorten(names[0], 40) if len(names) == 1 else f"{len(names):,} queries"
        why = f"{paint('short', 'yellow', on=color)}: {who}: {clean(one.why)}"
        lines.append(shorten(why, MAX_WIDTH))
        lines.append(f"  next: {clean(one.next_step)}")
    if rest := ranked[MAX_ADVICE:]:
        lines.append(f"… and {plural(len(rest), 'other cause')} (--json lists all)")
    return "\n".join(lines)


def _files(report: Mapping[str, Any], where: str, *, shards: bool) -> str:
    if not where:
        return ""
    queries = report.get("queries") or ()
    labels = sorted({str(query.get("label", "")) for query in queries})
    folder = f"{where}/{clean(labels[0])}/" if len(labels) == 1 else f"{where}/<label>/"
    totals = report.get("totals") or {}
    lost = int(totals.get(Status.FAILED) or 0) + int(totals.get(Status.REJECTED) or 0)
    each = f"\neach URL: pixtrawl report {where} --urls" if lost else ""
    if shards:
        collect = f"pixtrawl cluster collect {where} -o DIR"
        return f"shards: {where}/data/   as a folder: {collect}{each}"
    return f"files: {folder}   once more: pixtrawl report {where}{each}{_export(report)}"


def _export(report: Mapping[str, Any]) -> str:
    """Return a line on the export at the end of the run; "" if there was none."""
    done = report.get("export")
    if not done:
        return ""
    images = plural(int(done["images"]), "image")
    splits = ", ".join(f"{clean(name)} {count:,}" for name, count in done["splits"].items())
    parts = f" ({splits})" if len(done["splits"]) > 1 else ""
    return f"\nexport: {images}{parts} as {clean(done['to'])} in {clean(done['output'])}"
