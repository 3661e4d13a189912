"""The playground and a search page, for runs of the real command."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pixtrawl.playground import Playground
from tests.script_defects.script_runs import LIMIT, QUERIES, Ran, google, pixtrawl


@pytest.fixture(scope="session")
def site() -> Iterator[Playground]:
    faults = ("html-as-jpg", "short-body")
    mix = {"fault": 0.15, "exact_duplicate": 0.1, "thumbnail": 0.1}
    with Playground(supply=16, faults=faults, mix=mix, patience=0.3) as running:
        yield running
        assert running.errors == []


@pytest.fixture(scope="session")
def ran(site: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`pixtrawl run queries.csv -s google` as a user of the script would start it, for all tests here."""
    work = tmp_path_factory.mktemp("script")
    (work / "queries.csv").write_text("".join(f"{q}\n" for q in (*QUERIES, "tabby cat")))
    before = len(site.requests)
    run = pixtrawl(
        "run", "queries.csv", *google(site, "2021"), "-n", str(LIMIT),
        folder=work / "deep" / "er" / "images", cwd=work,
    )  # fmt: skip
    run.requests = site.requests[before:]
    return run
