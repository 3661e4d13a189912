"""The targets of `make fuzz` run, without atheris: their seeds, and some damage to each."""

from __future__ import annotations

import random
import warnings

import pytest
from fuzz.targets import TARGETS


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_a_target_reads_its_seeds_and_damaged_ones(name: str) -> None:
    if name == "list-parquet":
        pytest.importorskip("pyarrow")
    target = TARGETS[name]
    seeds = list(target.seeds())
    assert seeds
    chance = random.Random(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about the damage
        for seed in seeds:
            target.read(seed)
            for _ in range(10):
                damaged = bytearray(seed)
                for _ in range(chance.randint(1, 4)):
                    damaged[chance.randrange(len(damaged))] = chance.randrange(256)
                target.read(bytes(damaged[: chance.randint(1, len(damaged))]))
