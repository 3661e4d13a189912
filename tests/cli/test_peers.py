"""Options as other tools call them, and as people misspell them."""

from __future__ import annotations

import pytest

from pixtrawl.cli.commands.completion import commands
from pixtrawl.cli.main import main
from pixtrawl.cli.peers import PEERS, meant
from pixtrawl.errors import EXIT_USAGE

OURS = {name for option in commands()["run"].options for name in option.names}

RIGHT = {
    "--sleep": "--delay", "--wait": "--delay", "--sleep-interval": "--delay", "--pause-s": "--delay",
    "--threads": "--concurrency", "-j": "--concurrency", "-j8": "--concurrency",
    "--max-workers": "--concurrency", "--num_threads": "--concurrency", "--parallel": "--concurrency",
    "-l": "--limit", "--max-num": "--limit", "--max_num": "--limit", "--count": "--limit",
    "--num-images": "--limit", "--limti": "--limit", "--Limit": "--limit",
    "-d": "--output", "--dest": "--output", "--output_dir": "--output", "--out": "--output",
    "--save-folder": "--output", "--outptu": "--output",
    "--simulate": "--dry-run", "--write-log": "--log", "--logfile": "--log",
    "--search-engine": "--source", "--usage_rights": "--license", "--license-type": "--license",
    "--language": "--lang", "--image-size": "--resize", "--safe_search": "--safe",
    "--http-timeout": "--timeout", "--rate": "--limit-rate", "--concurency": "--concurrency",
    "--respect-robots": "--ignore-robots", "--max-retries": "--retries", "--min-width": "--min-size",
}  # fmt: skip
SENTENCES = {
    "--keywords": "pixtrawl run 'tabby cat'", "-k": "pixtrawl run 'tabby cat'",
    "--no-download": "pixtrawl discover", "--no_download": "pixtrawl discover",
    "-g": "pixtrawl discover", "--input-file": "word behind the command",
    "--url-list": "pixtrawl download", "--continue": "same command goes on",
    "--no-check-certificate": "SSL_CERT_FILE", "--chromedriver": "PIXTRAWL_CHROME",
}  # fmt: skip


@pytest.mark.parametrize("typed", RIGHT)
def test_an_option_is_known_by_what_was_meant(typed: str) -> None:
    assert meant(typed, OURS) == f"; did you mean {RIGHT[typed]}?"


@pytest.mark.parametrize("typed", SENTENCES)
def test_what_is_done_otherwise_here_is_said(typed: str) -> None:
    assert SENTENCES[typed] in meant(typed, OURS)


@pytest.mark.parametrize("typed", ["--zzz", "-z", "--frobnicate", "--"])
def test_where_nothing_is_alike_nothing_is_suggested(typed: str) -> None:
    assert meant(typed, OURS) == ""


def test_no_hint_leads_to_an_option_that_is_not_there() -> None:
    for typed, hint in PEERS.items():
        assert typed not in OURS, f"{typed} is an option of ours"
        if hint.startswith("--"):
            assert hint.split()[0] in OURS, typed
    download = {name for option in commands()["download"].options for name in option.names}
    for typed in PEERS:
        told = meant(typed, download).partition("did you mean ")[2].rstrip("?")
        assert not told or told in download, typed


@pytest.mark.parametrize("typed", ["--sleep", "-l", "--keywords", "-d"])
def test_the_error_is_one_line_with_the_hint(
    typed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["discover", "cat", typed]) == EXIT_USAGE
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert f"unknown option {typed}; " in error
