"""The data card (README.md) and the attribution list of a data set, as text.

Titles, creators and queries are untrusted: they are escaped for Markdown and YAML so that they
cannot inject markup. Nothing here reads the clock; dates are those of the images.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import quote

from msgspec import Struct, field

from pixtrawl.amounts import plural, size
from pixtrawl.folder.derived.card_header import header
from pixtrawl.folder.derived.features import Features
from pixtrawl.model import Sample
from pixtrawl.preferences import counts as owners
from pixtrawl.secrets import masked_text, masked_url

__all__ = [
    "Credit",
    "Summary",
    "attribution",
    "attribution_lines",
    "credit_of",
    "data_card",
    "markdown_link",
    "markdown_text",
    "summarise",
]

# Patterns for Hugging Face's loader, for a data set folder that was not exported. Explicit, because
# the loader guesses splits from words such as train or test in a label.
AS_IT_LIES: Final = (("train", ("metadata.jsonl", "*/*")),)
LOAD_AS_IT_LIES: Final = 'load_dataset("imagefolder", data_files={"train": "images/**"})'

_MAX_TEXT: Final = 200
# Fast path: text without markup, control characters, addresses or list marks needs no escaping.
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9,;/.'-]*(?: [A-Za-z0-9,;/.'-]+)*")
_WEB: Final = re.compile(r"(?i)https?://[^\s/]")
_SAFE: Final = "%:/?#@!$&'+*,;=~-._"
_SAFE_URL: Final = re.compile(rf"[A-Za-z0-9{re.escape(_SAFE)}]+")  # fast path: nothing to quote
_MAX_ROWS: Final = 200


class Credit(Struct, frozen=True, kw_only=True):
    """The attribution of one image."""

    file_name: str
    title: str = ""
    creator: str = ""
    license: str = ""
    license_url: str = ""
    page_url: str = ""
    url: str = ""


def credit_of(sample: Sample) -> Credit:
    """Return the credit of a sample, with secrets in its URLs masked."""
    found = sample.candidate
    return Credit(
        file_name=sample.file_name,
        title=found.title or "",
        creator=found.creator or str(sample.rights.get("creator") or ""),
        license=found.license or "",
        license_url=masked_url(found.license_url or ""),
        page_url=masked_url(found.page_url or ""),
        url=masked_url(sample.url),
    )


class Summary(Struct):
    """Counts over a data set; memory grows with labels, licences and sources, not with images."""

    images: int = 0
    size_bytes: int = 0
    labels: Counter[tuple[str, str]] = field(default_factory=Counter)  # label, query
    licenses: Counter[tuple[str, str]] = field(default_factory=Counter)  # claim, URL
    sources: Counter[str] = field(default_factory=Counter)
    formats: Counter[str] = field(default_factory=Counter)
    preferences: Counter[tuple[str, str]] = field(default_factory=Counter)  # purpose, answer
    first: str = ""
    last: str = ""
    identity: int = 0  # sum of the images' hashes, independent of their order
    features: Features = field(default_factory=dict)  # of what Hugging Face loads; {}: left to it

    def add(  # noqa: PLR0913 - one column each
        self,
        *,
        label: str,
        query: str,
        source: str,
        format: str,
        size_bytes: int,
        license: str = "",
        license_url: str = "",
        fetched_at: str = "",
        ai_preferences: object = None,
        identity: str = "",
    ) -> None:
        """Count one image; `identity` is a text that is unique to it."""
        digest = hashlib.sha256(identity.encode("utf-8", "replace")).digest()
        self.identity = (self.identity + int.from_bytes(digest[:16])) % 2**128
        self.images += 1
        self.size_bytes += size_bytes
        self.labels[label, query] += 1
        self.licenses[license, license_url if license else ""] += 1
        self.sources[source] += 1
        self.formats[format] += 1
        owners.count_preferences(self.preferences, ai_preferences)
        if fetched_at:
            if not self.first or fetched_at < self.first:
                self.first = fetched_at
            if fetched_at > self.last:
                self.last = fetched_at

    def count(self, sample: Sample) -> None:
        """Count one sample."""
        found = sample.candidate
        self.add(
            label=sample.label,
            query=masked_text(found.query),
            source=found.source,
            format=sample.info.format,
            size_bytes=sample.info.size_bytes,
            license=found.license or "",
            license_url=masked_url(found.license_url or ""),
            fetched_at=sample.fetched_at,
            ai_preferences=sample.ai_preferences,
            identity=f"{sample.info.sha256} {sample.file_name}",
        )


def summarise(samples: Iterable[Sample]) -> Summary:
    """Return the counts over a stream of samples."""
    summary = Summary()
    for sample in samples:
        summary.count(sample)
    return summary


def data_card(  # noqa: PLR0913 - one keyword for each part of a card
    summary: Summary,
    *,
    title: str,
    load: str = LOAD_AS_IT_LIES,
    data_files: Sequence[tuple[str, Sequence[str]]] = AS_IT_LIES,
    splits: Sequence[tuple[str, int]] = (),
    notes: Sequence[str] = (),
    version: str = "",
    by_config: bool = True,
) -> str:
    """Return the text of README.md for a data set or an export.

    Args:
        summary: counts over its images.
        title: its heading.
        load: the Python expression that loads it.
        data_files: (split, path patterns) for Hugging Face; empty writes no `configs` section.
        splits: (name, images), shown as a table when given.
        notes: paragraphs in Markdown, inserted unescaped.
        version: must change when the content does (default: hash over the images).
        by_config: whether `configs` repeats the features, which ImageFolder alone goes by.
    """
    version = version or f"{summary.identity:032x}"
    lines = [*header(summary, title, data_files, version, by_config=by_config)]
    lines += [f"# {markdown_text(title)}", ""]
    when = _days(summary)
    what = f"{plural(summary.images, 'image')} ({size(summary.size_bytes)})"
    label_count = plural(len({label for label, _ in summary.labels}), "label")
    fetched = f" and fetched {when}" if when else ""
    lines += [
        f"{what} of {label_count}, found on the web{fetched} with pixtrawl.",
        "",
    ]
    if load:
        lines += ["```python", "from datasets import load_dataset", "", f"ds = {load}", "```", ""]
    lines += [line for note in notes for line in (note, "")]
    if splits:
        lines += _table("Splits", ("split", "images"), [(name, f"{n:,}") for name, n in splits])
    labels = [(label, query, f"{n:,}") for (label, query), n in sorted(summary.labels.items())]
    lines += _table("Labels", ("label", "query", "images"), labels)
    lines += _table("Sources", ("source", "images"), _ranked(summary.sources))
    lines += _table("Formats", ("format", "images"), _ranked(summary.formats))
    heard = owners.preference_rows(summary.preferences, summary.images)
    lines += [*_table("AI preferences", owners.PREFERENCE_NAMES, heard), *owners.PREFERENCE_TEXT]
    lines += _licenses(summary)
    return "\n".join(lines).rstrip("\n") + "\n"


def attribution_lines(credits_: Iterable[Credit]) -> Iterator[str]:
    """Yield the lines of ATTRIBUTION.md, without newlines."""
    yield from (
        "# Attribution",
        "",
        "What the sources said of each image: title, creator, licence claim, page. A claim is not",
        "a guarantee; an image without one is not free.",
        "",
    )
    for credit in credits_:
        title = f"“{markdown_text(credit.title)}”" if credit.title.strip() else "untitled"
        creator = f" by {markdown_text(credit.creator)}" if credit.creator.strip() else ""
        claim = markdown_text(credit.license) if credit.license.strip() else "licence unknown"
        if credit.license.strip() and credit.license_url:
            claim = markdown_link(claim, credit.license_url)
        where = markdown_link("page", credit.page_url) if credit.page_url else ""
        where = where or markdown_link("file", credit.url)
        ending = f", {where}" if where else ""
        yield f"- {markdown_text(credit.file_name)}: {title}{creator}, {claim}{ending}"


def attribution(samples: Iterable[Sample]) -> str:
    """Return the whole text of ATTRIBUTION.md for these samples."""
    return "\n".join(attribution_lines(map(credit_of, samples))) + "\n"


def markdown_text(text: str) -> str:
    """Escape text for Markdown: one line, cut at 200 characters, no tags and no links."""
    if len(text) <= _MAX_TEXT and _PLAIN.fullmatch(text) and "www." not in text.lower():
        return text
    text = "".join(char if char.isprintable() else " " for char in text)  # controls, bidi, newlines
    text = " ".join(text.encode("utf-8", "replace").decode().split())
    if len(text) > _MAX_TEXT:
        text = text[: _MAX_TEXT - 1] + "…"
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|~$!#])", r"\\\1", text)
    text = text.replace("@", "&#64;")  # no mail address, no mention
    text = re.sub(r"(?i)(https?|ftp):(?=//)", r"\1&#58;", text)  # GitHub links bare addresses
    text = re.sub(r"(?i)\bwww\.", "www&#46;", text)
    # at the start of a line a dash, plus or number would open a list, rule or heading
    return re.sub(r"^(\d*)([.)])|^([-+=])", r"\1\\\2\3", text)


def markdown_link(text: str, url: str) -> str:
    """Return a link for an http(s) URL of up to 2,000 characters, else the text alone.

    `text` must be Markdown already. Return "" for a `data:` URL.
    """
    if not _WEB.match(url) or len(url) > 2_000:
        return text if url[:5].lower() != "data:" else ""
    safe = url if _SAFE_URL.fullmatch(url) else quote(url.encode("utf-8", "replace"), safe=_SAFE)
    return f"[{text}](<{safe}>)"


def _licenses(summary: Summary) -> Iterator[str]:
    rows = []
    for (claim, url), count in sorted(summary.licenses.items(), key=lambda kv: (-kv[1], kv[0])):
        shown = markdown_text(claim) if claim.strip() else "unknown"
        rows.append((_Markdown(markdown_link(shown, url) if url else shown), f"{count:,}"))
    yield from _table("Licences", ("claim of the source", "images"), rows)
    yield from (
        "A licence is what the source claims for an image; it was not verified. Unknown does not",
        "mean free: most images on the web are protected by copyright, and what may be done with",
        "them depends on the purpose and the country. ATTRIBUTION.md names title, creator and page",
        "of each image; keep it with the images. Whoever finds a work of theirs here can have it",
        "removed: `pixtrawl takedown` forgets it for good.",
        "",
    )


class _Markdown(str):
    """Text that is already Markdown and must not be escaped again."""

    __slots__ = ()


def _table(heading: str, names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield from (f"## {heading}", "", f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}")
    for row in rows[:_MAX_ROWS]:
        cells = (
            cell if isinstance(cell, _Markdown) else markdown_text(cell) or " " for cell in row
        )
        yield f"| {' | '.join(cells)} |"
    if len(rows) > _MAX_ROWS:
        yield f"\n… and {len(rows) - _MAX_ROWS:,} more."
    yield ""


def _ranked(counts: Counter[str]) -> list[tuple[str, str]]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(name, f"{count:,}") for name, count in ranked]


def _days(summary: Summary) -> str:
    first, last = markdown_text(summary.first[:10]), markdown_text(summary.last[:10])
    if not first:
        return ""
    return f"on {first}" if first == last else f"from {first} to {last}"
