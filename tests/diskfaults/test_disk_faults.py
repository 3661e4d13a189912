"""The disk fails at any call of a command: one sentence, exit code 5, and the same command mends it.

Here a seeded choice of calls; `make disk-faults` takes all of a run, in every way.
"""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.diskfaults.commands import COMMANDS, KILL, CommandTrials, prepare
from tests.diskfaults.run_trials import Trials, faults, trials
from tests.diskfaults.trials import Fault, server
from tests.matrices import sample, slow
from tests.pipeline.pictures import serving

pytestmark = pytest.mark.timeout(300)

RUNS = (1, slow(21))
AT_ONCE = 3
EACH = ((errno.EIO, False), (errno.EIO, True), (errno.ENOSPC, True), (KILL, False), (KILL, False))


@pytest.mark.parametrize("runs", RUNS)
def test_a_run_of_five_images_whose_disk_fails_is_whole_after_the_same_command(
    tmp_path: Path, runs: int
) -> None:
    at_once = AT_ONCE if runs > AT_ONCE else 1  # each has a server of commands to start
    with ExitStack() as stack, ThreadPoolExecutor(at_once) as threads:
        for part in range(at_once):
            (tmp_path / str(part)).mkdir()
        sides = [stack.enter_context(trials(tmp_path / str(part))) for part in range(at_once)]
        calls, images = sides[0].undisturbed()
        assert calls > 200
        chosen = random.Random(1511).sample(faults(calls), runs)

        def wrong(side: Trials, part: int) -> list[str]:
            return [side.wrong(fault, images) for fault in chosen[part::at_once]]

        found = [one for part in threads.map(wrong, sides, range(at_once)) for one in part]
    assert len(found) == runs
    assert [one for one in found if one] == []


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandTrials]:
    folder = tmp_path_factory.mktemp("commands")
    with serving({}) as host, server(folder) as running:
        base, copy = prepare(folder, host)
        yield CommandTrials(running, base, copy)


@pytest.mark.parametrize("kinds", [(EACH[1], EACH[3]), slow(EACH)], ids=["two", "all"])
@pytest.mark.parametrize("name", sample(COMMANDS, 4))
def test_a_command_whose_disk_fails_or_that_is_killed_is_mended_by_itself(
    commands: CommandTrials, name: str, kinds: tuple[tuple[int, bool], ...]
) -> None:
    calls, state = commands.undisturbed(name)
    chance = random.Random(name)
    chosen = [Fault(chance.randint(1, calls), *kind) for kind in kinds]
    found = [commands.wrong(name, fault, state) for fault in chosen]
    assert [one for one in found if one] == []
