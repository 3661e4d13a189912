"""The same pixels by every way out of a data set, whatever the file is made of."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import pixtrawl
from pixtrawl.images.inspect import inspect_bytes
from pixtrawl.images.pixels import rgb, thumbnail
from pixtrawl.transform import BadPictureError
from tests.images.profiles import swapped_profile
from tests.pipeline.pictures import fetch, manifest, serving
from tests.shared_data import shared

SIZE = (120, 90)
CAP = 100_000_000


def ramp(top: float) -> np.ndarray[Any, Any]:
    """A picture that no rotation, clipping or exchange of channels leaves alike."""
    across, down = np.meshgrid(np.linspace(0, 1, SIZE[0]), np.linspace(0, 1, SIZE[1]))
    return (0.7 * across + 0.3 * down**2) * top


def colours() -> Image.Image:
    planes = [ramp(255), ramp(255)[:, ::-1], 255 - ramp(200)]
    return Image.fromarray(np.stack(planes, axis=2).astype(np.uint8))


def deep(bits: int = 16) -> np.ndarray[Any, Any]:
    return ramp(2**bits - 1).astype(np.uint16)


def png(width: int, height: int, kind: int, rows: np.ndarray[Any, Any], *more: bytes) -> bytes:
    """A 16-bit PNG by hand: Pillow writes greys only."""
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)
    chunks = [chunk(b"IHDR", head), *more, chunk(b"IDAT", zlib.compress(raw)), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def saved(image: Image.Image, format_: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def turned(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(colours(), "PNG", exif=exif)


def see_through() -> Image.Image:
    image = colours().convert("RGBA")
    image.putalpha(Image.fromarray(ramp(255).astype(np.uint8)))
    return image


def palette() -> Image.Image:
    image = colours().quantize(64)
    image.info["transparency"] = 3
    return image


FILES: dict[str, Callable[[], bytes]] = {
    "rgb.png": lambda: saved(colours(), "PNG"),
    "rgb.jpg": lambda: saved(colours(), "JPEG", quality=92),
    "grey.jpg": lambda: saved(colours().convert("L"), "JPEG"),
    "cmyk.jpg": lambda: saved(colours().convert("CMYK"), "JPEG"),
    "grey16.png": lambda: saved(Image.fromarray(deep()), "PNG"),
    "grey16.tif": lambda: saved(Image.fromarray(deep()), "TIFF"),
    "grey32.tif": lambda: saved(Image.fromarray(deep().astype(np.int32)), "TIFF"),
    "float.tif": lambda: saved(Image.fromarray(ramp(1).astype(np.float32)), "TIFF"),
    "clear16.png": lambda: png(
        *SIZE, 0, deep(), chunk(b"tRNS", struct.pack(">H", int(deep()[4, 7])))
    ),
    "rgb16.png": lambda: png(
        *SIZE, 2, np.stack([deep(), deep()[:, ::-1], deep()], axis=2).reshape(SIZE[1], -1)
    ),
    "rgba.png": lambda: saved(see_through(), "PNG"),
    "rgba.webp": lambda: saved(see_through(), "WEBP", lossless=True),
    "la.png": lambda: saved(see_through().convert("LA"), "PNG"),
    "palette.png": lambda: saved(palette(), "PNG", transparency=3),
    "palette.gif": lambda: saved(palette(), "GIF", transparency=3),
    "bits.png": lambda: saved(colours().convert("1"), "PNG"),
    "profile.png": lambda: saved(colours(), "PNG", icc_profile=swapped_profile()),
    "profile.jpg": lambda: saved(colours(), "JPEG", icc_profile=swapped_profile()),
    **{f"turned{n}.png": partial(turned, n) for n in range(2, 9)},
}


@pytest.fixture(scope="module")
def ds(tmp_path_factory: pytest.TempPathFactory) -> pixtrawl.Dataset:
    folder = tmp_path_factory.mktemp("every-way")
    with serving({f"/{name}": make() for name, make in FILES.items()}) as host:
        # Each under a label of its own: near duplicates of another file are no concern here.
        rows = [(name.replace(".", " "), f"{host.url}/{name}") for name in FILES]
        return pixtrawl.open(fetch(manifest(folder / "m.jsonl", rows), folder / "set").root)


def arrays(pictures: dict[str, Any]) -> dict[str, np.ndarray[Any, Any]]:
    return {name: np.asarray(picture) for name, picture in pictures.items()}


def test_every_kind_of_file_is_in_the_set(ds: pixtrawl.Dataset) -> None:
    assert {sample.label for sample in ds} == {name.replace(".", " ") for name in FILES}


def test_torch_hugging_face_and_lossless_exports_hold_the_same_pixels(
    ds: pixtrawl.Dataset, tmp_path: Path
) -> None:
    tensors = ds.to_torch()
    torch = arrays({sample.label: tensors[at][0] for at, sample in enumerate(ds)})
    faces = ds.to_hf()
    hugging = arrays({sample.label: faces[at]["image"] for at, sample in enumerate(ds)})
    ds.export("imagefolder", tmp_path / "png", encode="png", flatten="white")
    exported = arrays(
        {path.parent.name: Image.open(path).convert("RGB") for path in tmp_path.rglob("*.png")}
    )
    assert set(torch) == set(exported) == set(hugging)
    for label, pixels in torch.items():
        assert pixels.shape[2] == 3, label
        assert np.array_equal(pixels, hugging[label]), f"to_hf: {label}"
        assert np.array_equal(pixels, exported[label]), f"export: {label}"


def test_jpeg_exports_thumbnails_and_the_sheet_are_of_the_same_brightness(
    ds: pixtrawl.Dataset, tmp_path: Path
) -> None:
    tensors = ds.to_torch()
    full = arrays({sample.label: tensors[at][0] for at, sample in enumerate(ds)})
    ds.export("imagefolder", tmp_path / "jpg", encode="jpg")
    small = ds.to_pandas(thumbnail_px=60)
    thumbnails = dict(zip(small["label"], small["thumbnail"], strict=True))
    for path in tmp_path.rglob("*.jpg"):
        label = path.parent.name
        mean = full[label].mean(axis=(0, 1))
        told = np.asarray(Image.open(path).convert("RGB"))
        assert np.allclose(told.mean(axis=(0, 1)), mean, atol=3), label
        assert np.allclose(np.asarray(thumbnails[label]).mean(axis=(0, 1)), mean, atol=3), label
    one = ds.filter(label="grey16 png")
    sheet = np.asarray(one.show(count=1, columns=1, size=120))[6:96, 6:126]
    assert abs(float(sheet[20:80].mean()) - float(full["grey16 png"].mean())) < 25
    assert float((sheet > 250).mean()) < 0.4, "a deep grey is not white"


def expected(name: str) -> np.ndarray[Any, Any]:
    if name == "rgb.png":
        return np.asarray(colours())
    if name.startswith("grey16"):
        return np.stack([deep() >> 8] * 3, axis=2)
    if name == "grey32.tif":
        return np.stack([(deep() / 257).astype(np.uint8)] * 3, axis=2)
    if name == "float.tif":
        return np.stack([(ramp(1).astype(np.float32) * 255).astype(np.uint8)] * 3, axis=2)
    ground = Image.new("RGBA", SIZE, "white")
    return np.asarray(Image.alpha_composite(ground, see_through()).convert("RGB"))


@pytest.mark.parametrize(
    "name", ["rgb.png", "grey16.png", "grey16.tif", "grey32.tif", "float.tif", "rgba.png",
             "rgba.webp"],
)  # fmt: skip
def test_pixels_are_those_that_the_file_states(name: str) -> None:
    got = np.asarray(rgb(FILES[name]())).astype(int)
    assert int(np.abs(got - expected(name)).max()) <= 1


@pytest.mark.parametrize("orientation", range(2, 9))
def test_every_orientation_is_applied_once(orientation: int) -> None:
    upright = rgb(turned(orientation))
    undo = {2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    exif = Image.Exif()
    exif[0x0112] = undo
    back = rgb(saved(upright, "PNG", exif=exif))
    assert np.array_equal(np.asarray(back), np.asarray(colours()))
    assert not np.array_equal(np.asarray(upright), np.asarray(colours()))


def test_a_colour_profile_changes_the_pixels() -> None:
    plain = np.asarray(rgb(FILES["rgb.png"]())).astype(int)
    converted = np.asarray(rgb(FILES["profile.png"]())).astype(int)
    assert float(np.abs(plain - converted).mean()) > 10


@pytest.mark.parametrize(("ground", "corner"), [("white", 255), ("black", 0), ("#808080", 128)])
def test_transparent_parts_show_the_ground_that_was_asked_for(ground: str, corner: int) -> None:
    image = Image.new("RGBA", (80, 60), (250, 10, 10, 0))
    picture = rgb(saved(image, "PNG"), ground=ground)
    assert picture.getpixel((3, 3)) == (corner,) * 3


def test_the_clear_grey_of_a_16_bit_file_is_its_exact_value_only() -> None:
    values = np.full((60, 80), 0x1234, np.uint16)
    values[:, 40:] = 0x12FF  # the same upper half
    picture = rgb(png(80, 60, 0, values, chunk(b"tRNS", struct.pack(">H", 0x1234))))
    assert picture.getpixel((10, 10)) == (255, 255, 255)
    assert picture.getpixel((70, 10)) == (0x12, 0x12, 0x12)


def test_a_thumbnail_fits_its_square_and_never_grows() -> None:
    assert thumbnail(FILES["rgb.jpg"](), 32).size == (32, 24)
    assert thumbnail(FILES["rgb.jpg"](), 500).size == SIZE


def test_hugging_face_writes_a_plain_image_feature(ds: pixtrawl.Dataset, tmp_path: Path) -> None:
    import datasets

    ds.to_hf().save_to_disk(str(tmp_path / "saved"))
    features = datasets.load_from_disk(str(tmp_path / "saved")).features
    assert type(features["image"]) is datasets.Image


def test_a_damaged_file_is_told_by_name(ds: pixtrawl.Dataset, tmp_path: Path) -> None:
    from pixtrawl.dataset.pictures import picture_of

    path = tmp_path / "cut.png"
    path.write_bytes(FILES["rgb.png"]()[:400])
    with pytest.raises(pixtrawl.PictureError, match=r"cut\.png: does not decode"):
        picture_of(path)
    with pytest.raises(BadPictureError):
        rgb(b"no picture")


def test_what_inspection_keeps_every_way_out_can_show() -> None:
    """Each file of the third-party suites that is kept is a picture of the stated size."""
    folder = shared("suites/images")
    wrong = []
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        info = inspect_bytes(data, CAP).info
        if info is None:
            continue
        try:
            picture = rgb(data)
        except BadPictureError as error:
            wrong.append(f"{path.name}: {error}")
            continue
        size = (info.width, info.height)
        if picture.size != (size[::-1] if info.orientation >= 5 else size):
            wrong.append(f"{path.name}: {picture.size} is not {size}")
    assert not wrong
