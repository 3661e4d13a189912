"""Writes one HTML page from plain values; every text is escaped, and nothing is loaded or run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from pixtrawl.errors import StorageError

__all__ = ["bars", "command", "figure", "grid", "page", "section", "table", "write"]

_MOST_TEXT: Final = 300  # characters of an untrusted text
_SHOWN_SCHEMES: Final = ("http://", "https://")
_STYLE: Final = """
:root{color-scheme:light dark;font:15px/1.5 system-ui,sans-serif}
body{max-width:72rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;width:100%;display:block;overflow-x:auto}
td,th{text-align:left;padding:.25rem .8rem .25rem 0;vertical-align:top}
td,th{border-bottom:1px solid #8884}
.n{text-align:right;font-variant-numeric:tabular-nums}
.bar{height:.8rem;min-width:2px;background:#3b74c9;border:0;display:block}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(168px,1fr));gap:1rem}
figure{margin:0;font-size:.8rem;overflow-wrap:anywhere}
figure img{width:100%;height:160px;object-fit:contain;background:#8882}
.quiet{opacity:.75}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#8882;padding:.5rem .8rem}
"""
_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)


def text(value: object) -> str:
    """Return a value as escaped text of bounded length, without control characters."""
    plain = "".join(one if one.isprintable() else " " for one in str(value))
    return escape(plain if len(plain) <= _MOST_TEXT else f"{plain[:_MOST_TEXT]}…")


def page(title: str, sections: Iterable[str], *, refresh_s: int | None = None) -> str:
    """Return the whole page; a browser loads it again every `refresh_s` seconds."""
    again = f'<meta http-equiv="refresh" content="{refresh_s}">' if refresh_s else ""
    head = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{text(title)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="referrer" content="no-referrer">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"{again}<style>{_STYLE}</style><h1>{text(title)}</h1>"
    )
    return f"{head}{''.join(sections)}</html>\n"


def write(target: Path, whole: str) -> int:
    """Write a page and return its size in bytes. Raise StorageError where it cannot be written."""
    data = whole.encode("utf-8", "replace")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except OSError as error:
        raise StorageError(f"{target} cannot be written: {error.strerror or error}") from error
    return len(data)


def section(title: str, body: str, note: str = "") -> str:
    """Return a headed part; `body` is HTML already."""
    quiet = f'<p class="quiet">{text(note)}</p>' if note else ""
    return f"<section><h2>{text(title)}</h2>{quiet}{body}</section>"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; numbers stand right, fractions with one digit."""
    top = "".join(f"<th>{text(one)}</th>" for one in head)
    lines = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{lines}</table>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f'<td class="n">{value:,}</td>'
    if isinstance(value, float):
        return f'<td class="n">{value:,.1f}</td>'
    return f"<td>{text(value)}</td>"


def bars(rows: Sequence[tuple[str, int]]) -> str:
    """Return a bar chart: names, bars, numbers."""
    most = max((n for _, n in rows), default=1) or 1
    lines = "".join(
        f'<tr><td>{text(name or "unknown")}</td><td class="n">{n:,}</td><td style="width:55%">'
        f'<span class="bar" style="width:{100 * n / most:.1f}%"></span></td></tr>'
        for name, n in rows
    )
    return f"<table>{lines}</table>"


def command(line: str) -> str:
    """Return a command to copy: whole, however long it is."""
    return f"<pre>{escape(line)}</pre>"


def grid(figures: Iterable[str]) -> str:
    """Return figures side by side."""
    return f'<div class="grid">{"".join(figures)}</div>'


def figure(webp: bytes, facts: Mapping[str, object], link: str) -> str:
    """Return a thumbnail with its facts and a link to where the image was found."""
    data = b64encode(webp).decode()
    picture = f'<img alt="" src="data:image/webp;base64,{data}">'
    if link.startswith(_SHOWN_SCHEMES):
        picture = f'<a rel="noreferrer noopener" href="{escape(link)}">{picture}</a>'
    lines = "<br>".join(text(one) for one in facts.values() if one)
    return f"<figure>{picture}<figcaption>{lines}</figcaption></figure>"
