"""Merge settings by precedence: defaults < user's file < `--config` file < environment < options.

No file is read from the current folder: a folder received from someone else could then set a proxy
or open the address guard unnoticed.

Every error is a `UsageError` that names the place of the wrong value: the file and its key, the
variable, or the option.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, field, structs

from pixtrawl.config import parse
from pixtrawl.config.groups import GROUPS, Config
from pixtrawl.config.table import FILTERS_GROUP, Setting, by_key, by_word, table
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import UsageError

PREFIX: Final = "PIXTRAWL_"
CONFIG_VARIABLE: Final = "PIXTRAWL_CONFIG"
# Not a setting, but read elsewhere: the path of the browser.
FOREIGN_VARIABLES: Final = frozenset({"PIXTRAWL_CHROME"})
SOURCE_KEYS: Final = ("base_url", "delay_s", "enabled")  # understood by every source
DEFAULT_ORIGIN: Final = "default"
COMMAND_LINE: Final = "command line"

_TABLES: Final = frozenset({*GROUPS, FILTERS_GROUP})


class KnownSources(Struct, frozen=True):
    """The sources' names and settings, available without importing the sources.

    `keys` returns the settings of one source beside `SOURCE_KEYS`; it is called only for sources
    that have settings given.
    """

    names: Collection[str]
    keys: Callable[[str], Collection[str]]


class Loaded(Struct, frozen=True):
    """The settings, and for each key (`fetch.timeout_s`, `google.base_url`) where it was set."""

    config: Config
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()


class _GivenValue(Struct, frozen=True):
    """A value and the place it was given in."""

    key: str
    value: object
    where: str


class _SettingsReader(Struct):
    """Converts the notation of each place into `_GivenValue` values."""

    known: KnownSources | None
    place: str
    warnings: list[str] = field(default_factory=list)

    def file(self, path: Path, content: Mapping[str, Any]) -> Iterator[_GivenValue]:
        for name, value in content.items():
            if not isinstance(value, Mapping):
                yield self._bare(name, value, f"{path}, key {name}")
            elif name == "sources":
                for source, keys in value.items():
                    if not isinstance(keys, Mapping):
                        raise UsageError(f"{path}, key sources.{source}: must be a table")
                    yield from self._table(path, source, keys)
            else:
                yield from self._table(path, name, value)

    def _table(self, path: Path, name: str, keys: Mapping[str, Any]) -> Iterator[_GivenValue]:
        for key, value in keys.items():
            yield self.dotted(f"{name}.{key}", value, f"{path}, key {name}.{key}")

    def environ(self, environ: Mapping[str, str]) -> Iterator[_GivenValue]:
        for variable, value in sorted(environ.items()):
            upper = variable.upper()
            foreign = upper in FOREIGN_VARIABLES or upper == CONFIG_VARIABLE
            if foreign or not value or not upper.startswith(PREFIX):
                continue  # an empty variable is an unset one, as shells and containers treat it
            word, where = upper.removeprefix(PREFIX).lower(), f"environment {variable}"
            if row := by_word().get(word):
                yield _GivenValue(row.key, value, where)
            elif source := self._source_of(word):
                yield self.dotted(f"{source}.{word[len(source) + 1 :]}", value, where)
            else:
                hint = did_you_mean(word.upper(), [name.upper() for name in by_word()], PREFIX)
                self.warnings.append(f"{where} is no setting and is ignored{hint}")

    def _source_of(self, word: str) -> str | None:
        if self.known is None:
            name, _, key = word.partition("_")
            return name if key else None
        found = [name for name in self.known.names if word.startswith(f"{name}_")]
        return max(found, key=len, default=None)

    def command_line(self, cli: Mapping[str, Any]) -> Iterator[_GivenValue]:
        for name, value in cli.items():
            if name == "set":
                for text in value:
                    yield self._assignment(text)
            else:
                row = by_key().get(name) or by_word().get(name)
                if row is None:
                    hint = did_you_mean(name, by_word())
                    if name.partition(".")[0] in (self.known.names if self.known else ()):
                        hint = "; what belongs to a source goes into settings={NAME: {KEY: VALUE}}"
                    raise UsageError(f"{name!r} is no setting{hint}")
                word = row.flag if row.flag and self.place == COMMAND_LINE else name
                yield _GivenValue(row.key, value, f"{self.place} {word}")

    def _assignment(self, text: str) -> _GivenValue:
        name, separator, value = text.partition("=")
        if not separator:
            raise UsageError(f"--set {text}: must read NAME=VALUE, such as google.enabled=true")
        where = f"{self.place} --set {name.strip()}"
        name = name.strip().lower()
        return self.dotted(name, value, where) if "." in name else self._bare(name, value, where)

    def _bare(self, name: str, value: object, where: str) -> _GivenValue:
        row = by_word().get(name.replace("-", "_"))
        if row is None:
            choices = [*by_word(), *(self.known.names if self.known else ())]
            raise UsageError(f"{where}: no such setting{did_you_mean(name, choices)}")
        return _GivenValue(row.key, value, where)

    def dotted(self, name: str, value: object, where: str) -> _GivenValue:
        """Resolve a dotted name: `fetch.timeout`, `google.base_url`, `sources.google.base_url`."""
        group, _, key = name.removeprefix("sources.").replace("-", "_").partition(".")
        if group in _TABLES:
            words = {word: row for row in table() if row.group == group for word in row.words}
            if key not in words:
                hint = did_you_mean(key, words, f"{group}.")
                raise UsageError(f"{where}: no such setting{hint}")
            return _GivenValue(words[key].key, value, where)
        self._check_source(group, key, where)
        return _GivenValue(f"{group}.{key}", value, where)

    def _check_source(self, source: str, key: str, where: str) -> None:
        if self.known is None:
            return
        if source not in self.known.names:
            hint = did_you_mean(source, [*self.known.names, *_TABLES])
            raise UsageError(f"{where}: no source or group is called {source!r}{hint}")
        keys = list(dict.fromkeys((*SOURCE_KEYS, *self.known.keys(source))))
        if key not in keys:
            hint = did_you_mean(key, keys, f"{source}.") or f"; there are: {', '.join(keys)}"
            raise UsageError(f"{where}: source {source} has no setting {key!r}{hint}")


def load(
    cli: Mapping[str, Any],
    *,
    environ: Mapping[str, str],
    config_file: str | Path | None = None,
    user_file: Path | None = None,
    known: KnownSources | None = None,
    place: str = COMMAND_LINE,
) -> Loaded:
    """Load and merge the settings of all places.

    Args:
        cli: setting (`fetch.timeout_s`, `timeout_s`, `timeout`) to text, to a native value, or to a
            list for a repeatable one; `set` to a list of `NAME=VALUE`.
        environ: the environment.
        config_file: the file named by `--config`; else by `PIXTRAWL_CONFIG`. It must exist.
        user_file: the user's own file, which need not exist; None: at the system's usual place.
        known: the existing sources; None accepts every name.
        place: the name of `cli` in errors and origins, where it is not a command line.

    Raises:
        UsageError: a value is wrong; the message names its place.
    """
    reader = _SettingsReader(known, place)
    given: list[_GivenValue] = []
    own = user_file or user_config_path()
    if own.is_file():
        given += reader.file(own, _toml(own, "file"))
    chosen = config_file or environ.get(CONFIG_VARIABLE)
    if chosen:
        named_by = "--config" if config_file else f"environment {CONFIG_VARIABLE}"
        given += reader.file(Path(chosen), _toml(Path(chosen), named_by))
    given += reader.environ(environ)
    given += reader.command_line(cli)
    return _merge(given, tuple(reader.warnings))


def change(base: Config, values: Mapping[str, Any], *, known: KnownSources, place: str) -> Config:
    """Return `base` with settings replaced (as `load`'s `cli`); errors name `place` as origin.

    Raises:
        UsageError: a value that cannot be, or settings in `base` of a source that does not exist.
    """
    reader = _SettingsReader(known, place)
    for source in base.sources:
        if source not in known.names:
            hint = did_you_mean(source, known.names)
            raise UsageError(f"config: no source is called {source!r}{hint}")
    return _merge(list(reader.command_line(values)), (), base).config


def registered_sources() -> KnownSources:
    """Return the installed sources with the settings of each.

    By name: their package lies above this one, and knows what settings look like.
    """
    from importlib import import_module

    sources = import_module("pixtrawl.sources")
    return KnownSources(
        sources.available(), lambda name: [s.key for s in sources.load(name).info.settings]
    )


def _merge(
    given: list[_GivenValue], warnings: tuple[str, ...], base: Config | None = None
) -> Loaded:
    """Merge the values; later ones win, and overridden ones are checked as well."""
    base = base or Config()
    origins = {row.key: DEFAULT_ORIGIN for row in table()}
    groups: dict[str, dict[str, Any]] = {name: {} for name in _TABLES}
    sources: dict[str, dict[str, str]] = {n: dict(own) for n, own in base.sources.items()}
    for item in given:
        group, _, name = item.key.partition(".")
        row = by_key().get(item.key)
        if row is not None:
            groups[group][name] = _value(row, item)
        else:
            sources.setdefault(group, {})[name] = _source_text(item)
        origins[item.key] = item.where
    config = Config(
        **{name: replace(getattr(base, name), **groups[name]) for name in GROUPS},
        filters=structs.replace(base.filters, **groups[FILTERS_GROUP]),
        sources=sources,
    )
    return Loaded(config, origins, warnings)


def _value(row: Setting, item: _GivenValue) -> Any:
    if item.value is None:  # from Python only: counts as not given, except limit=None
        return None if row.parse is parse.limit else row.default
    if row.repeat:
        many = item.value if isinstance(item.value, list | tuple) else [item.value]
        # no repeatable setting holds commas, and the environment has no other way to list
        texts = [part.strip() for one in many for part in _text(one, item).split(",")]
        return tuple(_parsed(row, text, item) for text in texts if text)
    if isinstance(item.value, list | tuple):
        if row.parse is not parse.size_px or len(item.value) != 2:
            raise UsageError(f"{item.where}: takes one value, not a list")
        return _parsed(row, "x".join(_text(part, item) for part in item.value), item)
    return _parsed(row, _text(item.value, item), item)


def _parsed(row: Setting, text: str, item: _GivenValue) -> Any:
    try:
        value = row.parse(text)
    except ValueError as error:
        raise UsageError(f"{item.where}: {error}") from None
    if row.choices is not None:
        value = value.strip().lower()
        if value not in row.choices:
            hint = did_you_mean(value, row.choices) or f"; choose from {', '.join(row.choices)}"
            raise UsageError(f"{item.where}: {text!r} is not one of its values{hint}")
    return value


def _text(value: object, item: _GivenValue) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise UsageError(f"{item.where}: cannot be a {type(value).__name__}")


def _source_text(item: _GivenValue) -> str:
    if isinstance(item.value, list | tuple):
        return ",".join(_text(part, item) for part in item.value)
    return _text(item.value, item)


def _toml(path: Path, named_by: str) -> Mapping[str, Any]:
    import tomllib  # 6 ms, and most have no such file

    try:
        # utf-8-sig: editors on Windows still write the mark
        return tomllib.loads(path.read_text("utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{named_by} {path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{named_by} {path}: no valid TOML: {error}") from None


def user_config_path() -> Path:
    """Return the path of the user's own settings file on this system; it need not exist."""
    return user_folder("config") / "config.toml"


def did_you_mean(word: str, choices: Collection[str], prefix: str = "") -> str:
    """Return `; did you mean --limit?`, to append to an error, or an empty string."""
    from difflib import get_close_matches  # only in an error

    found = get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f"; did you mean {prefix}{found[0]}?" if found else ""
