"""Every engine of the table gives the same data set."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pixtrawl
from pixtrawl import engines
from pixtrawl.config.groups import Config, Export, Fetch, Images, Job
from pixtrawl.engines.base import WorkerSpec, shard_of
from pixtrawl.errors import UsageError
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.renditions import RenditionWriter
from pixtrawl.images.rules import Rules
from pixtrawl.model import Candidate, Outcome, Reason
from pixtrawl.pipeline.opening import open_session
from pixtrawl.playground import Playground
from pixtrawl.transform import Picture

pytestmark = pytest.mark.timeout(120)
ALL = list(engines.ENGINES)
QUERY = "tabby cat"


@pytest.fixture(params=ALL)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    with Playground(supply=24, hosts=4, mix={"exact_duplicate": 0.1, "html": 0.1}) as running:
        yield running


def run(site: Playground, folder: Path, engine: str, **export: Any) -> pixtrawl.Dataset:
    config = Config(job=Job(engine=engine), export=Export(**export))
    return pixtrawl.run(
        QUERY, source="bing", settings={"bing": {"base_url": site.url}}, output=folder,
        allow_address="127.0.0.0/8", limit=None, config=config,
    )  # fmt: skip


def outcomes(ds: pixtrawl.Dataset) -> tuple[dict[str, int], set[str]]:
    return dict(ds.report["reasons"]), {image.info.sha256 for image in ds}


@pytest.fixture(scope="module")
def expected(site: Playground, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return outcomes(run(site, tmp_path_factory.mktemp("local") / "set", "local"))


def test_every_engine_ends_with_the_same_outcomes_files_and_renditions(
    engine: str, site: Playground, expected: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: dict[str, Picture] = {}
    put = RenditionWriter.put

    def noting(writer: RenditionWriter, sha256: str, picture: Picture) -> None:
        kept[sha256] = picture
        put(writer, sha256, picture)

    monkeypatch.setattr(RenditionWriter, "put", noting)
    ds = run(site, tmp_path / "set", engine, to="webdataset", resize="border:64", encode="jpg")
    assert outcomes(ds) == expected, "renditions or not"
    assert len(ds) > 5
    assert all((tmp_path / "set" / image.file_name).stat().st_size for image in ds)
    assert {image.info.sha256 for image in ds} <= set(kept)
    assert {(one.width, one.height, one.extension) for one in kept.values()} == {(64, 64, "jpg")}
    assert not list((tmp_path / "set").glob(".pixtrawl-*.part")), "nothing stays in the staging"


def test_a_shard_is_the_same_in_every_process() -> None:
    assert [shard_of(f"h{n}.example", 5) for n in range(8)] == [4, 1, 3, 2, 0, 2, 4, 0]


def test_an_engine_that_makes_no_folder_says_which_command_it_is_for(tmp_path: Path) -> None:
    async def main() -> None:
        config = Config(job=Job(engine="ray"))
        async with open_session(config, Folder(tmp_path / "s"), lambda event: None):
            pass

    with pytest.raises(UsageError, match="--engine ray fetches lists into a set of shards"):
        asyncio.run(main())
    assert not (tmp_path / "s").exists()


def test_a_spec_and_what_workers_give_survive_pickling(tmp_path: Path) -> None:
    spec = WorkerSpec(
        fetch=Fetch(), politeness=Config().politeness, rules=Rules(Images()),
        taken_down=lambda_free, staging=tmp_path,
    )  # fmt: skip
    again = pickle.loads(pickle.dumps(spec))
    assert again.fetch == spec.fetch
    assert again.rules == spec.rules
    assert again.staging == tmp_path
    outcome = Outcome(reason=Reason.SAVED, staged_name="a", rendition_name="b")
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def lambda_free(candidate: Candidate, url: str) -> str | None:
    return None
