"""Sources declare what a replay of one saved page needs beside it; the reader names none."""

from __future__ import annotations

import re
from pathlib import Path

from pixtrawl import sources
from pixtrawl.sources import contract, replay
from pixtrawl.sources.api.lists import ListingSource
from pixtrawl.sources.base import ReplayHints

ROOM = Path(replay.__file__).parent


def test_replay_and_contract_name_no_source() -> None:
    for path in (*ROOM.glob("*.py"), Path(contract.__file__)):
        quoted = set(re.findall(r"[\"']([a-z_]+)[\"']", path.read_text("utf-8")))
        assert not quoted & (set(sources.available()) - {"page", "urls"}), path


def test_hints_are_declared_by_the_sources_and_say_something() -> None:
    declared = {name: getattr(sources.load(name), "replay", None) for name in sources.available()}
    hints = {name: hint for name, hint in declared.items() if hint is not None}
    assert hints
    for name, hint in hints.items():
        assert isinstance(hint, ReplayHints), name
        assert hint != ReplayHints(), name
    for name, hint in hints.items():
        if hint.behind:  # asked behind the page of one record, which a list has to lead to
            assert issubclass(sources.load(name), ListingSource)
            assert hint.front
