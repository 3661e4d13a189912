"""Made-up pictures look like something; real ones come with their makers and licences."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixtrawl.playground import Playground
from pixtrawl.playground.drawing import photographs
from pixtrawl.playground.drawing.motifs import cat, lighthouse, motif_of
from pixtrawl.playground.drawing.palettes import COLORS
from pixtrawl.playground.drawing.pictures import draw_scene, picture, slug_of, thumbnail, traits_of
from pixtrawl.playground.drawing.scenes import SCENES
from pixtrawl.playground.store import PictureStore
from tests.drawn_once import DRAWING
from tests.playground.wire import ask


def _grey(body: bytes) -> Image.Image:
    with Image.open(io.BytesIO(body)) as image:
        return image.convert("L")


@pytest.mark.parametrize(
    "name", ["photo/{}/3.{}", "edit/cropped/{}/3.jpg", "small/{}/3.jpg", "sound/{}/3.jpg"]
)
def test_seed_and_path_decide_a_file(name: str) -> None:
    """Which is why the suite may draw each once (tests/drawn_once.py)."""
    slug = slug_of("lighthouse")
    path = "/" + name.format(slug, traits_of(1, slug, 3).extension)
    first, again, other = (DRAWING(PictureStore(seed), path) for seed in (1, 1, 2))
    assert first is not None
    assert first == again
    assert other is None or other.sha256 != first.sha256


@pytest.mark.slow
def test_no_picture_is_blank() -> None:
    slug = slug_of("lighthouse")
    for index in range(12):
        levels = np.asarray(_grey(picture(1, slug, index)), float)
        assert levels.std() > 6, index
        assert levels.max() > 60, index


@pytest.mark.parametrize("scene", SCENES)
def test_every_scene_comes_in_every_colour(scene: str) -> None:
    slug, seen = slug_of("anything at all"), set()
    for index in range(400):
        traits = traits_of(1, slug, index)
        if traits.scene == scene and traits.color not in seen:
            seen.add(traits.color)
            assert draw_scene(1, slug, index, (160, 120)).size == (160, 120)
    assert seen == set(COLORS)


def test_a_picture_looks_the_same_at_every_size() -> None:
    slug = slug_of("steam train")
    for index in range(8):
        large = np.asarray(_grey(picture(1, slug, index)).resize((24, 24)), float)
        small = np.asarray(_grey(thumbnail(1, slug, index)).resize((24, 24)), float)
        assert np.corrcoef(large.ravel(), small.ravel())[0, 1] > 0.9, index


def test_words_of_a_query_stand_in_its_pictures() -> None:
    assert motif_of(slug_of("tabby cat")) is cat
    assert motif_of(slug_of("old lighthouse, rocks")) is lighthouse
    assert motif_of(slug_of("catalogue")) is None
    assert {traits_of(1, slug_of("lighthouse"), i).scene for i in range(20)} == {"sea"}
    assert {traits_of(1, slug_of("oak forest"), i).scene for i in range(20)} == {"forest"}


@pytest.fixture
def one_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package `somepack` that carries the photograph of the word `teapot`."""
    package = tmp_path / "somepack"
    package.mkdir()
    (package / "__init__.py").write_text("raise ImportError('read, never imported')")
    file = package / "teapot.png"
    Image.effect_noise((120, 80), 90).convert("RGB").save(file)
    columns = "words package file cut title creator license version color source".replace(" ", "\t")
    row = [
        "teapot",
        "somepack",
        "teapot.png",
        "2x1",
        "Utah",
        "M. Newell",
        "cc0",
        "1.0",
        "gray",
        "-",
    ]
    table = tmp_path / "credits.tsv"
    table.write_text(columns + "\n" + "\t".join(row) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(photographs, "files", lambda _: tmp_path)
    photographs.album.cache_clear()
    yield file
    photographs.album.cache_clear()


def test_photographs_come_first_with_maker_and_licence(one_photograph: Path) -> None:
    with Playground(photographs=True, supply=5) as site:
        left, right, drawn = site.expected("blue teapot")[:3]
        for entry in (left, right):
            assert (entry.title, entry.traits.creator) == ("Utah", "M. Newell")
            assert entry.traits.license == "cc0"
            served = _grey(ask(entry.url).body)
            assert served.size == (entry.width, entry.height) == (60, 80)
        assert left.sha256 != right.sha256
        assert drawn.title != "Utah"


def test_photographs_are_left_out_unless_asked_for(one_photograph: Path) -> None:
    with Playground(supply=5) as site:
        assert {entry.title for entry in site.expected("teapot")} & {"Utah"} == set()


def test_without_its_package_a_photograph_is_a_drawn_picture(one_photograph: Path) -> None:
    with Playground(photographs=True, supply=5) as site:
        url = site.expected("teapot")[0].url
        one_photograph.unlink()
        photographs.album.cache_clear()
        assert site.expected("kettle")[0].title != "Utah"
        path = "/" + url.split("/", 3)[3]
        assert site.store.cached(path) is None
        assert ask(site.expected("teapot 3-results")[0].url).status == 200


def test_every_credited_photograph_is_in_its_package_and_says_who_made_it() -> None:
    if not (find_spec("skimage") and find_spec("sklearn")):
        pytest.skip("pixtrawl[demo] is not installed")
    photographs.album.cache_clear()
    pictures = {photo for found in photographs.album().values() for photo in found}
    table = files("pixtrawl.playground").joinpath("credits.tsv").read_text(encoding="utf-8")
    assert len({photo.file for photo in pictures}) == len(table.splitlines()) - 1
    for photo in pictures:
        assert photo.creator
        assert photo.license in {"cc0", "pdm", "by"}
        assert photo.source.startswith("http")
        assert photo.color in COLORS


@pytest.mark.parametrize("query", ["golden retriever", "tabby cat", "steam train", "lighthouse"])
def test_a_drawn_picture_of_every_kind_shows_what_its_query_names(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slug = slug_of(query)
    wanted = motif_of(slug)
    with_it: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = {}
    first = {traits_of(1, slug, index).kind: index for index in reversed(range(400))}
    assert set(first) == {"photo", "clipart", "line", "animated", "transparent"}
    for kind, index in first.items():
        with_it[kind] = np.asarray(draw_scene(1, slug, index, (160, 120)).convert("RGB"), float)
    shown = []
    monkeypatch.setattr(
        "pixtrawl.playground.drawing.pictures.place",
        lambda canvas, motif, *more, **others: shown.append(motif),
    )
    for kind, index in first.items():
        without = np.asarray(draw_scene(1, slug, index, (160, 120)).convert("RGB"), float)
        changed = np.abs(with_it[kind] - without).max(axis=2) > 24
        assert changed.mean() > 0.004, kind
    assert shown == [wanted] * len(first)
