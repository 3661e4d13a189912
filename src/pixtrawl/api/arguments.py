"""Types of the functions' arguments, and their conversion to settings.

Signatures show the real defaults, but a default must not override `config=`, a file of settings or
the environment. So `front_door` passes `AS_CONFIGURED` for every setting that was not given.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar, cast

from pixtrawl.config.groups import Config
from pixtrawl.config.load import change, did_you_mean, registered_sources
from pixtrawl.config.table import by_word
from pixtrawl.errors import ArgumentError
from pixtrawl.model import Query

P = ParamSpec("P")
T = TypeVar("T")

# Words, numbers, paths, dicts, tables of pandas, polars and pyarrow: `pixtrawl.inputs` reads them.
Queries = str | int | Query | Path | Iterable[Any]
Lists = str | Path | Iterable[Any]
# Settings of sources: {"bing": {"delay_s": 2}}, or {"bing.delay_s": 2}.
SourceSettings = Mapping[str, Any]
Size = str | int | tuple[int, int]  # pixels

Expand = Literal["off", "filters", "related", "synonyms", "drift"]
Durability = Literal["batch", "none"]
Engine = Literal["auto", "local", "processes"]
Retry = Literal["transient", "failed", "none"]
Check = Literal["full", "none"]
Junk = Literal["auto", "drop", "keep"]
Conflict = Literal["keep", "first", "drop"]
Dedup = Literal["strict", "near", "wide", "exact", "off"]
Color = Literal[
    "color", "gray", "transparent", "red", "orange", "yellow", "green", "teal", "blue", "purple",
    "pink", "white", "black", "brown",
]  # fmt: skip
PictureType = Literal["photo", "clipart", "lineart", "animated", "face"]
Aspect = Literal["square", "wide", "tall"]
Purpose = Literal["train", "search"]
Safe = Literal["off", "moderate", "strict"]

AS_CONFIGURED: Final = object()
_PLACE: Final = "argument"
_BESIDE: Final = ("config", "set", "settings")


def front_door(function: Callable[P, T]) -> Callable[P, T]:
    """Mark the settings that a call leaves out, and check its keywords.

    Raises:
        ArgumentError: at a call with an unknown keyword; the message names the nearest one.
    """
    words = list(inspect.signature(function).parameters)

    def complete(keywords: Mapping[str, Any]) -> dict[str, Any]:
        for name in keywords:
            if name not in words:
                raise ArgumentError(_unknown(function.__name__, name, words))
        settings = {word: AS_CONFIGURED for word in words if word in by_word()}
        return {**settings, **keywords}

    if inspect.iscoroutinefunction(function):
        wanted = cast("Callable[..., Any]", function)

        @wraps(function)
        async def later(*positional: Any, **keywords: Any) -> Any:
            return await wanted(*positional, **complete(keywords))

        return cast("Callable[P, T]", later)

    @wraps(function)
    def now(*positional: Any, **keywords: Any) -> Any:
        return cast("Callable[..., Any]", function)(*positional, **complete(keywords))

    return cast("Callable[P, T]", now)


def _unknown(function: str, name: str, words: Sequence[str]) -> str:
    text = f"{function}() has no argument {name!r}"
    row = by_word().get(name)
    if row is not None and row.word in words:
        return f"{text}; it is called {row.word}"
    if row is not None:
        return (
            f"{text}: as a setting it goes into config=, or here as "
            f'set=["{row.group}.{row.name}=VALUE"]'
        )
    if name in registered_sources().names:
        return f"{text}; what belongs to a source goes into settings={{NAME: {{KEY: VALUE}}}}"
    return f"{text}{did_you_mean(name, words)}"


def given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that the caller gave, and the arguments in `_BESIDE`."""
    return {
        name: value
        for name, value in arguments.items()
        if (name in by_word() or name in _BESIDE) and value is not AS_CONFIGURED
    }


def configured(arguments: Mapping[str, Any]) -> Config:
    """Return the settings of a call: `config` or `Config.load()`, changed by the arguments.

    Raises:
        UsageError: an unknown setting or an invalid value.
    """
    values = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in arguments.items()
        if name not in _BESIDE
    }
    values["set"] = [*_pairs(arguments["set"]), *_pairs(arguments["settings"] or {})]
    base = arguments["config"]
    if base is None:
        base = Config.load()
    elif not isinstance(base, Config):
        raise ArgumentError(
            f"config is {type(base).__name__} and no Config: Config.load({str(base)[:60]!r}) reads "
            "a file of settings"
        )
    return change(base, values, known=registered_sources(), place=_PLACE)


def _pairs(settings: Mapping[str, Any] | Iterable[str] | str) -> Iterator[str]:
    """Yield words for `--set`.

    Accepts {"bing": {"delay_s": 2}}, {"bing.delay_s": 2} or ["bing.delay_s=2"].
    """
    if not isinstance(settings, Mapping):
        yield from (settings,) if isinstance(settings, str) else settings
        return
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{key}={inner}" for key, inner in value.items())
        else:
            yield f"{name}={os.fspath(value) if isinstance(value, os.PathLike) else value}"
