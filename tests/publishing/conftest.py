"""A hub, a data set with rights of every kind, and a home without anybody's token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pixtrawl.config.groups import Publish
from pixtrawl.exporters.base import Sharding
from pixtrawl.exporters.export import ExportOptions
from pixtrawl.model import Sample
from tests.exporters import dataset
from tests.publishing.hub_double import WRITER, HubDouble, serving

if TYPE_CHECKING:
    from pixtrawl.publishing.publish import Published

BY = {"license": "CC BY 4.0", "license_url": "https://creativecommons.org/licenses/by/4.0/"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubDouble]:
    pytest.importorskip("huggingface_hub", reason="needs the extra publish")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_TOKEN", WRITER)
    with serving(HubDouble()) as running:
        yield running


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "images"


@pytest.fixture
def samples(root: Path) -> list[Sample]:
    return free(root)


def free(
    root: Path, per_label: int = 6, queries: tuple[str, ...] = ("cat", "train")
) -> list[Sample]:
    """Images that anybody may pass on."""
    found = [
        dataset.sample(
            root, query, number, dataset.encoded(dataset.picture(100 * place + number)), **BY
        )
        for place, query in enumerate(queries)
        for number in range(1, per_label + 1)
    ]
    return sorted(found, key=lambda one: (one.label, one.number))


def with_rights(sample: Sample, **rights: Any) -> Sample:
    return replace(sample, rights=rights)


REFUSES = {"ai_preferences": [{"source": "xmp", "name": "plus:DataMining", "train": "no"}]}

Publisher = Callable[..., "Published"]


@pytest.fixture
def send(hub: HubDouble, root: Path, tmp_path: Path) -> Publisher:
    """Publish samples to me/set; shards of at most four images."""
    # half a second of imports, here and not in each worker that collects these tests
    from pixtrawl.publishing.publish import PublishOptions, publish

    def call(samples: list[Sample], to: str = "hf://me/set", **given: Any) -> Published:
        more = given.pop("export", {})
        export = ExportOptions(sharding=Sharding(max_images=4), **more)
        place = Publish(hub_url=hub.url, staging=str(tmp_path / "staging"))
        return publish(samples, root, to, PublishOptions(export=export, place=place, **given))

    return call
