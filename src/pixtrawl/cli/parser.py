"""An argument parser with one-line errors, suggestions, and options in any position."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from typing import Any, Final, NoReturn

from pixtrawl.errors import UsageError

_HELP_COLUMNS: Final = 110
# Put before each word behind `--`: parse_intermixed_args forgets about `--` in its second pass, and
# takes such a word for an option. No argument of a process can contain a NUL.
_MARK: Final = "\0"


def _marked(arguments: Sequence[str]) -> list[str]:
    if "--" not in arguments:
        return list(arguments)
    end = list(arguments).index("--")
    return [*arguments[:end], *(_MARK + word for word in arguments[end + 1 :])]


def _unmarked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unmarked(one) for one in value]
    return value.removeprefix(_MARK) if isinstance(value, str) else value


class HelpFormatter(argparse.HelpFormatter):
    """Help as plain text, wide enough for the options."""

    def __init__(self, prog: str, **keywords: Any) -> None:
        # Into a pipe wide enough for an option a line.
        columns = shutil.get_terminal_size((_HELP_COLUMNS, 24)).columns
        super().__init__(prog, **{"max_help_position": 28, "width": columns - 2, **keywords})

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # Examples stand in lines of their own.
        return "\n".join(f"{indent}{line}" for line in text.splitlines())

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # `-n, --limit N` rather than `-n N, --limit N, --num N`
        if not action.option_strings or action.nargs == 0:  # an operand, or a switch
            return super()._format_action_invocation(action)
        placeholder = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {placeholder}"


class Parser(argparse.ArgumentParser):
    """A parser that raises UsageError instead of printing the usage and exiting."""

    def __init__(self, **keywords: Any) -> None:
        keywords.setdefault("formatter_class", HelpFormatter)
        keywords.setdefault("allow_abbrev", False)  # --li meaning --limit today, --license tomorrow
        super().__init__(**keywords)

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; argparse calls this for every mistake it finds."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse options and operands in any order. Raises UsageError."""
        words = _marked(arguments)
        operands_first = any(
            action.nargs in {argparse.PARSER, argparse.REMAINDER}
            for action in self._get_positional_actions()
        )
        if operands_first:
            parsed, extras = self.parse_known_args(words)
        else:
            parsed, extras = self.parse_known_intermixed_args(words)
        if extras:
            self._refuse([extra.removeprefix(_MARK) for extra in extras])
        for name, value in vars(parsed).items():
            setattr(parsed, name, _unmarked(value))
        return parsed

    def _refuse(self, extras: Sequence[str]) -> NoReturn:
        for extra in extras:
            if extra.startswith("-") and extra != "-":
                from pixtrawl.cli.peers import meant

                name = extra.partition("=")[0]
                self.error(f"unknown option {name}{meant(name, self._option_string_actions)}")
        self.error(f"unexpected {extras[0]!r}")
