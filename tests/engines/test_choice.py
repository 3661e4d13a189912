"""The engine that a job gets where its settings leave the choice."""

from __future__ import annotations

import pytest

from pixtrawl.engines.choice import LARGE_JOB, choose


@pytest.mark.parametrize(
    ("named", "expected", "cores", "engine"),
    [
        ("auto", LARGE_JOB, 7, "processes"),
        ("auto", LARGE_JOB, 6, "local"),
        ("auto", LARGE_JOB - 1, 64, "local"),
        ("auto", 0, 64, "local"),
        ("local", 10**9, 64, "local"),
        ("processes", 1, 1, "processes"),
    ],
)
def test_many_cores_and_a_large_job_choose_processes_and_a_named_engine_stays(
    named: str, expected: int, cores: int, engine: str
) -> None:
    assert choose(named, expected, cores) == engine
