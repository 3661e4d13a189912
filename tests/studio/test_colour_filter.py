"""Images are found by a colour that they have, by what the catalog holds of each."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixtrawl.catalog.views.alike import LookOf
from pixtrawl.images.appearance.chroma import chroma_grid
from pixtrawl.scoring.likeness.dominant_colours import ColourIndex, parse_colour
from tests.pipeline.pictures import fetch, manifest, serving
from tests.studio.client import Client, studio_on

PLAIN = {
    "red": "#d02c2c", "green": "#3c9a3c", "blue": "#2f62c9", "yellow": "#f2d434",
    "grey": "#808080", "black": "#141414", "white": "#f6f6f6", "brown": "#7d5230",
}  # fmt: skip


def painted(ground: str, spot: str, share: float) -> Image.Image:
    """A picture of one colour with a square of another."""
    image = Image.new("RGB", (640, 640), ground)
    side = int(640 * share**0.5)
    ImageDraw.Draw(image).rectangle((40, 80, 40 + side, 80 + side), fill=spot)
    return image


def look_of(number: int, image: Image.Image) -> LookOf:
    thumb = image.convert("L").resize((64, 64), Image.Resampling.BILINEAR).tobytes()
    return LookOf(number, thumb, chroma_grid(np.asarray(image), image.size), "{}")


@pytest.fixture(scope="module")
def looks() -> dict[int, LookOf]:
    return {
        at: look_of(at, painted(PLAIN[ground], PLAIN[spot], 0.2))
        for at, (ground, spot) in enumerate([(g, s) for g in PLAIN for s in PLAIN], 1)
    }


@pytest.fixture
def index(looks: dict[int, LookOf], monkeypatch: pytest.MonkeyPatch) -> ColourIndex:
    found = ColourIndex()
    monkeypatch.setattr(
        "pixtrawl.catalog.views.alike.looks", lambda db, ids: [looks[one] for one in ids]
    )
    found.update(None, list(looks))  # type: ignore[arg-type]
    return found


@pytest.mark.parametrize("name", PLAIN)
def test_each_colour_finds_the_pictures_that_have_it_as_ground_or_spot(
    index: ColourIndex, name: str
) -> None:
    pairs = [(g, s) for g in PLAIN for s in PLAIN]
    has = index.having(PLAIN[name], range(1, len(pairs) + 1)).tolist()
    assert [pair for pair, yes in zip(pairs, has, strict=True) if yes] == [
        pair for pair in pairs if name in pair
    ]


def test_a_colour_near_by_is_found_and_one_farther_off_is_not(index: ColourIndex) -> None:
    assert index.having("#c83434", [1]).all()
    assert not index.having("#d08080", [1]).any()
    assert not index.having(PLAIN["red"], [999]).any(), "an image that is not known"


@pytest.mark.parametrize("text", ["", "red", "#fff", "#12345g", "#1234567", "#１２３４５６"])
def test_what_is_no_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="#rrggbb"):
        parse_colour(text)


@pytest.fixture(scope="module")
def coloured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    chance = np.random.default_rng(1)

    def saved(image: Image.Image) -> bytes:
        noise = chance.normal(0, 25, (640, 640, 1))  # else it is refused as a flat one
        out = io.BytesIO()
        Image.fromarray(np.clip(np.asarray(image) + noise, 0, 255).astype(np.uint8)).save(
            out, "PNG"
        )
        return out.getvalue()

    pairs = [("red", "white", 0.3), ("blue", "red", 0.05), ("green", "yellow", 0.3)]
    files: dict[str, bytes | str] = {
        f"/{n}.png": saved(painted(PLAIN[g], PLAIN[s], share))
        for n, (g, s, share) in enumerate(pairs)
    }
    with serving(files) as host:
        place = tmp_path_factory.mktemp("coloured")
        rows = [("thing", host.url + path) for path in files]
        return fetch(manifest(place / "rows.jsonl", rows), place / "set", dedup="off").root


def test_a_first_question_is_answered_in_parts_that_say_how_far_they_are(
    coloured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three images at one image a question, as 100,000 are at some thousands a second."""
    monkeypatch.setattr("pixtrawl.studio.sets.open_set.PATIENCE_S", 0.0)
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._READ_AT_ONCE", 1)
    with studio_on(coloured) as client:
        asked = [client.view(filter={"colour": PLAIN["yellow"]}) for _ in range(5)]
        assert [one.get("done") for one in asked] == [0.333, 0.667, None, None, None]
        assert [one["total"] for one in asked] == [0, 0, 1, 1, 1]
        assert len({one["view"] for one in asked}) == 3, "a part is not taken for the whole"
        assert client.items(asked[0]) == []
        assert [one["n"] for one in client.items(asked[2])] == [3]


def test_likeness_is_answered_in_parts_too_and_those_not_compared_yet_come_last(
    coloured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pixtrawl.studio.sets.open_set.PATIENCE_S", 0.0)
    monkeypatch.setattr("pixtrawl.studio.sets.open_set._READ_AT_ONCE", 1)
    with studio_on(coloured) as client:
        of = client.items(client.view())[2]["id"]
        wanted = {"sort": {"by": "similar"}, "similar_to": [of]}
        asked = [client.view(**wanted) for _ in range(4)]
        assert [one.get("done") for one in asked] == [0.333, 0.667, None, None]
        assert {one["total"] for one in asked} == {3}
        assert client.items(asked[-1])[0]["id"] == of
        assert len({one["id"] for one in client.items(asked[0])}) == 3


@pytest.fixture
def shown(coloured: Path) -> Iterator[Client]:
    with studio_on(coloured) as client:
        yield client


def test_a_view_has_the_images_of_a_colour_in_their_order(shown: Client) -> None:
    def numbers(**wanted: object) -> list[int]:
        return [one["n"] for one in shown.items(shown.view(**wanted))]

    assert numbers(filter={"colour": PLAIN["red"]}) == [1], "a spot of a twentieth is too small"
    assert numbers(filter={"colour": PLAIN["yellow"]}) == [3]
    assert numbers(filter={"colour": PLAIN["red"], "labels": ["other"]}) == []
    both = shown.view(filter={"colour": PLAIN["blue"]}, sort={"by": "number", "descending": True})
    assert (both["total"], both["of"]) == (1, 3)
    for bad in ({"colour": "red"}, {"colour": "#12"}):
        reply = shown.post(shown.of_set("/views"), {"filter": bad})
        assert reply.status == 400
        assert "#rrggbb" in reply.json()["error"]
    kept_out = {"kind": "not_kept", "filter": {"colour": PLAIN["red"]}}
    assert shown.post(shown.of_set("/views"), kept_out).status == 400
