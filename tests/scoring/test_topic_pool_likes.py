"""What a person likes and refuses weighs in which images of a pool stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pixtrawl
from pixtrawl.cli.main import main
from pixtrawl.scoring.likes.examples import Examples
from pixtrawl.scoring.likes.pool_values import PoolView, values_of
from pixtrawl.scoring.likes.selection import limit_of, select
from pixtrawl.scoring.models.interface import unit
from tests.matrices import slow
from tests.scoring.conftest import png
from tests.scoring.pools import Collecting, serving
from tests.scoring.tiny_models import write_image_model

# -- what a person kept and refused


@pytest.mark.parametrize("words", [True, slow(False)])
def test_likes_and_refusals_weigh_in_the_choice(tmp_path: Path, words: bool) -> None:
    """All pictures are red with more or less blue; a person wants more, the query's text less."""
    blue = [30 + 2 * (at * 7 % 40) for at in range(40)]
    with serving([png((220, 30, blue[at]), at) for at in range(40)]) as urls:
        collecting = Collecting(tmp_path, urls)
        model = None
        if not words:
            model = write_image_model(tmp_path / "c.onnx", {"kind": "embedding", "size": 8})
        assert collecting.first(10) == 0
        sides: dict[bool, list[str]] = {True: [], False: []}
        for one in pixtrawl.open(collecting.folder):
            place = int(one.url.rpartition("/")[2].partition(".")[0])
            sides[blue[place] > 70].append(one.file_name)
        assert min(map(len, sides.values())) >= 3
        folder = str(collecting.folder)
        assert main(["unlike", folder, *sides[False]]) == 0
        assert main(["like", folder, *sides[True]]) == 0
        assert collecting.run(10, "--pool", "60", "--steer", "0", model=model) == 0
    places = collecting.places()
    assert len(places) == 10
    assert sum(blue[at] > 70 for at in places) >= 9
    details = [one.detail for one in pixtrawl.open(collecting.folder).outcomes(reason="not_best")]
    assert details
    assert all("liked 0." in one for one in details)


def test_few_likes_weigh_less_than_the_model_and_many_more() -> None:
    random = np.random.default_rng(2)
    vectors = unit(random.normal(size=(30, 6)) * 0.1 + np.eye(6)[0] + np.eye(6)[1])
    text = np.eye(6, dtype=np.float32)[0]
    wanted = unit(np.eye(6)[1][None] + 0.5 * np.eye(6)[0])

    def chosen(decisions: int) -> float:
        examples = Examples(vectors, wanted.repeat(decisions, axis=0), vectors[:0])
        view = PoolView(
            "cat", 30, tuple(range(30)), vectors, decisions,
            examples if decisions else None, tuple(range(30)) if decisions else (), vectors,
        )  # fmt: skip
        values = values_of(view, text)
        kept = select(values.scores, 8, merits=values.merits, limit=-1.0).kept
        return float((vectors[list(kept)] @ text).mean())

    assert chosen(0) >= chosen(1) > chosen(40)


# -- the choice itself


def test_the_limit_comes_from_the_scores_of_the_query() -> None:
    random = np.random.default_rng(1)
    high = random.normal(0.28, 0.02, 60)
    assert limit_of([*high, *random.normal(0.12, 0.02, 40)]) == pytest.approx(0.2, abs=0.04)
    shifted = limit_of([*(high + 0.4), *(random.normal(0.12, 0.02, 40) + 0.4)])
    assert shifted == pytest.approx(0.6, abs=0.04)
    one_group = limit_of(high.tolist())
    assert one_group is not None
    assert one_group < high.min()
    assert limit_of([0.1, 0.2]) is None


def test_what_a_person_wants_is_kept_first_and_unscored_images_come_last() -> None:
    scores = [0.9, 0.8, None, 0.78, 0.1, 0.85, 0.82, 0.79, 0.81, 0.83]
    found = select(scores, 4, sure=frozenset({4}))
    assert found.kept == (4, 0, 5, 9)
    assert 2 in found.surplus
    assert found.misfits == ()
    assert select(scores, 4).misfits == (4,)
    assert select(scores, None).kept[-1] == 2
