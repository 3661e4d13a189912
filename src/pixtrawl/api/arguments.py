"""What the functions are given: types of their arguments, and the settings made from them.

A signature shows real defaults, but an argument that was not given is no choice: it must not win
over a `config=`, a file or the environment. `front_door` hands it on as `AS_CONFIGURED`.
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
# A source's own: {"bing": {"delay_s": 2}}, or {"bing.delay_s": 2}.
SourceSettings = Mapping[str, Any]
Size = str | int | tuple[int, int]  # pixels

Expand = Literal["off", "filters", "related", "synonyms", "drift"]
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
Safe = Literal["off", "moderate", "strict"]

AS_CONFIGURED: Final = object()
_PLACE: Final = "argument"
_BESIDE: Final = ("config", "set", "settings")


def front_door(function: Callable[P, T]) -> Callable[P, T]:
    """Tell arguments that were given from defaults, and name the nearest one to a misspelt one.

    Raises:
        ArgumentError: at a call with a keyword that is none.
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
    """The settings among the arguments of a function that its caller gave, and `_BESIDE`."""
    return {
        name: value
        for name, value in arguments.items()
        if (name in by_word() or name in _BESIDE) and value is not AS_CONFIGURED
    }


def configured(arguments: Mapping[str, Any]) -> Config:
    """What a call is to do: `config` or `Config.load()`, changed by what was given.

    Raises UsageError.
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
    """`--set` words from {"bing": {"delay_s": 2}}, {"bing.delay_s": 2} or ["bing.delay_s=2"]."""
    if not isinstance(settings, Mapping):
        yield from (settings,) if isinstance(settings, str) else settings
        return
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from (f"{name}.{key}={inner}" for key, inner in value.items())
        else:
            yield f"{name}={os.fspath(value) if isinstance(value, os.PathLike) else value}"
