from __future__ import annotations

from functools import cache
from itertools import product

import numpy as np
import pytest
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageOps
from tests.dedup.edits import Edit, info_of
from tests.matrices import crossed, sample, slow

from pixtrawl.dedup import NearDuplicates
from pixtrawl.images.appearance.chroma import CHROMA_BYTES, GREY
from pixtrawl.model import ImageInfo


@cache  # whoever paints on it takes a copy
def garment(dye: tuple[int, int, int], ground: int = 255, side: int = 400) -> Image.Image:
    """A hoodie with folds on a plain ground: the same light and shade in every colour."""
    mask = Image.new("L", (side, side))
    draw = ImageDraw.Draw(mask)
    draw.polygon(
        [
            (140, 60), (260, 60), (370, 150), (340, 230), (290, 200), (290, 350), (110, 350),
            (110, 200), (60, 230), (30, 150),
        ],
        fill=255,
    )  # fmt: skip
    draw.ellipse((150, 20, 250, 110), fill=255)
    noise = np.random.default_rng(7).normal(0, 1, (25, 25))
    folds = np.asarray(
        Image.fromarray((127 + 45 * noise).clip(0, 255).astype(np.uint8)).resize(
            (side, side), Image.Resampling.BICUBIC
        )
    )
    shade = (0.55 + 0.9 * folds / 255.0)[:, :, None]
    cloth = Image.fromarray((shade * np.array(dye)).clip(0, 255).astype(np.uint8))
    canvas = Image.new("RGB", (side, side), (ground,) * 3)
    canvas.paste(cloth, mask=mask)
    return canvas


def turned_hue(picture: Image.Image, degrees: float) -> Image.Image:
    hsv = np.asarray(picture.convert("HSV")).copy()
    hsv[:, :, 0] = (hsv[:, :, 0].astype(int) + round(degrees * 256 / 360)) % 256
    return Image.fromarray(hsv, "HSV").convert("RGB")


def sepia(picture: Image.Image) -> Image.Image:
    return picture.convert(
        "RGB", (0.393, 0.769, 0.189, 0, 0.349, 0.686, 0.168, 0, 0.272, 0.534, 0.131, 0)
    )


def warm(picture: Image.Image) -> Image.Image:
    gains = (1.1, 1.0, 0.87)
    return picture.point([min(255, round(v * gain)) for gain in gains for v in range(256)])


TONES: dict[str, Edit] = {
    "grey file": lambda p: p.convert("L"),
    "grey in colour": lambda p: p.convert("L").convert("RGB"),
    "half the saturation": lambda p: ImageEnhance.Color(p).enhance(0.5),
    "more saturation": lambda p: ImageEnhance.Color(p).enhance(1.4),
    "sepia": sepia,
    "sepia from dark to cream": lambda p: ImageOps.colorize(
        p.convert("L"), "#2b1b0e", "#f6ead2", "#9a7b56"
    ),
    "warm": warm,
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.25),
    "darker": lambda p: p.point([round(255 * (v / 255) ** 1.6) for v in range(256)] * 3),
    "paler": lambda p: ImageEnhance.Contrast(p).enhance(0.7),
    "half the size": lambda p: p.resize((p.width // 2, p.height // 2)),
    "blurred": lambda p: p.filter(ImageFilter.GaussianBlur(1.5)),
}


def asked(level: str, kept: ImageInfo, new: ImageInfo) -> bool:
    """Whether the new image counts as a copy of the kept one."""
    near = NearDuplicates(level)
    near.add("x", 1, kept)
    found = near.find("x", new)
    return found is not None


@pytest.mark.parametrize(
    ("level", "ground", "degrees"),
    crossed(["strict", "near"], [255, 236], [60, 90, 120, 180, 240]),
)
def test_a_garment_with_its_hue_turned_is_another_picture(
    level: str, ground: int, degrees: int
) -> None:
    red = garment((190, 40, 45), ground)
    assert not asked(level, info_of(red), info_of(turned_hue(red, degrees)))


@pytest.mark.parametrize(("level", "tone"), sample(product(["strict", "near"], TONES), 4))
def test_less_colour_or_a_tone_is_a_copy(level: str, tone: str) -> None:
    red = garment((190, 40, 45))
    assert asked(level, info_of(red), info_of(TONES[tone](red)))
    assert asked(level, info_of(TONES[tone](red)), info_of(red))


@pytest.mark.parametrize(
    ("level", "ground", "one", "other"),
    crossed(
        ["strict", "near"],
        [255, 245],
        [
            ((38, 38, 42), (220, 218, 214)),  # black and white
            ((38, 38, 42), (130, 131, 134)),  # black and grey
            ((40, 80, 180), (38, 38, 42)),  # blue and black
            ((190, 30, 40), (130, 131, 134)),  # red and grey
            ((110, 70, 45), (235, 120, 30)),  # brown and orange
            ((215, 195, 165), (190, 30, 40)),  # beige and red
        ],
    ),
)
def test_a_garment_in_another_dye_is_another_picture(
    level: str, ground: int, one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    assert not asked(level, info_of(garment(one, ground)), info_of(garment(other, ground)))
    assert not asked(level, info_of(garment(other, ground)), info_of(garment(one, ground)))


@pytest.mark.parametrize(
    ("level", "one", "other"),
    crossed(
        ["strict", "near"],
        [
            ((190, 30, 40), (110, 70, 45)),  # red and a brown as bright
            ((40, 120, 70), (30, 118, 128)),  # green and teal
            ((40, 80, 180), (110, 50, 130)),  # blue and purple
        ],
    ),
)
def test_a_part_in_a_dye_as_bright_is_another_picture(
    level: str, one: tuple[int, int, int], other: tuple[int, int, int]
) -> None:
    worn, changed = garment(one), garment(one).copy()
    changed.paste(garment(other).crop((0, 150, 400, 290)), (0, 150))
    assert not asked(level, info_of(worn), info_of(changed))
    assert not asked(level, info_of(changed), info_of(worn))


@pytest.mark.parametrize(
    ("level", "dye", "grey"),
    crossed(
        ["strict", "near"],
        [
            ((30, 40, 80), (38, 38, 42)),
            ((110, 70, 45), (84, 84, 88)),
            ((235, 205, 60), (190, 190, 192)),
        ],
    ),
)
def test_a_grey_about_as_bright_as_a_dye_is_another_picture(
    level: str, dye: tuple[int, int, int], grey: tuple[int, int, int]
) -> None:
    assert not asked(level, info_of(garment(dye)), info_of(garment(grey)))
    assert not asked(level, info_of(garment(grey)), info_of(garment(dye)))


def close_up(dye: tuple[int, int, int]) -> Image.Image:
    """A thing that leaves a quarter of the light ground."""
    return garment(dye).crop((62, 20, 338, 352))


@pytest.mark.parametrize("dye", [(48, 44, 46), (110, 60, 140), (235, 120, 30)])
def test_a_large_thing_in_another_dye_is_another_picture(dye: tuple[int, int, int]) -> None:
    assert not asked("near", info_of(close_up((150, 40, 45))), info_of(close_up(dye)))


@pytest.mark.parametrize("tone", sample(TONES, 3))
def test_tones_of_a_large_thing_are_copies(tone: str) -> None:
    picture = close_up((150, 40, 45))
    assert asked("near", info_of(picture), info_of(TONES[tone](picture)))


def watermarked(picture: Image.Image, text: str = "SAMPLE PICTURE") -> Image.Image:
    layer = Image.new("RGBA", picture.size)
    place = (picture.width // 2, picture.height // 2)
    ImageDraw.Draw(layer).text(
        place, text, (255, 255, 255, 150), anchor="mm", font_size=picture.width // 10
    )
    return Image.alpha_composite(picture.convert("RGBA"), layer).convert("RGB")


@pytest.mark.parametrize("text", ["SAMPLE PICTURE", slow("(c) somebody"), slow("PREVIEW 0815")])
def test_letters_laid_across_a_chart_or_a_garment_leave_it_a_copy(text: str) -> None:
    for picture in (chart(BARS), garment((40, 60, 130))):
        assert asked("near", info_of(picture), info_of(watermarked(picture, text)))
        assert asked("near", info_of(watermarked(picture, text)), info_of(picture))


@pytest.mark.parametrize(
    ("tone", "dye"),
    sample(product(TONES, [(90, 92, 96), (60, 110, 70), (40, 60, 130)]), 8),
)
def test_tones_of_other_dyes_are_copies(tone: str, dye: tuple[int, int, int]) -> None:
    assert asked("near", info_of(garment(dye)), info_of(TONES[tone](garment(dye))))


def chart(values: list[int], side: int = 500) -> Image.Image:
    """Bars over an axis on white, with ticks and a title."""
    picture = Image.new("RGB", (side, side), "white")
    draw = ImageDraw.Draw(picture)
    draw.line((50, 40, 50, 450), "black", 3)
    draw.line((50, 450, 470, 450), "black", 3)
    draw.text((200, 10), "Visits a month", "black", font_size=18)
    for at, value in enumerate(values):
        draw.rectangle((70 + 65 * at, 450 - 4 * value, 120 + 65 * at, 450), (60, 110, 170))
        draw.text((85 + 65 * at, 460), "JFMAMJ"[at], "black", font_size=16)
    return picture


BARS = [80, 35, 60, 90, 45, 70]


@pytest.mark.parametrize(("level", "at"), crossed(["strict", "near"], range(6)))
def test_a_chart_with_one_other_bar_is_another_picture(level: str, at: int) -> None:
    other = [*BARS[:at], BARS[at] - 25, *BARS[at + 1 :]]
    assert not asked(level, info_of(chart(BARS)), info_of(chart(other)))


@pytest.mark.parametrize("tone", sample(TONES, 3, 1))
def test_edits_of_a_chart_are_copies(tone: str) -> None:
    assert asked("near", info_of(chart(BARS)), info_of(TONES[tone](chart(BARS))))


def test_a_chart_cut_by_a_fiftieth_is_a_copy() -> None:
    cut = chart(BARS).crop((10, 10, 500, 500))
    assert asked("near", info_of(chart(BARS)), info_of(cut))


@pytest.mark.parametrize("level", ["strict", "near"])
def test_a_part_in_another_colour_is_another_picture(level: str) -> None:
    worn = garment((190, 40, 45))
    other = worn.copy()
    other.paste(turned_hue(worn, 120).crop((0, 150, 400, 300)), (0, 150))
    assert not asked(level, info_of(worn), info_of(other))


def test_wide_takes_other_colours_for_copies() -> None:
    red = garment((190, 40, 45))
    assert asked("wide", info_of(red), info_of(turned_hue(red, 120)))


def test_a_cropped_copy_in_another_colour_is_another_picture() -> None:
    red = garment((190, 40, 45))
    blue = turned_hue(red, 120).crop((20, 10, 400, 390))
    assert asked("near", info_of(red), info_of(red.crop((20, 10, 400, 390))))
    assert not asked("near", info_of(red), info_of(blue))


def test_a_mirrored_copy_is_compared_in_its_own_colours() -> None:
    left = garment((190, 40, 45)).copy()
    left.paste((30, 90, 200), (60, 230, 200, 350), None)
    mirrored = NearDuplicates("near", turned=True)
    mirrored.add("x", 1, info_of(left))
    assert mirrored.find("x", info_of(ImageOps.mirror(left))) is not None
    assert mirrored.find("x", info_of(turned_hue(ImageOps.mirror(left), 120))) is None


def test_images_of_an_older_version_are_compared_by_their_greys() -> None:
    red = garment((190, 40, 45))
    older = replace(info_of(red), chroma=b"")
    assert asked("near", older, info_of(turned_hue(red, 120)))


def test_the_nearest_of_the_same_colour_is_found_among_other_colours() -> None:
    red = garment((190, 40, 45))
    near = NearDuplicates("near")
    for number, degrees in enumerate((60, 120, 180, 240)):
        near.add("x", number, info_of(turned_hue(red, degrees)))
    match = near.find("x", info_of(turned_hue(red, 180).resize((300, 300))))
    assert match is not None
    assert match.id == 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_inspection_gives_the_colours_of_sixteen_by_sixteen_cells(kind: str) -> None:
    halves = Image.new("RGB", (320, 200), (200, 30, 30))
    halves.paste((30, 30, 200), (160, 0, 320, 200))
    options = {} if kind == "PNG" else {"quality": 95}
    planes = np.frombuffer(info_of(halves, kind, **options).chroma, np.int8).reshape(2, 16, 16)
    assert planes[1, :, 2].min() > 60  # Cr of the red half
    assert planes[0, :, 13].min() > 60  # Cb of the blue half


def test_files_in_greys_have_no_colours() -> None:
    grey = garment((90, 90, 90)).convert("L")
    assert info_of(grey).chroma == GREY
    assert len(GREY) == CHROMA_BYTES


def test_the_colours_of_a_turned_file_stand_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    top = Image.new("RGB", (300, 200), "white")
    top.paste((200, 30, 30), (0, 0, 300, 100))
    planes = np.frombuffer(info_of(top, exif=exif.tobytes()).chroma, np.int8).reshape(2, 16, 16)
    assert planes[1, :, 13].min() > 60  # shown, the upper half is at the right
    assert abs(int(planes[1, 8, 2])) < 5
