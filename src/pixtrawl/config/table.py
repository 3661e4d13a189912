"""The settings as one table: the fields of `groups` and the search filters.

The command line, the environment, the file, `config show` and docs/settings.md all use it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from msgspec import Struct

from pixtrawl.config import parse
from pixtrawl.config.groups import settings

FILTERS_GROUP: Final = "filters"
FILTER_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "color": (
        "color", "gray", "transparent", "red", "orange", "yellow", "green", "teal", "blue",
        "purple", "pink", "white", "black", "brown",
    ),
    "type": ("photo", "clipart", "lineart", "animated", "face"),
    "aspect": ("square", "wide", "tall"),
    "safe": ("off", "moderate", "strict"),
}  # fmt: skip


class Setting(Struct, frozen=True, kw_only=True):
    """One setting, and every way to spell it."""

    group: str
    name: str  # the field's, unit included
    default: Any
    sentence: str
    flag: str | None = None
    short: str | None = None
    parse: Callable[[str], Any] = str
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    repeat: bool = False

    @property
    def key(self) -> str:
        """Its name in `config show`, `--set` and the file: `fetch.timeout_s`."""
        return f"{self.group}.{self.name}"

    @property
    def word(self) -> str:
        """The name shown to users: the option's where there is one, else the field's."""
        return self.flag.removeprefix("--").replace("-", "_") if self.flag else self.name

    @property
    def words(self) -> tuple[str, ...]:
        """The names accepted in the file and the environment: `timeout`, `timeout_s`."""
        return tuple(dict.fromkeys((self.word, self.name)))

    @property
    def variable(self) -> str:
        """Its environment variable."""
        return f"PIXTRAWL_{self.word.upper()}"

    @property
    def is_switch(self) -> bool:
        """Whether its option takes no value."""
        return self.parse is parse.boolean


def _filter(name: str, sentence: str, metavar: str, read: Callable[[str], Any] = str) -> Setting:
    return Setting(
        group=FILTERS_GROUP,
        name=name,
        default=None,
        sentence=sentence,
        flag=f"--{name}",
        parse=read,
        metavar=metavar,
        choices=FILTER_WORDS.get(name),
    )


_FILTERS: Final = (
    _filter(
        "size", "small (< 640x480), medium, large (>= 1024x768), or at least WxH", "SIZE",
        parse.filter_size,
    ),
    _filter("color", "dominant colour of the picture", "COLOR"),
    _filter("type", "kind of picture", "TYPE"),
    _filter("aspect", "shape of the picture", "SHAPE"),
    _filter("date", "day, week, month, year, or YYYY-MM-DD..YYYY-MM-DD", "DATE", parse.filter_date),
    _filter(
        "license", "any, open, public, commercial, modify, or an id such as cc-by", "LICENSE",
        parse.license_words,
    ),
    _filter("site", "only images from this site", "HOST", parse.site),
    _filter("lang", "language of the pages (en, de, pt-BR)", "LANG", parse.language),
    _filter("region", "country to search as (us, de)", "REGION", parse.region),
    _filter("safe", "the sources' own content filter", "LEVEL"),
)  # fmt: skip


@cache
def table() -> tuple[Setting, ...]:
    """Return every setting, in the order of `groups`, the filters last."""
    rows = [
        Setting(group=group, name=item.name, default=item.default, **item.metadata)
        for group, item in settings()
    ]
    return (*rows, *_FILTERS)


@cache
def by_key() -> dict[str, Setting]:
    """Return the table by `group.name`."""
    return {row.key: row for row in table()}


@cache
def by_word() -> dict[str, Setting]:
    """Return the table by every name that is accepted without its group."""
    return {word: row for row in table() for word in row.words}


def shown(value: object) -> str:
    """Format a value as a user would write it: `640x480`, `127.0.0.0/8, ::1/128`; "" for none."""
    if value is None or value == ():
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        if len(value) == 2 and all(isinstance(part, int) for part in value):
            return f"{value[0]}x{value[1]}"
        return ", ".join(str(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def shown_setting(row: Setting, value: object) -> str:
    """Format as `shown`, with bytes in the largest unit that divides them: `64M`."""
    if row.parse is parse.size_bytes and isinstance(value, int):
        for unit, factor in (("G", 2**30), ("M", 2**20), ("K", 2**10)):
            if value and value % factor == 0:
                return f"{value // factor}{unit}"
    if row.parse is parse.limit and value is None:
        return "all"
    return shown(value)
