"""The `pixtrawl` command: dispatch to the subcommand, and map every error to an exit code.

Imports only the requested subcommand, which imports its heavy parts when it runs, so that
`--version` and `--help` are fast.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from pixtrawl import __version__
from pixtrawl.cli.surroundings import give_up_stderr, heed_sigterm, open_streams, speak_utf8
from pixtrawl.display.terminal import guard_terminal, visible
from pixtrawl.engines.event_loop import SWITCH_S, use_batch_scheduling
from pixtrawl.errors import (
    EXIT_ENVIRONMENT,
    EXIT_INTERRUPTED,
    EXIT_OK,
    EXIT_UNEXPECTED,
    PixtrawlError,
    UsageError,
    innermost,
)

if TYPE_CHECKING:
    from argparse import Namespace


# A command and its summary; the module of that name in pixtrawl.cli.commands carries it out.
COMMANDS: Final[Mapping[str, str]] = {
    "run": "find, download, check and de-duplicate images",
    "discover": "find image URLs and write them to a manifest",
    "download": "download the URLs of a manifest or list",
    "export": "write a data set in another format",
    "publish": "send a data set to the Hugging Face Hub",
    "report": "show the outcome of every query and URL of a data set",
    "reject": "refuse images; a run finds others in their place",
    "label": "put images under another label",
    "caption": "show, write or change captions of images",
    "dedup": "list near duplicates and bring some back",
    "score": "score images by a model, into columns",
    "relevance": "score images against their queries",
    "like": "mark images as wanted, and order the others by them",
    "unlike": "refuse images, and order the others by them",
    "audit": "check classes: wrong labels, overlaps, bias",
    "search": "find images by words or by likeness",
    "takedown": "remove images and never fetch them again",
    "restore": "bring back images that were removed",
    "undo": "take back the last decision",
    "steer": "pause, resume or stop a run, or let it find more",
    "studio": "see, steer and clean data sets in the browser",
    "mcp": "let an assistant collect and clean data sets",
    "lock": "write a recipe of a data set, or rebuild it from one",
    "merge": "join data sets without downloading",
    "verify": "check that every image is there and unaltered",
    "cluster": "prepare and look after jobs on many machines",
    "worker": "carry out shards of a job, as one of many",
    "sources": "list the sources and what each needs",
    "doctor": "check browser, network, disk and settings",
    "playground": "serve the offline practice site",
    "completion": "print a completion script for your shell",
    "config": "show every setting, its value and where it was set",
}

_DECODING: Final = frozenset({"run", "download"})
_NOT_DECODING: Final = ("-h", "--h", "--dry", "--check")
# Objects: more than a start makes. A run looks sooner (cli.loop).
_GC_AFTER_STARTING: Final = 200_000


def entry() -> int:
    """Run the console script. Return the exit code."""
    open_streams()
    speak_utf8()
    heed_sigterm()
    # Imports leave no reference cycles; collecting takes 5 ms of the start.
    gc.set_threshold(_GC_AFTER_STARTING)
    sys.setswitchinterval(SWITCH_S)
    try:
        return main(sys.argv[1:])
    finally:
        give_up_stderr()
        gc.freeze()  # skips the final collection: 6 of the 16 ms of the exit


def main(arguments: Sequence[str]) -> int:
    """Run the command with these arguments and return the exit code. Never raises."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a Latin-1 terminal, a Thai query
    guard_terminal()
    try:
        return _dispatch(list(arguments))
    except KeyboardInterrupt:
        return _say("interrupted", EXIT_INTERRUPTED)
    except BrokenPipeError:  # the reader of our output went away; printing more would raise again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_UNEXPECTED
    except UsageError as error:
        return _say(str(error), error.exit_code)
    except Exception as error:  # noqa: BLE001 - the last stand: one line, and the trace in a file
        return _failed(error, arguments)


def _dispatch(arguments: list[str]) -> int:
    first = arguments[0] if arguments else ""
    if first in {"-V", "--version"}:
        sys.stdout.write(f"pixtrawl {__version__}\n")
        return EXIT_OK
    if first in {"-h", "--help", "help"}:
        if len(arguments) > 1 and first == "help":
            return _dispatch([arguments[1], "--help"])
        sys.stdout.write(help_text())
        return EXIT_OK
    if not arguments:
        sys.stderr.write(help_text())
        return UsageError.exit_code
    if first not in COMMANDS:
        raise UsageError(_unknown(first))
    return _run(first, arguments[1:])


def _run(name: str, arguments: list[str]) -> int:
    if name in _DECODING:
        use_batch_scheduling()
    with _decoders_started_early(name, arguments):
        from importlib import import_module

        from pixtrawl.cli.parser import Parser

        module = import_module(f"pixtrawl.cli.commands.{name}")
        subparsers = Parser(prog="pixtrawl").add_subparsers()
        module.add_parser(subparsers)
        try:
            parsed = subparsers.choices[name].read(arguments)
        except SystemExit as end:  # --help has been printed
            return int(end.code or 0)
        with _disk_trouble_told(parsed):
            return int(module.main(parsed) or EXIT_OK)


@contextmanager
def _decoders_started_early(name: str, arguments: list[str]) -> Iterator[None]:
    """Start the decoder program while modules are imported and settings are read.

    Guesses from the arguments whether it is needed; a wrong guess costs an unused process.
    """
    is_needed = name in _DECODING and not any(word.startswith(_NOT_DECODING) for word in arguments)
    if not is_needed or _decodes_elsewhere(arguments):
        yield
        return
    from pixtrawl.images.decoders import program

    program.head_start()
    try:
        yield
    finally:
        program.abandon()


def _decodes_elsewhere(arguments: list[str]) -> bool:
    """Return whether the engine named here has workers, which start decoders of their own."""
    from pixtrawl.engines.choice import may_decode_here

    for word, following in pairwise([*arguments, ""]):
        option, _, value = word.partition("=")
        if option == "--engine":
            return not may_decode_here(value or following)
    return False


@contextmanager
def _disk_trouble_told(parsed: Namespace) -> Iterator[None]:
    """Add to disk errors how many images of the data set are safe."""
    try:
        yield
    except UsageError:
        raise
    except Exception as error:
        names = (getattr(parsed, name, None) for name in ("dataset", "folder", "output"))
        root = next((name for name in names if isinstance(name, str)), None)
        if root is None or getattr(error, "is_explained", False):
            raise
        from pixtrawl.folder.dataset_folder import Folder
        from pixtrawl.folder.disk_trouble import explained_disk_errors

        with explained_disk_errors(Folder(root)):
            raise


def _unknown(word: str) -> str:
    from pixtrawl.config.load import did_you_mean

    if word.startswith("-"):
        return (
            f"options stand behind a command: pixtrawl run QUERIES {word} (see `pixtrawl --help`)"
        )
    hint = did_you_mean(word, list(COMMANDS))
    hint = hint or f"; to look for it: pixtrawl run {word!r}"
    return f"{word!r} is no command{hint}"


def help_text() -> str:
    """Return the text of `pixtrawl --help`."""
    from pixtrawl.cli.exit_codes import exit_code_lines

    width = max(map(len, COMMANDS))
    return "\n".join(
        [
            "usage: pixtrawl COMMAND [OPTIONS]",
            "",
            "From a list of keywords to an image data set that can be trained on.",
            "",
            "commands:",
            *(f"  {name:{width + 3}}  {summary}" for name, summary in COMMANDS.items()),
            "",
            "examples:",
            "  pixtrawl run 'tabby cat' 'golden retriever' -n 100",
            "  pixtrawl run queries.csv -o images",
            "",
            "options:",
            f"  {'-h, --help':{width + 3}}  show this help; also `pixtrawl COMMAND --help`",
            f"  {'-V, --version':{width + 3}}  show the version",
            "",
            "exit codes:",
            *exit_code_lines(),
            "",
            "environment: PIXTRAWL_<SETTING>, PIXTRAWL_CONFIG, PIXTRAWL_CHROME, SSL_CERT_FILE,",
            "  HTTP_PROXY, HTTPS_PROXY, NO_PROXY, NO_COLOR",
            "",
        ]
    )


def _say(message: str, code: int) -> int:
    from pixtrawl.display.screen import clean

    with suppress(OSError):  # there is nowhere to write to; the exit code is set all the same
        sys.stderr.write(f"pixtrawl: {clean(message) or 'stopped'}\n")
    return code


def _failed(error: Exception, arguments: Sequence[str]) -> int:
    """Report an error of the environment or an unexpected one. Return the exit code."""
    from pixtrawl.folder.disk_trouble import cause_of, sentence

    known = innermost(error)
    is_complete = getattr(known, "is_explained", False)
    if not is_complete and (cause := cause_of(error)) is not None:
        return _say(sentence(cause), EXIT_ENVIRONMENT)
    if isinstance(known, PixtrawlError):
        return _say(str(known), known.exit_code)
    from pixtrawl.cli.crash import keep_trace, trace

    if any(word.startswith("-vv") for word in arguments) or "--verbose" in arguments:
        sys.stderr.write(visible(trace(error)))
        where = "trace above"
    else:
        where = f"trace in {keep_trace(error)}"
    return _say(f"unexpected {type(error).__name__}: {error} ({where})", EXIT_UNEXPECTED)
