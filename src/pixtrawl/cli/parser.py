"""argparse with our manners: one line for an error, did-you-mean, options anywhere."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from pixtrawl.errors import UsageError


class HelpFormatter(argparse.HelpFormatter):
    """Plain text, wide enough for our options."""

    def __init__(self, prog: str, **keywords: Any) -> None:
        super().__init__(prog, **{"max_help_position": 30, **keywords})

    def _format_action_invocation(self, action: argparse.Action) -> str:
        # `-n, --limit N` rather than `-n N, --limit N, --num N`
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        placeholder = self._format_args(action, self._get_default_metavar_for_optional(action))
        return f"{', '.join(action.option_strings)} {placeholder}"


class Parser(argparse.ArgumentParser):
    """Raises UsageError in place of printing the usage and ending the process."""

    def __init__(self, **keywords: Any) -> None:
        keywords.setdefault("formatter_class", HelpFormatter)
        keywords.setdefault("allow_abbrev", False)  # --li meaning --limit today, --license tomorrow
        super().__init__(**keywords)

    def error(self, message: str) -> NoReturn:
        """Called by argparse for every mistake it finds."""
        raise UsageError(f"{message} (see `{self.prog} --help`)")

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parses with options and operands in any order. Raises UsageError."""
        operands_first = any(
            action.nargs in {argparse.PARSER, argparse.REMAINDER}
            for action in self._get_positional_actions()
        )
        if operands_first:
            parsed, extras = self.parse_known_args(arguments)
        else:
            parsed, extras = self.parse_known_intermixed_args(arguments)
        if extras:
            self._refuse(extras)
        return parsed

    def _refuse(self, extras: Sequence[str]) -> NoReturn:
        for extra in extras:
            if extra.startswith("-") and extra != "-":
                from pixtrawl.config.load import did_you_mean

                name = extra.partition("=")[0]
                self.error(
                    f"unknown option {name}{did_you_mean(name, self._option_string_actions)}"
                )
        self.error(f"unexpected {extras[0]!r}")
