"""A misspelt keyword argument is told with the one that was meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from pixtrawl.config.load import did_you_mean
from pixtrawl.errors import ArgumentError

__all__ = ["named"]

P = ParamSpec("P")
T = TypeVar("T")


def named(function: Callable[P, T]) -> Callable[P, T]:
    """Make a call with an unknown keyword raise ArgumentError, which names the nearest one."""
    words = list(inspect.signature(function).parameters)

    @wraps(function)
    def call(*positional: P.args, **keywords: P.kwargs) -> T:
        for name in keywords:
            if name not in words:
                hint = did_you_mean(name, words)
                raise ArgumentError(f"{function.__name__}() has no argument {name!r}{hint}")
        return function(*positional, **keywords)

    return call
