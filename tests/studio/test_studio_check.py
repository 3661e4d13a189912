"""The class check over HTTP: likely wrong labels ranked, outliers, overlaps, conflicts, reasons."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pixtrawl.scoring.classes import check as class_check
from tests.pipeline.pictures import Answer, fetch, manifest, png, serving
from tests.studio.client import Client, studio_on


def pattern(kind: str, number: int) -> Image.Image:
    """Red bars down or blue bars across, a little different each time."""
    chance = np.random.default_rng(number)
    at = (np.arange(240) + chance.integers(0, 6)) // 30 % 2
    bars = np.tile(at, (240, 1)) if kind == "down" else np.tile(at[:, None], (1, 240))
    colour = np.array([200, 40, 40] if kind == "down" else [40, 40, 200])
    image = bars[..., None] * colour + chance.normal(0, 14, (240, 240, 3)) + 30
    return Image.fromarray(np.clip(image, 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten images of each of two labels, of which one cat has the look of dogs."""
    kinds = ["down"] * 10 + ["across"] * 10
    kinds[2] = "across"
    answers: dict[str, Answer] = {
        f"/{n}.png": png(pattern(kind, n)) for n, kind in enumerate(kinds)
    }
    place = tmp_path_factory.mktemp("mixed")
    with serving(answers) as host:
        rows = [("cat" if n < 10 else "dog", f"{host.url}/{n}.png") for n in range(20)]
        found = fetch(manifest(place / "m.jsonl", rows), place / "set", dedup="off")
    assert len(found) == 20
    return found.root


@pytest.fixture
def client(tmp_path: Path, mixed: Path) -> Iterator[Client]:
    with studio_on(Path(shutil.copytree(mixed, tmp_path / "set"))) as found:
        yield found


def planted(client: Client) -> int:
    (item,) = client.items(client.view(filter={"text": "/2.png"}))
    return int(item["n"])


def test_a_planted_wrong_label_is_first_and_leaves_the_view_when_it_is_put_right(
    client: Client,
) -> None:
    found = client.checked()
    assert (found["by"], found["images"]) == ("look", 20)
    assert found["doubts"]["first"][0]["item"]["n"] == planted(client)
    assert found["doubts"]["first"][0]["like"] == "dog"
    wrong = planted(client)
    view = client.whole_view(kind="doubts")
    assert view["total"] == found["doubts"]["total"]
    assert view["by"] == "look"
    first = client.items(view)[0]
    assert (first["n"], first["label"], first["like"]) == (planted(client), "cat", "dog")
    assert 0 < first["score"] <= 1
    assert client.decide("reject", [first["id"]]).status == 200
    left = client.whole_view(kind="doubts")
    assert left["total"] == view["total"] - 1
    assert first["id"] not in [one["id"] for one in client.items(left)]
    client.post(client.of_set("/undo"), {})
    assert client.decide("relabel", [first["id"]], label="dog").status == 200
    again = client.checked("?again=1")
    assert wrong not in [one["item"]["n"] for one in again["doubts"]["first"]]


def test_the_image_least_like_its_label_is_the_first_outlier(client: Client) -> None:
    view = client.whole_view(sort={"by": "outlier"})
    assert view["by"] == "look"
    found = client.items(view)
    assert found[0]["n"] == planted(client)
    assert len({one["id"] for one in found}) == 20
    only = client.items(client.whole_view(sort={"by": "outlier"}, filter={"labels": ["cat"]}))
    assert [one["label"] for one in only] == ["cat"] * 10
    assert only[0]["n"] == planted(client)


def test_a_check_that_takes_long_says_how_far_it_is_and_ends_with_the_studio(
    tmp_path: Path, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, whole = threading.Event(), class_check.audit

    def slow(*given: Any, on_progress: Callable[[float], None], **more: Any) -> Any:
        while not go_on.wait(0.02):
            on_progress(0.5)
        return whole(*given, on_progress=on_progress, **more)

    monkeypatch.setattr("pixtrawl.scoring.classes.auditing.audit", slow)
    monkeypatch.setattr("pixtrawl.studio.sets.checks.PATIENCE_S", 0.05)
    root = Path(shutil.copytree(mixed, tmp_path / "set"))
    with studio_on(root) as client:
        while (found := client.get(client.of_set("/check")).json())["done"] < 0.5:
            pass
        assert found == {"state": "working", "done": 0.65}
        part = client.view(kind="doubts")
        assert (part["total"], part["done"]) == (0, 0.65)
    with studio_on(root) as client:  # the one at work ended, or this would wait for it
        client.get(client.of_set("/check"))
        go_on.set()
        assert client.checked()["doubts"]["total"] >= 1
        assert client.whole_view(kind="doubts")["total"] >= 1


def test_a_check_that_is_stopped_ends_and_begins_anew_when_it_is_wanted(
    tmp_path: Path, mixed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, whole, waits = threading.Semaphore(0), class_check.audit, [True]

    def slow(*given: Any, on_progress: Callable[[float], None], **more: Any) -> Any:
        begun.release()
        while waits[0]:
            on_progress(0.5)
        return whole(*given, on_progress=on_progress, **more)

    monkeypatch.setattr("pixtrawl.scoring.classes.auditing.audit", slow)
    monkeypatch.setattr("pixtrawl.studio.sets.checks.PATIENCE_S", 0.05)
    with studio_on(Path(shutil.copytree(mixed, tmp_path / "set"))) as client:
        client.get(client.of_set("/check"))
        assert begun.acquire(timeout=60)
        stopped = client.post(client.of_set("/check/stop"), {}).json()
        assert stopped["state"] == "stopped"
        waits[0] = False
        assert client.checked()["images"] == 20  # the stopped one has no result
        assert begun.acquire(blocking=False)


def test_refused_images_are_filtered_by_the_words_of_their_refusal(client: Client) -> None:
    ids = [one["id"] for one in client.items(client.view())]
    client.decide("reject", ids[:2], reason="poor quality")
    client.decide("reject", ids[2:5], reason="")
    assert client.summary()["refusals"] == [
        {"name": "", "n": 3}, {"name": "poor quality", "n": 2}
    ]  # fmt: skip

    def shown(*reasons: str) -> list[str]:
        return [one["id"] for one in client.items(client.view(filter={"reasons": reasons}))]

    assert shown("poor quality") == ids[:2]
    assert shown("") == ids[2:5]
    assert shown("poor quality", "") == ids[:5]
    assert shown("drawing") == []


def test_like_images_under_two_labels_are_a_view_of_their_own(tmp_path: Path) -> None:
    same = png(pattern("down", 1))
    answers: dict[str, Answer] = {
        "/a.png": same,
        "/b.png": same,
        "/c.png": png(pattern("across", 2)),
    }
    with serving(answers) as host:
        rows = [
            ("cat", f"{host.url}/a.png"),
            ("dog", f"{host.url}/b.png"),
            ("dog", f"{host.url}/c.png"),
        ]
        root = fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set", conflict="keep").root
    with studio_on(root) as client:
        view = client.view(kind="conflicts")
        assert view["total"] == 1
        (group,) = client.get(client.of_set(f"/groups/{view['view']}")).json()
        assert {group["kept"]["label"], *(one["label"] for one in group["others"])} == {
            "cat",
            "dog",
        }
