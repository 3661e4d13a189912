"""What a run would do, as values; built without the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from pixtrawl.config.groups import Config, Job
from pixtrawl.errors import UsageError
from pixtrawl.model import Filters, Query
from pixtrawl.operations.estimate import estimate
from pixtrawl.operations.plan import plan, plan_lists
from tests.life.sets import pets
from tests.pipeline.pictures import Host, saved, scene, serving


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    with serving(saved(scene, 20)) as running:
        yield running


def config(tmp_path: Path, *sources: str, **filters: str) -> Config:
    job = Job(output=str(tmp_path / "set"), sources=sources)
    return Config(job=job, filters=Filters(**filters))


def test_a_plan_names_queries_sources_and_filters_that_a_source_cannot_do(tmp_path: Path) -> None:
    found = plan([Query("cat", "cat", 5)], config(tmp_path, "bing", "met", color="red"))
    assert [(q.query, q.label, q.wanted) for q in found.queries] == [("cat", "cat", 5)]
    assert [source.name for source in found.sources] == ["bing", "met"]
    assert found.sources[0].not_filtered == ()
    assert found.sources[1].not_filtered == ("color",)
    assert json.loads(msgspec.json.encode(found))["dry_run"] is True
    assert not (tmp_path / "set").exists()


def test_an_unknown_source_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nosuch"):
        plan([Query("cat", "cat", 5)], config(tmp_path, "nosuch"))


def test_lists_are_counted_by_query_and_bad_lines_are_reported(tmp_path: Path) -> None:
    manifest = tmp_path / "urls.jsonl"
    rows = [{"query": "cat", "label": "cat", "url": f"http://a.example/{n}.jpg"} for n in range(3)]
    manifest.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{torn\n")
    found = plan_lists([str(manifest)], config(tmp_path), wanted=2)
    assert [(one.query, one.urls, one.wanted) for one in found.queries] == [("cat", 3, 2)]
    assert len(found.bad) == 1


def test_a_new_data_set_gives_no_estimate(tmp_path: Path) -> None:
    assert estimate(str(tmp_path / "set"), [Query("cat", "cat", 5)]) is None


def test_an_estimate_follows_from_what_earlier_runs_came_to(tmp_path: Path, host: Host) -> None:
    root = pets(tmp_path, host)  # ten of each
    found = estimate(str(root), [Query("cat", "cat", 15), Query("dog", "dog", 10)])
    assert found is not None
    assert found.images == 5  # ten cats are there, and all dogs
    assert found.candidates == 5  # each of the twenty became an image
    total = sum(len(answer) for answer in host.answers.values())
    assert found.fetched_bytes == pytest.approx(total / 20 * 5, rel=0.01)
    assert found.seconds is not None
    assert found.seconds > 0
    assert estimate(str(root), [Query("cat", "cat", None)]) is None
