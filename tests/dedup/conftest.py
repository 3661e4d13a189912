"""Photographs that come with two libraries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from PIL import Image
from tests.dedup.edits import PHOTOGRAPHS, info_of

from pixtrawl.model import ImageInfo


@pytest.fixture(scope="session")
def photographs() -> list[Image.Image]:
    found = []
    for package, names in PHOTOGRAPHS.items():
        spec = importlib.util.find_spec(package)
        if spec is None or spec.origin is None:
            pytest.skip(f"the photographs of {package} are not installed")
        found += [Path(spec.origin).parent / name for name in names]
    pictures = [Image.open(file).convert("RGB") for file in found if file.exists()]
    for picture in pictures:  # the largest is as large as three others
        picture.thumbnail((800, 800))
    return pictures


@pytest.fixture(scope="session")
def originals(photographs: list[Image.Image]) -> list[ImageInfo]:
    return [info_of(picture, "PNG") for picture in photographs]
