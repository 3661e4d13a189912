"""What holds for every test."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from pixtrawl.images import program
from pixtrawl.playground.store import PictureStore
from tests import drawn_once, warm_command
from tests.matrices import examples
from tests.pipeline.pictures import Host, saved, scene, serving
from tests.warm_decoders import WarmDecoders

# A busy machine is no fault of the code: how long an example may take is not tested here (tests of
# complexity count CPU seconds). Examples are the same in every run; a new one is a change of code.
settings.register_profile(
    "steady",
    deadline=None,
    max_examples=examples(100),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("steady")


def pytest_collection_finish() -> None:
    """Leave what collection made, a million objects, out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _pictures_drawn_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All processes of a parallel run share one folder."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "drawn-once"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PictureStore, "_render", drawn_once.from_folder(folder))
        yield


@pytest.fixture(scope="session")
def scenes() -> Iterator[Host]:
    """One host of pictures for each process of the suite; `pictures.fresh` makes it new."""
    with serving(saved(scene, 30)) as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def _processes_forked_warm() -> Iterator[None]:
    """Zygotes and commands come from processes that have done their imports, where that works."""
    if sys.platform != "linux":
        yield
        return
    decoders = WarmDecoders()
    with pytest.MonkeyPatch.context() as patch, warm_command.ready(decoders):
        patch.setattr(program, "_spawn", decoders.spawn)
        yield
    decoders.close()
