"""`pixtrawl completion`: a script that completes commands, options and their values in a shell.

Generated from the argument parsers of this version. The words are in the script: completing runs no
program.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from pixtrawl.config.table import by_key

_HOW: Final = """\
  bash  pixtrawl completion bash > ~/.local/share/bash-completion/completions/pixtrawl
  zsh   pixtrawl completion zsh > "${fpath[1]}/_pixtrawl"      (any folder in $fpath)
  fish  pixtrawl completion fish > ~/.config/fish/completions/pixtrawl.fish
"""


class Option(Struct, frozen=True):
    """One option of a command."""

    names: tuple[str, ...]
    sentence: str
    takes_value: bool
    choices: tuple[str, ...]  # of its value; none: any word, or a file


class DescribedCommand(Struct, frozen=True):
    """One command: what it is for, its options, the words it takes."""

    sentence: str
    options: tuple[Option, ...]
    words: tuple[str, ...]  # choices of its operands


def add_parser(subparsers: Any) -> None:
    """Register the command."""
    parser = subparsers.add_parser(
        "completion",
        usage="%(prog)s {bash,zsh,fish}",
        help="completion for a shell",
        description=f"Write a completion script to standard output.\n\n{_HOW}",
    )
    parser.add_argument("shell", metavar="SHELL", choices=sorted(_SHELLS), help="bash, zsh or fish")


def main(arguments: argparse.Namespace) -> int:
    """Run the command. Return the exit code."""
    from pixtrawl.display.screen import out

    out(_SHELLS[arguments.shell](commands()))
    return 0


def commands() -> dict[str, DescribedCommand]:
    """Return every command with its options, from the parsers."""
    from importlib import import_module

    from pixtrawl.cli.main import COMMANDS
    from pixtrawl.cli.parser import Parser

    found = {}
    for name, summary in COMMANDS.items():
        subparsers = Parser(prog="pixtrawl").add_subparsers()
        import_module(f"pixtrawl.cli.commands.{name}").add_parser(subparsers)
        found[name] = _described(summary, subparsers.choices[name])
    return found


def _described(sentence: str, parser: argparse.ArgumentParser) -> DescribedCommand:
    options: list[Option] = []
    words: list[str] = []
    for action in parser._actions:
        choices = _choices(action)
        if action.option_strings:
            names, takes = tuple(action.option_strings), action.nargs != 0
            options.append(Option(names, (action.help or "").replace("%%", "%"), takes, choices))
        else:
            words += choices
    return DescribedCommand(sentence, tuple(options), tuple(words))


def _choices(action: argparse.Action) -> tuple[str, ...]:
    if action.dest == "job.sources":
        from pixtrawl import sources

        return tuple(sorted({*sources.available(), *sources.GROUPS}))
    if action.choices is not None:
        return tuple(str(one) for one in action.choices)
    if action.dest in {"to", "export.to"}:
        from pixtrawl.exporters import FORMATS

        return tuple(FORMATS)
    row = by_key().get(action.dest)  # settings are checked by `load`, which names the place
    return row.choices or () if row is not None else ()


# -- shells


def _bash(found: Mapping[str, DescribedCommand]) -> str:
    options = "\n".join(
        f"    {name}) words={_quoted(' '.join(_names(one)))}"
        f" operands={_quoted(' '.join(one.words))} ;;"
        for name, one in found.items()
    )
    values = "\n".join(
        f"    {key}) values={words} ;;"
        for name, one in found.items()
        for key, words in _values(name, one)
    )
    return f"""\
# Completion of pixtrawl for bash. Made by `pixtrawl completion bash`.
_pixtrawl() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}}
  # bash takes --option=value apart at the equals sign
  if [ "$current" = = ]; then
    current=
  elif [ "$before" = = ]; then
    before=${{COMP_WORDS[COMP_CWORD-2]}}
  fi
  local words= operands= values= takes=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W {_quoted(" ".join([*found, "--help", "--version"]))} -- "$current"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{options}
  esac
  case "${{COMP_WORDS[1]}}:$before" in
{values}
{_takers(found)}
  esac
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [ -z "$takes" ]; then
    case "$current" in
      -*) COMPREPLY=($(compgen -W "$words" -- "$current")) ;;
      *) COMPREPLY=($(compgen -W "$operands" -- "$current")) ;;
    esac
  fi
}}
# files where nothing else fits
complete -o default -o bashdefault -F _pixtrawl pixtrawl"""


def _takers(found: Mapping[str, DescribedCommand]) -> str:
    """Return the case for options with free values, for which nothing is offered."""
    keys = [
        f"{name}:{option}"
        for name, one in found.items()
        for each in one.options
        if each.takes_value and not each.choices
        for option in each.names
    ]
    return f"    {'|'.join(keys)}) takes=1 ;;"


def _values(name: str, one: DescribedCommand) -> Iterator[tuple[str, str]]:
    for option in one.options:
        if option.choices:
            keys = "|".join(f"{name}:{each}" for each in option.names)
            yield keys, _quoted(" ".join(option.choices))


def _names(one: DescribedCommand) -> list[str]:
    return [name for option in one.options for name in option.names]


def _zsh(found: Mapping[str, DescribedCommand]) -> str:
    listed = "\n".join(f"    {_quoted(f'{n}:{_bare(one.sentence)}')}" for n, one in found.items())
    cases = "\n".join(f"    {name})\n{_zsh_case(one)}\n      ;;" for name, one in found.items())
    return f"""\
#compdef pixtrawl
# Completion of pixtrawl for zsh. Made by `pixtrawl completion zsh`.
_pixtrawl() {{
  local -a commands
  commands=(
{listed}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{cases}
  esac
}}
if [ "$funcstack[1]" = _pixtrawl ]; then
  _pixtrawl "$@"
else
  compdef _pixtrawl pixtrawl
fi"""


def _zsh_case(one: DescribedCommand) -> str:
    lines = ["      _arguments -s \\"]
    for option in one.options:
        value = ""
        if option.takes_value:
            value = f":value:({' '.join(option.choices)})" if option.choices else ":value:_files"
        for name in option.names:
            equals = "=" if value and name.startswith("--") else ""  # --option=value will do, too
            text = _quoted(f"*{name}{equals}[{_bare(option.sentence)}]{value}")
            lines.append(f"        {text} \\")
    rest = f"({' '.join(one.words)})" if one.words else "_files"
    lines.append(f"        {_quoted(f'*:word:{rest}')}")
    return "\n".join(lines)


def _fish(found: Mapping[str, DescribedCommand]) -> str:
    lines = [
        "# Completion of pixtrawl for fish. Made by `pixtrawl completion fish`.",
        # A later word may be called like a command, such as a label: only the first one counts.
        "function __pixtrawl_command",
        "  set -l words (commandline -opc)",
        '  test (count $words) -gt 1; and test "$words[2]" = "$argv[1]"',
        "end",
        "complete -c pixtrawl -n __fish_use_subcommand -f",
    ]
    for name, one in found.items():
        lines.append(
            f"complete -c pixtrawl -n __fish_use_subcommand -a {name} -d {_fish_text(one.sentence)}"
        )
        when = f"complete -c pixtrawl -n '__pixtrawl_command {name}'"
        if one.words:
            lines.append(f"{when} -f -a {_quoted(' '.join(one.words))}")
        for option in one.options:
            names = " ".join(
                f"-l {each[2:]}" if each.startswith("--") else f"-s {each[1:]}"
                for each in option.names
            )
            value = " -r" if option.takes_value else ""
            if option.choices:
                value += f" -f -a {_quoted(' '.join(option.choices))}"
            lines.append(f"{when} {names}{value} -d {_fish_text(option.sentence)}")
    return "\n".join(lines)


def _fish_text(sentence: str) -> str:
    """Quote a description for fish, where a backslash is special inside quotes too."""
    return _quoted(sentence.replace("\\", "\\\\").replace("\n", " "))


def _bare(text: str) -> str:
    """Remove the characters that are special in descriptions of zsh."""
    return " ".join("".join(" " if char in "[]:`'\\$\n" else char for char in text).split())


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


_SHELLS: Final[Mapping[str, Callable[[Mapping[str, DescribedCommand]], str]]] = {
    "bash": _bash,
    "zsh": _zsh,
    "fish": _fish,
}
