"""Which of the tasks that a lost worker had is to blame."""

from __future__ import annotations

from pixtrawl.engines.suspects import MOST_LOSSES, Suspects
from pixtrawl.model import Task
from tests.engines.feed import task


def test_a_task_that_ends_its_workers_ends_alone_and_takes_no_other_with_it() -> None:
    tasks = [task(number, f"http://h.test/{number}.png") for number in range(40)]
    suspects, losses = Suspects(), 1
    settled: set[int] = set()
    ended = suspects.lost(tasks)
    while len(suspects):
        running: list[Task] = []
        while (one := suspects.next()) is not None:
            running.append(one)
        assert running, "nothing waits for ever"
        if 7 in {one.id for one in running}:
            losses += 1
            ended += suspects.lost(running)
        else:
            for one in running:
                suspects.settled(one)
            settled.update(one.id for one in running)
    assert [one.id for one in ended] == [7]
    assert settled == {one.id for one in tasks} - {7}
    assert losses == MOST_LOSSES
