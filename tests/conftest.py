"""What holds for every test."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, settings

from pixtrawl.images.decoders import program
from pixtrawl.playground.store import PictureStore
from tests import drawn_once, migrated_once, warm_command, warm_workers
from tests.matrices import examples
from tests.pipeline.pictures import Host, saved, scene, serving

HERE: Final = Path(__file__).parent
gc.disable()  # until all is collected: a million objects, and hardly any garbage
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


# A file is the work of one process of a parallel run, and so are the files of each of these lists,
# which share what is costly: a run of the command, a browser, photographs, an import of two seconds.
TOGETHER: Final = (
    ("script_defects/test_runs_alone.py", "script_defects/test_shared_run.py"),
    tuple(f"studio/page/{file.name}" for file in sorted(HERE.glob("studio/page/test_*.py"))),
    ("dedup/test_near_marks.py", "dedup/test_near.py", "dedup/test_near_crops.py",
     "dedup/test_look_alikes.py", "dedup/test_descriptor_index.py"),
    ("cluster/test_open_shards.py", "dataset/test_dataset.py", "dataset/test_same_picture.py",
     "pipeline/test_own_names.py", "scoring/test_embedding_export.py", "test_hugging_face.py"),
)  # fmt: skip
# These take longest, much of it waiting: begun first, none of them is what the others wait for at
# the end.
LONGEST: Final = (
    "mcp/test_assistants.py", "politeness/test_told_pauses.py", "decisions/test_while_running.py",
    "resume/test_trouble.py", "engines/test_processes.py", *TOGETHER[0], *TOGETHER[1],
    "browser/test_inner_reach.py", "resume/test_kill.py",
    *TOGETHER[2], *TOGETHER[3], "images/test_pool_containment.py",
    "faults/test_matrix.py", "diskfaults/test_disk_faults.py", "exporters/test_loaders.py",
    "exporters/test_contract.py", "images/test_cost_limits.py", "resume/test_going_on.py",
    "life/test_merge.py", "mcp/test_bounds.py", "scoring/test_topic_pool.py",
    "sources/google/test_reading.py", "sources/google/test_outcomes.py", "sources/google/test_kill.py",
    "pipeline/test_run.py", "pipeline/test_best_copies.py",
)  # fmt: skip


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Let `--dist loadfile` give the files of each list of `TOGETHER` to one process."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    one = {f"tests/{name}": names[0] for names in TOGETHER for name in names}

    class LoadFilesTogether(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return one.get(file, file)

    return LoadFilesTogether(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[Any]) -> None:
    """Fork the workers from one process that has imported the tests."""
    if sys.platform == "linux":
        warm = warm_workers.WarmWorkers(config.invocation_params.dir, config.args)
        config.add_cleanup(warm.close)
        for spec in specs:
            spec.python = warm.python


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc: pytest.Metafunc) -> Iterator[None]:
    """Make no slow rows where a worker would leave them out: two of five, in each of the workers."""
    yield
    if "PYTEST_XDIST_WORKER" in os.environ and metafunc.config.option.markexpr == "not slow":
        rows = metafunc._calls
        rows[:] = [
            row for row in rows if not any(mark.name == "slow" for mark in row.marks)
        ] or rows[:1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest; `--no-loadscope-reorder` keeps this order."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    place = {HERE / name: at for at, name in enumerate(LONGEST)}
    assert all(path.is_file() for path in place), "a long file that there is not"
    items.sort(key=lambda item: place.get(item.path, len(place)))


def pytest_collection_finish() -> None:
    """Leave what collection made, a million objects, out of every later search for garbage."""
    migrated_once.use()
    gc.collect()
    gc.freeze()
    gc.enable()


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
    decoders, commands = warm_workers.shared or warm_workers.processes()
    with pytest.MonkeyPatch.context() as patch, warm_command.ready(commands):
        patch.setattr(program, "_spawn", decoders.spawn)
        yield
    if warm_workers.shared is None:
        commands.close()
        decoders.close()
