"""A decorator whose error for a misspelt keyword argument names the nearest valid one."""

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
    """Raise ArgumentError, with the nearest valid name, at calls with an unknown keyword."""
    words = list(inspect.signature(function).parameters)

    @wraps(function)
    def call(*positional: P.args, **keywords: P.kwargs) -> T:
        for name in keywords:
            if name not in words:
                hint = did_you_mean(name, words)
                raise ArgumentError(f"{function.__name__}() has no argument {name!r}{hint}")
        return function(*positional, **keywords)

    return call
