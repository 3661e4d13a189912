"""Writes the reference pages that are made from the code: `python docs/make_reference.py`.

tests/docs/test_reference.py fails when a page does not say what the code says.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from pixtrawl import sources
from pixtrawl.cli.exit_codes import EXIT_CODES
from pixtrawl.cli.options import ALIASES
from pixtrawl.config.table import Setting, shown_setting, table
from pixtrawl.model import REASONS, Reason, SourceOutcome, Status
from pixtrawl.playground.faults.faultline import FAULTS
from pixtrawl.playground.faults.link import LINK_FAULTS
from pixtrawl.secrets import PARAMETERS, SIGNED_WITH, SUFFIXES
from pixtrawl.sources.base import SourceInfo

_GROUPS: Final = {
    "job": "Job: what to collect, and where to put it",
    "fetch": "Fetch: one transfer",
    "politeness": "Politeness: how hosts are treated",
    "images": "Images: what to keep",
    "export": "Export: what to write after the run",
    "lists": "Lists: which column holds what",
    "models": "Models: what scores images, and where it is fetched from",
    "publish": "Publish: where `pixtrawl publish` sends data sets",
    "filters": "Filters: passed to each source that supports them",
}

_SETTINGS_HEAD: Final = """\
# Settings

Every setting can be given in five places. A later one wins:

1. its default;
2. your own file, `config.toml` in the system's place for settings
   (Linux: `~/.config/pixtrawl/`, macOS: `~/Library/Application Support/pixtrawl/`,
   Windows: `%LOCALAPPDATA%\\pixtrawl\\`);
3. the file named by `--config FILE`, or else by `PIXTRAWL_CONFIG`;
4. the environment;
5. the command line: its option, or `--set GROUP.NAME=VALUE`, which also reaches settings that have
   no option.

`pixtrawl config show` prints each setting, its value, and who set it. A mistake ends the command
with exit code 2 and one line that names the file and its key, the variable, or the option. An
unknown `PIXTRAWL_` variable is reported and ignored. No file is read because it lies in the current
folder: a folder that came from somebody else could then set a proxy or open the address guard.

```toml
# config.toml: keys stand in their group's table, or without a group at the top
limit = 200

[fetch]
timeout_s = 20
max_bytes = "32M"

[politeness]
exclude_host = ["example.com"]

[google]            # a source's own settings; [sources.google] is the same
enabled = true
```

Sizes are powers of 1024 (`500K`, `64M`, `2G`), times are seconds or `500ms`, `10m`, `1h`. What may
be given several times is a list in the file, and separated by commas elsewhere.

## A source's own settings

`--set NAME.KEY=VALUE`, the variable `PIXTRAWL_NAME_KEY`, or the table `[NAME]`. Every source has
`base_url` (another server of its kind), `delay_s` (seconds between two requests; with a `base_url`
of yours it is 0 unless set) and `enabled` (whether a group such as `auto` asks it).
`pixtrawl sources NAME` lists the others. Keys and tokens are never printed.

## What others read

`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, `SSL_CERT_FILE`, `SSL_CERT_DIR`,
`CURL_CA_BUNDLE`, `REQUESTS_CA_BUNDLE`, `NO_COLOR` mean what they mean everywhere
([how to](how-to.md#go-through-a-proxy));
`PIXTRAWL_CHROME` is the path of the browser.
"""


_SOURCES_HEAD = """\
# Sources

`-s NAME` asks a source, or the members of a group; without it, `auto` is asked: Bing, Openverse,
Wikimedia Commons and Ecosia, side by side, their first pages mixed by rank. Who answers late or
refuses holds up nobody. A source that is
*documented only* was written after descriptions of its form and never met a recorded answer or a
real server; no group asks it by itself. What no group has is asked only when it is named. A group
in brackets asks the source once it is switched on (`--set google.enabled=true`, or in the settings
file). Every `base_url` can point to a server of your own; the pace holds for the built-in
address.

- `pixtrawl sources NAME` tells the same of one source, and what it still lacks on this computer;
- `pixtrawl doctor --sources [NAME...]` asks each of them one question and says how it answers;
- `pixtrawl sources check NAME PAGE...` reads pages that were saved, such as the evidence of a run,
  with the source's own parser and without a network; several pages answer one request each;
- `pixtrawl sources save NAME "query" -o FILE` asks once and packs the answers and what was read
  from them (`verdict.json`) into one zip file. Send it when a source does not read what a browser
  shows: cookies, keys, tokens, e-mail and network addresses are masked; the query and the results
  are in it. `sources check NAME FILE` reads it again.

Whether a source may be asked by a program is for its terms to say; what is known of them stands
below. It is you who asks.

"""


def settings_page() -> str:
    """docs/settings.md."""
    parts = [_SETTINGS_HEAD]
    for group, title in _GROUPS.items():
        rows = [_setting_row(row) for row in table() if row.group == group]
        head = ("setting", "option", "variable", "default", "meaning")
        parts.append(f"## {title}\n\n{_markdown(head, rows)}")
    return "\n".join(parts)


def _setting_row(row: Setting) -> tuple[str, ...]:
    names = [name for name in (row.short, row.flag, *ALIASES.get(row.key, ())) if name]
    if row.is_switch and row.flag:
        names.append(row.flag.replace("--", "--no-", 1))
    default = shown_setting(row, row.default)
    meaning = row.sentence
    if row.choices:
        meaning += ": " + ", ".join(f"`{word}`" for word in row.choices)
    return (
        f"`{row.key}`",
        ", ".join(f"`{name}`" for name in names) or "-",
        f"`{row.variable}`",
        f"`{default}`" if default else "-",
        meaning,
    )


def exit_codes_page() -> str:
    """docs/exit-codes.md."""
    rows = [(f"{code}", meaning) for code, meaning in EXIT_CODES.items()]
    return (
        "# Exit codes\n\n"
        f"{_markdown(('code', 'meaning'), rows)}\n"
        "`download` takes every URL unless `-n` is given: it ends with 0 if every URL ended in an\n"
        "outcome and at least one was saved, and with 3 only with `-n` or `--strict`.\n"
    )


def reasons_page() -> str:
    """docs/reasons.md."""
    head_text = (
        "# Outcomes and reasons\n\n"
        "Every candidate ends in one status with one reason, from this closed list. The report\n"
        "(`pixtrawl report DIR --json`) counts them. What failed for a passing reason is tried\n"
        "again when the same command is run again; `--retry failed` tries the others, too.\n"
    )
    parts = [head_text]
    for status in Status:
        rows = [
            (f"`{reason}`", info.sentence, "yes" if info.transient else "no")
            for reason, info in REASONS.items()
            if info.status is status
        ]
        head = ("reason", "meaning", "tried again")
        parts.append(f"## {status}\n\n{_markdown(head, rows)}")
    outcomes = ", ".join(f"`{outcome}`" for outcome in SourceOutcome)
    parts.append(
        "## How a source answered\n\n"
        f"For each query a source ends with one of: {outcomes}.\n"
        "`ok` with fewer images than asked means that it has no more.\n"
    )
    return "\n".join(parts)


def sources_page() -> str:
    """docs/sources.md."""
    infos = {name: sources.load(name).info for name in sources.available()}
    built_in = {
        name: info for name, info in infos.items()
        if sources.load(name).__module__.startswith("pixtrawl.")
    }  # fmt: skip
    head = ("source", "groups", "needs", "licence", "verified", "limit")
    rows = [
        (
            f"[`{name}`](#{name})",
            _groups(name) or "-",
            ", ".join(info.needs) or "-",
            info.license,
            info.verified,
            info.limit or "not known",
        )
        for name, info in built_in.items()
    ]
    details = [_source_section(name, info) for name, info in built_in.items()]
    return _SOURCES_HEAD + _markdown(head, rows) + "".join(details)


def _groups(name: str) -> str:
    """Its groups; in brackets where they ask it only once it is switched on."""
    shape = "{}" if sources.switched_on(name, {}) else "({})"
    return ", ".join(shape.format(group) for group in sources.groups_of(name))


def _source_section(name: str, info: SourceInfo) -> str:
    pace = f"{info.delay_s:g} s between requests" if info.delay_s else "no pause"
    rows = [
        ("base URL", f"`{info.base_url}`" if info.base_url else "none"),
        ("pace", pace),
        ("filters", ", ".join(f"`{one}`" for one in sorted(info.filters)) or "none"),
        ("terms", info.terms or "not known"),
        *(
            (f"`{name}.{one.key}`", _setting_text(one.sentence, one.default))
            for one in info.settings
        ),
    ]
    return f"\n## {name}\n\n{info.title}. {info.sentence}\n\n{_markdown(('', ''), rows)}"


def _setting_text(sentence: str, default: str) -> str:
    return f"{sentence} (default: `{default}`)" if default else sentence


def _markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(head)]
    cells.append(["---"] * len(cells[0]))
    cells.extend([one.replace("|", "\\|") for one in row] for row in rows)
    return "".join(f"| {' | '.join(row)} |\n" for row in cells)


_SECRETS_HEAD: Final = """\
# Secrets in addresses

Signed links, `user:password@` and `?api_key=` open doors that their owner opened for one
person. In everything that is made to be shown or passed on their values are replaced by `***`:
`metadata.jsonl`, `keyword_urls.txt`, `README.md`, `ATTRIBUTION.md`, the lock file, exports,
tables in Python, the report, what is printed, and the trace of an unexpected error. All else of
an address stays byte for byte.

The catalog (the data set's file that ends in `.sqlite3`) keeps addresses as they are, because a
run that goes on needs them, and so do the manifests of `pixtrawl discover`, which are made to
be downloaded from; it says so when it writes such addresses. Evidence, which is what a source
answered, loses whatever a page could run or load, addresses in it are masked, and so are the keys,
cookies and passwords of the run, however the server spells them; a screenshot is kept as it is.
Pass on a copy without these, or an export. A masked address
cannot be downloaded from any more: a data set that is rebuilt from a lock file lacks these
images.

Settings that hold a secret (a source says which; else their name tells) are kept in the catalog
as `set`, and shown as `set`.

Masked are user information before `@`, and the values of these parameters, in the query, the
fragment, after `;` and in an address inside an address. Case, `-`, `_` and `.` in their names
do not count.

"""


def secrets_page() -> str:
    """Which parts of addresses are masked."""
    rows = [
        (whose, ", ".join(f"`{name}`" for name in names)) for whose, names in PARAMETERS.items()
    ]
    rows.append(("Names that end in", ", ".join(f"`{name}`" for name in SUFFIXES)))
    rows += [
        (f"Beside `{name}` only", ", ".join(f"`{one}`" for one in sorted(also)))
        for name, also in SIGNED_WITH.items()
    ]
    return _SECRETS_HEAD + _markdown(("", "parameters"), rows)


_MADE: Final = "<!-- From here on made from the code: python docs/make_reference.py -->\n\n"


def security_page() -> str:
    """The page as it is written by hand, and each misbehaviour with its right outcome."""
    written = Path(__file__).with_name("security.md").read_text("utf-8").partition(_MADE)[0]
    head = ("fault", "what the server does", "outcome", "or", "status")
    rows = [
        (f"`{name}`", sentence, f"`{reason}`", ", ".join(f"`{one}`" for one in also), status)
        for name, sentence, reason, also, status in _faults()
    ]
    return written + _MADE + _markdown(head, rows)


def _faults() -> Iterable[tuple[str, str, str, tuple[str, ...], str]]:
    known = [(one.name, inspect.getdoc(one) or "", one.reason, one.also) for one in FAULTS.values()]
    known += [(link.name, link.sentence, link.reason, link.also) for link in LINK_FAULTS]
    for name, text, reason, also in known:
        sentence = " ".join(text.partition("\n\n")[0].split())
        yield name, sentence, reason, also, REASONS[Reason(reason)].status


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "settings.md": settings_page,
    "exit-codes.md": exit_codes_page,
    "reasons.md": reasons_page,
    "sources.md": sources_page,
    "secrets.md": secrets_page,
    "security.md": security_page,
}

if __name__ == "__main__":
    for file_name, page in PAGES.items():
        Path(__file__).with_name(file_name).write_text(page(), "utf-8")
