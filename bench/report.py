"""The table: as text, as JSON, and memory and rate over list length as a picture."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bench import plot
from bench.rounds import Table


def machine() -> dict[str, str]:
    cpu = next((line.partition(":")[2].strip() for line in
                Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")),
               platform.processor())  # fmt: skip
    return {"date": datetime.now(UTC).strftime("%Y-%m-%d"), "cpu": cpu,
            "system": platform.platform(), "load": f"{os.getloadavg()[2]:.1f}"}  # fmt: skip


def markdown(tables: Iterable[Table]) -> str:
    lines: list[str] = []
    for table in tables:
        rounds = f"{table.rounds} round{'s' * (table.rounds > 1)}"
        lines += ["", f"### {table.name}: {table.title} ({rounds})", ""]
        columns = [column for column in _COLUMNS if any(_COLUMNS[column](r) for r in table.rows)]
        lines.append("| | " + " | ".join(columns) + " |")
        lines.append("|---" * (len(columns) + 1) + "|")
        for row in table.rows:
            values = " | ".join(_COLUMNS[column](row) for column in columns)
            lines.append(f"| {row.contender} | {values} |")
    return "\n".join(lines) + "\n"


def _number(value: float | None, digits: int) -> str:
    return "" if not value else f"{value:,.{digits}f}"


_COLUMNS = {
    "wall s": lambda r: _number(r.wall_s, 2),
    "fastest - slowest": lambda r: (
        f"{r.extra['fastest_s']:.2f} - {r.extra['slowest_s']:.2f}" if "fastest_s" in r.extra else ""
    ),
    "s to 95 %": lambda r: _number(r.to_95_s, 1),
    "images/s": lambda r: _number(r.extra.get("images_per_s"), 0),
    "CPU ms/image": lambda r: _number(r.extra.get("cpu_ms_per_image"), 2),
    "peak MB": lambda r: _number(r.pss_mb, 0),
    "right": lambda r: str(r.right or ""),
    "junk": lambda r: str(r.junk or ""),
    "re-encoded or other": lambda r: str(r.other or ""),
}


def write(folder: Path, tables: list[Table], versions: Mapping[str, str]) -> None:
    """`results.json`, `results.md`, and `memory-rate.svg` where that was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = {
        "machine": machine(), "versions": dict(versions),
        "tables": [{"name": t.name, "title": t.title, "rounds": t.rounds,
                    "rows": [r.as_dict() for r in t.rows]} for t in tables],
    }  # fmt: skip
    (folder / "results.json").write_text(json.dumps(whole, indent=1) + "\n")
    facts = ", ".join(f"{k} {v}" for k, v in {**machine(), **versions}.items())
    (folder / "results.md").write_text(f"{facts}\n{markdown(tables)}")
    if any(table.name == "memory" and table.rows for table in tables):
        (folder / "memory-rate.svg").write_text(plot.svg(plot.points(folder / "results.json")))
