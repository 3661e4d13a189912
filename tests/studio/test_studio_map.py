"""The map and search by meaning over HTTP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.views.table import kept_ids
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.folder.layout import MAP
from pixtrawl.scoring.likeness.projection import MAP_SIDE
from pixtrawl.scoring.likeness.spaces import space_of
from pixtrawl.scoring.models.interface import to_bytes
from pixtrawl.scoring.models.loading import load_any
from pixtrawl.scoring.models.model_places import place_of, remember_place
from pixtrawl.scoring.score import ScoreOptions, score
from pixtrawl.studio.similarity import map_file
from pixtrawl.studio.similarity.map_file import ImageMap, MapKey
from tests.scoring.conftest import BLUE, GREEN, RED, png, write_dataset
from tests.studio.client import Client, studio_on
from tests.studio.embedded import MODEL, embed


def map_of(client: Client, view: str = "") -> Any:
    """The map, once it is made."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        reply = client.get(client.of_set(f"/map?view={view}"))
        assert reply.status == 200, reply.body
        if reply.json()["state"] != "working":
            return reply.json()
        time.sleep(0.05)
    raise AssertionError("the map was not made")


def number_of(client: Client, label: str) -> int:
    return int(client.items(client.view(filter={"labels": [label]}))[0]["n"])


def box(points: Any, numbers: set[int]) -> list[list[int]]:
    """A line around these images."""
    xs = [x for x, n in zip(points["x"], points["n"], strict=True) if n in numbers]
    ys = [y for y, n in zip(points["y"], points["n"], strict=True) if n in numbers]
    left, right = max(0, min(xs) - 20), min(MAP_SIDE, max(xs) + 20)
    top, bottom = max(0, min(ys) - 20), min(MAP_SIDE, max(ys) + 20)
    return [[left, top], [right, top], [right, bottom], [left, bottom]]


def test_without_embeddings_the_map_names_the_command_that_makes_them(
    client: Client, root: Path
) -> None:
    found = map_of(client)
    assert (found["state"], found["ids"]) == ("none", [])
    assert found["command"] == f"pixtrawl score {root} --model clip-b32 --as relevance"
    line = [[0, 0], [9, 0], [9, 9]]
    assert client.post(client.of_set("/views"), {"lasso": [line]}).status == 409


def test_like_images_lie_together_and_a_lasso_around_them_is_a_view(
    client: Client, root: Path
) -> None:
    wrong = number_of(client, "cat")
    embed(root, astray=[wrong])
    points = map_of(client)
    assert (points["state"], points["shown"], points["total"]) == ("ready", 20, 20)
    assert points["model"] == MODEL
    assert sorted(points["labels"]) == ["cat", "dog"]
    dogs = {int(one["n"]) for one in client.items(client.view(filter={"labels": ["dog"]}))}
    line = box(points, {*dogs, wrong})  # no other cat lies among them
    chosen = client.view(lasso=[line])
    assert {int(one["n"]) for one in client.items(chosen)} == {*dogs, wrong}
    assert (chosen["total"], chosen["of"]) == (11, 20)
    only = client.items(client.view(lasso=[line], filter={"labels": ["cat"]}))
    assert [one["n"] for one in only] == [wrong]
    body = {"action": "relabel", "on": {"view": chosen["view"], "all": True}, "expect": 1,
            "label": "dog"}  # fmt: skip
    assert client.post(client.of_set("/decisions"), body).status == 200
    after = map_of(client)
    places = {n: (x, y) for n, x, y in zip(points["n"], points["x"], points["y"], strict=True)}
    assert {n: (x, y) for n, x, y in zip(after["n"], after["x"], after["y"], strict=True)} == places
    assert client.post(client.of_set("/undo"), {}).status == 200


def test_a_refused_image_leaves_the_map_and_the_others_stay_where_they_are(
    client: Client, root: Path
) -> None:
    embed(root)
    before = map_of(client)
    assert client.decide("reject", [f"s{before['ids'][3]}"]).status == 200
    after = map_of(client)
    assert after["shown"] == 19
    assert before["ids"][3] not in after["ids"]
    assert set(zip(after["ids"], after["x"], after["y"], strict=True)) < set(
        zip(before["ids"], before["x"], before["y"], strict=True)
    )


def test_images_without_an_embedding_are_counted_and_one_that_comes_later_is_shown(
    client: Client, root: Path
) -> None:
    left_out = number_of(client, "cat")
    embed(root, without=[left_out])
    first = map_of(client)
    assert (first["shown"], first["total"]) == (19, 20)
    view = client.view(filter={"labels": ["dog"]})
    assert map_of(client, view["view"])["shown"] == 10
    embed(root)
    end = time.monotonic() + 60
    while map_of(client)["shown"] != 20:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_map_is_kept_with_the_data_set_and_goes_with_a_takedown(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embed(root)
    with studio_on(root) as client:
        first = map_of(client)
    kept = root / MAP
    assert kept.stat().st_size < 20 * 20 + 200
    with monkeypatch.context() as without, studio_on(root) as client:
        without.setattr("pixtrawl.studio.similarity.maps.lay_out", None)  # it is not laid out again
        again = map_of(client)
        assert [again[name] for name in ("n", "x", "y")] == [
            first[name] for name in ("n", "x", "y")
        ]
        reply = client.decide("never_again", [f"s{again['ids'][0]}"])
        assert reply.status == 200
        assert not kept.exists()
    with studio_on(root) as client:
        assert map_of(client)["shown"] == 19
        assert kept.is_file()


@pytest.mark.parametrize(
    "spoil",
    [lambda data: b"", lambda data: b"{}\n", lambda data: data[:-1], lambda data: data[:40],
     lambda data: data.replace(b'"form":1', b'"form":0'), lambda data: data[::-1],
     lambda data: data.replace(MODEL.encode(), b"other@000000000000")],
    ids=["empty", "no head", "torn", "torn head", "older", "noise", "other model"],
)  # fmt: skip
def test_a_kept_map_that_is_damaged_or_of_other_embeddings_is_not_used(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    key = MapKey(MODEL, 2, 3)
    map_file.write(tmp_path, ImageMap(key, np.array([1, 2]), np.array([[5, 6], [7, 8]], np.uint16)))
    found = map_file.read(tmp_path, key)
    assert found is not None
    assert (found.ids.tolist(), found.places.tolist()) == ([1, 2], [[5, 6], [7, 8]])
    assert map_file.read(tmp_path, MapKey(MODEL, 2, 4)) is None
    (tmp_path / MAP).write_bytes(spoil((tmp_path / MAP).read_bytes()))
    assert map_file.read(tmp_path, key) is None


@pytest.mark.parametrize(
    "lasso",
    [[[[0, 0], [1, 1]]], [[[0, 0], [1, 1], [-1, 0]]], [[[0, 0], [1, 1], [0, 65_536]]],
     [[[0, 0], [1, 1], [2]]], [[[0, 0]] * 513], [[[0, 0], [1, 0], [0, 1]]] * 17],
)  # fmt: skip
def test_a_lasso_that_is_none_is_refused(client: Client, lasso: Any) -> None:
    assert client.post(client.of_set("/views"), {"lasso": lasso}).status == 400


# ---- search by meaning


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """Pictures of three colours, under labels that say nothing of it."""
    pictures = [png(colour, n) for n, colour in enumerate([RED, GREEN, BLUE, RED, GREEN, BLUE])]
    return write_dataset(tmp_path / "images", {"a": pictures[:3], "b": pictures[3:]}).root


@pytest.fixture
def shown(coloured: Path) -> Iterator[Client]:
    with studio_on(coloured) as found:
        yield found


def test_words_order_the_images_by_what_they_show(
    shown: Client, coloured: Path, tmp_path: Path
) -> None:
    from pixtrawl.folder.dataset_folder import Folder
    from tests.scoring.tiny import write_model

    model = load_any(str(write_model(tmp_path / "tiny")))
    score(Folder(coloured), model, ScoreOptions())
    view = shown.view(meaning="  green ")
    assert (view["by"], view["total"]) == ("embedding", 6)
    names = [one["name"] for one in shown.items(view)]
    assert set(names[:2]) == {"a/000002.png", "b/000002.png"}
    only = shown.view(meaning="blue", filter={"labels": ["b"]})
    assert next(one["name"] for one in shown.items(only)) == "b/000003.png"
    write_model(tmp_path / "tiny", seed=9)  # another model now lies there
    reply = shown.post(shown.of_set("/views"), {"meaning": "red"})
    assert reply.status == 409
    assert "is now another model" in reply.json()["error"]
    assert shown.view(meaning="green")["total"] == 6, "known words need no model"


def test_without_a_model_of_words_the_answer_says_what_to_run(
    shown: Client, coloured: Path
) -> None:
    def refused() -> str:
        reply = shown.post(shown.of_set("/views"), {"meaning": "red"})
        assert reply.status == 409
        return str(reply.json()["error"])

    command = f"pixtrawl score {coloured} --model clip-b32 --as relevance"
    assert command in refused()
    embed(coloured)
    assert f"the model {MODEL}" in refused()
    assert command in refused()
    remember_place(MODEL, str(coloured / "gone"))
    assert "no such file or folder" in refused()


@pytest.mark.parametrize("words", [" ", "x" * 301])
def test_words_that_are_none_or_too_many_are_refused(shown: Client, words: str) -> None:
    assert shown.post(shown.of_set("/views"), {"meaning": words}).status == 400


def test_where_a_model_was_loaded_from_is_remembered_as_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.scoring.tiny import write_model

    monkeypatch.chdir(tmp_path)
    write_model(tmp_path / "tiny")
    model = load_any("tiny")
    assert place_of(model.name) == str(tmp_path / "tiny")
    (tmp_path / "w.safetensors").touch()
    remember_place("m", "ViT-B-32:w.safetensors")
    assert place_of("m") == f"ViT-B-32:{tmp_path / 'w.safetensors'}"
    assert place_of("other") is None


def test_images_are_compared_by_the_model_that_saw_most_of_those_that_saw_the_examples(
    root: Path,
) -> None:
    catalog = Catalog(Folder(root).catalog)
    try:
        ids = catalog.write_now(kept_ids).tolist()
        for name, seen in {"few": ids[:3], "most": ids[:9], "others": ids[9:]}.items():
            model = catalog.write_now(partial(scores.note_model, name=name, note={}))
            rows = [(one, to_bytes(np.eye(4, dtype=np.float32)[0])) for one in seen]
            catalog.write_now(partial(embeddings.store, model_id=model, rows=rows))

        def model_of(*examples: int, name: str = "") -> str:
            return catalog.write_now(lambda db: space_of(db, examples, name)).model

        assert model_of(*ids[:2]) == "most"
        assert model_of(*ids[:2], name="fe") == "few"
        assert model_of(ids[5], ids[5]) == "most"
        assert model_of(ids[12]) == "others"
        assert model_of(ids[2], ids[12]) == "", "no model saw both: by look"
    finally:
        catalog.close()
