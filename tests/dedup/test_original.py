"""Of two copies of a picture the one nearer to the original is preferred."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from PIL.PngImagePlugin import PngInfo
from tests.matrices import sample, slow
from tests.pipeline import pictures

from pixtrawl.dedup.originals.best_of import best_of
from pixtrawl.dedup.originals.preference import Preference, prefer
from pixtrawl.images import record
from pixtrawl.images.appearance.portrait import portrait
from pixtrawl.portrait import Portrait

Edit = Callable[[Image.Image], Image.Image]


@cache  # edits make new pictures of it
def scene(seed: int, size: tuple[int, int] = (480, 360)) -> Image.Image:
    """Return a picture with the spectrum of a photograph: texture at all scales, and edges."""
    random = np.random.default_rng(seed)
    width, height = size
    across, down = np.meshgrid(np.fft.fftfreq(width) * width, np.fft.fftfreq(height) * height)
    fall = np.maximum(np.hypot(across, down), 1) ** 1.15
    planes = []
    for _ in range(3):
        phases = np.exp(2j * np.pi * random.random((height, width)))
        plane = np.fft.ifft2(phases / fall).real
        planes.append((plane - plane.mean()) / plane.std())
    grey, red, blue = planes
    pixels = np.stack([grey + 0.4 * red, grey, grey + 0.4 * blue], axis=-1) * 34 + 125
    image = Image.fromarray(np.clip(pixels, 6, 249).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = int(random.integers(0, width - 90)), int(random.integers(0, height - 90))
        box = (x, y, x + int(random.integers(30, 90)), y + int(random.integers(30, 90)))
        draw.ellipse(box, fill=tuple(int(value) for value in random.integers(40, 215, 3)))
    return image


def encoded(image: Image.Image, quality: int = 85, kind: str = "JPEG") -> bytes:
    return pictures.encoded(image, kind, **({} if kind == "PNG" else {"quality": quality}))


def described(image: Image.Image, quality: int = 85, kind: str = "JPEG") -> Portrait:
    found = portrait(encoded(image, quality, kind), 10**8)
    assert found is not None
    return found


@cache
def original(seed: int) -> Portrait:
    return described(scene(seed), 92)


def scaled(share: float, how: Image.Resampling = Image.Resampling.BICUBIC) -> Edit:
    return lambda image: image.resize(
        (round(image.width * share), round(image.height * share)), how
    )


def on_canvas(across: float, down: float, at: tuple[float, float], colour: str) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        size = (round(image.width * across), round(image.height * down))
        canvas = Image.new("RGB", size, colour)
        canvas.paste(image, (round(at[0] * image.width), round(at[1] * image.height)))
        return canvas

    return edit


def blurred_padding(image: Image.Image) -> Image.Image:
    side = max(image.size)
    canvas = image.resize((side, side)).filter(ImageFilter.GaussianBlur(side / 25))
    canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return canvas


def titled(image: Image.Image) -> Image.Image:
    shot = on_canvas(1.0, 1.1, (0, 0.1), "#3c4048")(image)
    ImageDraw.Draw(shot).text((6, 4), "Photos - viewer", "white", font_size=14)
    return shot


def written(words: str, place: tuple[float, float], fill: tuple[int, int, int, int]) -> Edit:
    def edit(image: Image.Image) -> Image.Image:
        layer = Image.new("RGBA", image.size)
        at = (place[0] * image.width, place[1] * image.height)
        ImageDraw.Draw(layer).text(at, words, fill, anchor="mm", font_size=image.width // 10)
        return Image.alpha_composite(image.convert("RGBA"), layer).convert("RGB")

    return edit


def captioned(image: Image.Image) -> Image.Image:
    image = image.copy()
    draw, top = ImageDraw.Draw(image), round(0.9 * image.height)
    draw.rectangle((0, top, image.width, image.height), fill="black")
    draw.text((20, top + 5), "as seen on the evening news", "white", font_size=20)
    return image


def matted(image: Image.Image) -> Image.Image:
    mat = on_canvas(1.12, 1.16, (0.06, 0.08), "#f2ede2")(image)
    return on_canvas(1.06, 1.08, (0.03, 0.04), "#2b1d12")(mat)


def tall_blurred_padding(image: Image.Image) -> Image.Image:
    width, height = image.width, image.width * 16 // 9
    left = round((image.width * height / image.height - width) / 2)
    canvas = image.resize((width + 2 * left, height)).crop((left, 0, left + width, height))
    canvas = canvas.filter(ImageFilter.GaussianBlur(width / 30))
    canvas.paste(image, (0, (height - image.height) // 2))
    return canvas


def grey_with_a_red_logo(image: Image.Image) -> Image.Image:
    image = image.copy()
    box = (image.width - 70, 10, image.width - 10, 70)
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle(box, 10, fill="#b01e28")
    draw.text((image.width - 40, 40), "N9", "white", anchor="mm", font_size=30)
    return image


EDITS: dict[str, Edit] = {
    "mat and frame": matted,
    "blurred padding to 9:16": tall_blurred_padding,
    "enlarged 1.6, sharpened": lambda image: scaled(1.6)(image).filter(
        ImageFilter.UnsharpMask(1.5, 100, 2)
    ),
    "sharpened": lambda image: image.filter(ImageFilter.UnsharpMask(2, 120, 2)),
    "blurred": lambda image: image.filter(ImageFilter.GaussianBlur(1.2)),
    "border": on_canvas(1.08, 1.1, (0.04, 0.05), "white"),
    "letter box": on_canvas(1.0, 1.3, (0, 0.15), "black"),
    "polaroid": on_canvas(1.12, 1.3, (0.06, 0.06), "#fafaf8"),
    "blurred padding": blurred_padding,
    "title bar": titled,
    "enlarged 1.3": scaled(1.3),
    "enlarged 1.3, lanczos": scaled(1.3, Image.Resampling.LANCZOS),
    "enlarged 1.5, bilinear": scaled(1.5, Image.Resampling.BILINEAR),
    "half": scaled(0.5),
    "three quarters": scaled(0.75),
    "crop": lambda image: image.crop((40, 0, image.width, image.height - 30)),
    "crop to square": lambda image: image.crop((60, 0, 420, 360)),
    "watermark": written("SAMPLE", (0.5, 0.5), (255, 255, 255, 150)),
    "meme text": written("WHEN YOU SEE IT", (0.5, 0.9), (255, 255, 255, 255)),
    "caption": captioned,
    "grey": lambda image: image.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("seeds", [range(1), slow(range(1, 3))], ids=["one", "more"])
@pytest.mark.parametrize("name", sample(EDITS, 5))
def test_the_original_is_preferred_to_its_edit(name: str, seeds: range) -> None:
    won = 0
    for seed in seeds:
        whole, copy = original(seed), described(EDITS[name](scene(seed)))
        first, second = prefer(whole, copy), prefer(copy, whole)
        assert first.first is not second.first or first.first is None, (seed, first, second)
        won += first.first is True
    assert won == len(seeds)


def test_of_two_png_files_of_the_same_pixels_the_one_with_its_metadata_is_kept() -> None:
    picture, file = scene(5), io.BytesIO()
    about = PngInfo()
    about.add_text("Author", "a photographer")
    picture.save(file, "PNG", pnginfo=about, dpi=(300, 300))
    published = portrait(file.getvalue(), 10**8)
    again = described(picture, kind="PNG")
    assert published is not None
    assert prefer(published, again).first
    assert prefer(again, published).first is False
    assert prefer(again, again).first is None


def test_heavy_compression_loses_and_a_finer_copy_of_a_coarse_file_wins_nothing() -> None:
    picture = scene(5)
    fine, coarse = described(picture, 92), described(picture, 40)
    assert prefer(fine, coarse).first
    again = described(Image.open(io.BytesIO(encoded(picture, 85))), 96)
    assert prefer(described(picture, 85), again).first


@pytest.mark.parametrize(("before", "after"), [(75, 95), (80, 87), (91, 95)])
def test_what_was_compressed_again_more_finely_is_no_original(before: int, after: int) -> None:
    picture = scene(4)
    published = described(picture, before)
    again = described(Image.open(io.BytesIO(encoded(picture, before))), after)
    assert prefer(published, again) == Preference(
        True, "is what the other was made from", 1.0, prefer(published, again).misfit, True
    )
    assert prefer(described(picture, after), published).first, "unless the coarser is the copy"


def test_the_quantisation_of_a_camera_is_recognised_too() -> None:
    picture, buffer = scene(3), io.BytesIO()
    own = [min(255, 4 + row + 2 * column) for row in range(8) for column in range(8)]
    picture.save(buffer, "JPEG", qtables=[own, own])  # of no IJG quality
    published = portrait(buffer.getvalue(), 10**8)
    assert published is not None
    assert prefer(published, described(Image.open(buffer), 97)).first


def test_words_written_on_a_finer_copy_do_not_hide_what_it_was_made_from() -> None:
    published = Image.open(io.BytesIO(encoded(scene(7), 75))).convert("RGB")
    marked = written("SAMPLE", (0.5, 0.5), (255, 255, 255, 60))(published)
    found = prefer(described(scene(7), 75), described(marked, 96))
    assert (found.first, found.why) == (True, "is what the other was made from")


def test_an_enlargement_by_nearest_neighbours_repeats_columns() -> None:
    for factor in (1.13, 1.5):
        large = described(scaled(factor, Image.Resampling.NEAREST)(scene(2)), 88)
        assert large.repeated > 0.7 * (1 - 1 / factor)
        assert prefer(described(scene(2), 85), large).first
    assert described(scene(2), 75).repeated < 0.01


def test_a_sharpened_copy_loses_however_finely_it_is_compressed() -> None:
    published = Image.open(io.BytesIO(encoded(scene(1), 80))).convert("RGB")
    sharper = published.filter(ImageFilter.UnsharpMask(1.5, 90, 0))
    assert prefer(described(scene(1), 80), described(sharper, 96)).why == "is not sharpened"
    assert prefer(described(scene(1), 80), described(sharper, 96)).first
    softer = published.filter(ImageFilter.GaussianBlur(0.8))
    assert prefer(described(scene(1), 80), described(softer, 75)).first


@pytest.mark.parametrize("seed", sample(range(1, 7), 3))
def test_a_blurred_copy_loses_however_finely_it_is_compressed(seed: int) -> None:
    """Of a soft picture it looks sharpened; of a noisy one it agrees in few pixels."""
    soft = scene(seed).filter(ImageFilter.GaussianBlur(1))
    pixels = np.asarray(scene(seed))
    grain = np.random.default_rng(seed).normal(0, 20, pixels.shape[:2])[..., None]
    noisy = Image.fromarray(np.clip(pixels + grain, 0, 255).astype(np.uint8))
    for image, blur_px in ((soft, 1.2), (noisy, 2.0)):
        blurred = image.filter(ImageFilter.GaussianBlur(blur_px))
        found = prefer(described(image, 80), described(blurred, 94))
        assert (found.first, found.why) == (True, "is not blurred")


def test_a_logo_does_not_make_a_grey_picture_colourful() -> None:
    for seed in range(3):
        grey = scene(seed).convert("L").convert("RGB")
        assert prefer(described(grey, 90), described(grey_with_a_red_logo(grey), 90)).first


def test_an_edited_copy_is_not_taken_for_what_the_original_was_made_from() -> None:
    published = Image.open(io.BytesIO(encoded(scene(4), 80))).convert("RGB")  # an older JPEG
    softer = published.filter(ImageFilter.GaussianBlur(0.8))
    for copy in (softer, grey_with_a_red_logo(published), published.convert("L").convert("RGB")):
        assert prefer(described(published, 92), described(copy, 80)).first


def test_a_lossless_file_made_of_a_jpeg_is_known_as_such() -> None:
    picture = scene(6)
    made = described(Image.open(io.BytesIO(encoded(picture, 88))), kind="PNG")
    assert prefer(described(picture, 88), made).first
    assert prefer(described(picture, kind="PNG"), described(picture, 95)).first


def test_a_finer_file_of_an_edited_copy_loses_to_the_published_one() -> None:
    """Nobody compresses an original again more finely; who edits a copy often does."""
    published = Image.open(io.BytesIO(encoded(scene(3), 80))).convert("RGB")
    for edited in (published.filter(ImageFilter.GaussianBlur(1.6)), published.convert("L")):
        assert prefer(described(scene(3), 80), described(edited.convert("RGB"), 97)).first


def test_a_lossless_file_with_the_pixels_of_a_fine_jpeg_was_decoded_from_it() -> None:
    file = encoded(scene(5), 89)
    copy = described(Image.open(io.BytesIO(file)), kind="PNG")
    whole = portrait(file, 10**8)
    assert whole is not None
    assert prefer(whole, copy).first
    assert prefer(copy, whole).first is False
    assert prefer(described(scene(5), kind="PNG"), whole).first  # whose pixels are not the same


@pytest.mark.parametrize("every", [12, slow(5)])
def test_the_order_of_copies_does_not_matter(every: int) -> None:
    picture = scene(8)
    four = {
        "original": described(picture, 92),
        "framed": described(EDITS["polaroid"](picture)),
        "enlarged": described(EDITS["enlarged 1.3"](picture)),
        "cropped": described(EDITS["crop"](picture)),
    }
    for order in list(permutations(four))[::every]:
        best, why = best_of([four[name] for name in order])
        assert order[best] == "original", (order, best)
        assert bool(why) is (best != 0)


def test_a_portrait_survives_the_wire_and_a_hostile_one_does_not() -> None:
    one = described(scene(2))
    packed = record.pack_portrait(7, one)
    got = record.unpack_portrait(packed, 7, 10**8)
    assert got is not None
    assert (got.grey, got.chroma, got.width) == (one.grey, one.chroma, one.width)
    assert (got.patches, got.notes) == (one.patches, one.notes)
    assert got.spectrum == pytest.approx(one.spectrum, rel=1e-5)
    assert record.unpack_portrait(record.pack_portrait(7, None), 7, 10**8) is None
    no_step = packed.replace(one.steps, bytes(64))
    no_width = packed[:5] + b"\x00" * 4 + packed[9:]
    for damaged, most in ((packed, 100), (no_width, 10**8), (no_step, 10**8)):
        with pytest.raises(record.HostileAnswerError):
            record.unpack_portrait(damaged, 7, most)


def test_a_file_that_does_not_decode_has_no_portrait() -> None:
    assert portrait(b"\xff\xd8\xff\xe0 no picture", 10**8) is None
    assert portrait(encoded(scene(1)), 1_000) is None
