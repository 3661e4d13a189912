"""Reports for tests of what is shown of them."""

from __future__ import annotations

from typing import Any

from pixtrawl.model import Status
from pixtrawl.report import Report


def report_of(**told: Any) -> Report:
    """A report of a run that is done; what is not told is nothing."""
    queries = [
        {"id": number, "reasons": {}, "untried": 0, "sources": {}, **query}
        for number, query in enumerate(told.pop("queries", ()), 1)
    ]
    for query in queries:
        query["sources"] = {
            name: {"exhausted": False, **answer} for name, answer in query["sources"].items()
        }
    totals = {"candidates": 0} | {status.value: 0 for status in Status} | told.pop("totals", {})
    nothing: dict[str, Any] = {
        "output": "images", "queries": queries, "totals": totals, "reasons": {}, "causes": {},
        "bytes": 0, "elapsed_s": 0.0, "interrupted": False, "end_reason": "done",
        "read_only": False, "cut_short": False, "not_asked": 0, "across_labels": [],
        "changed_rules": [],
    }  # fmt: skip
    return Report.of({**nothing, **told})
