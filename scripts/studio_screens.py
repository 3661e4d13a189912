"""Takes the pictures of the studio for the docs: both themes, three widths, every view.

    .venv/bin/python scripts/studio_screens.py [NAME...]        # or, all: make screens

Collects a small data set from the practice site, serves it, and takes each view in a real Chromium.
Look at them before they are committed. Pictures 3840 pixels wide are stored at half their size.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from math import cos, pi, sin
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pixtrawl.browser.executable import find_browser
from pixtrawl.catalog.database import Catalog
from pixtrawl.catalog.scores import columns as scores, embeddings
from pixtrawl.catalog.views import pairs as look_pairs
from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.playground import Playground
from pixtrawl.scoring.likeness.spaces import Space
from pixtrawl.scoring.models.interface import to_bytes, unit
from pixtrawl.studio.serve import StudioServer

IMAGES = Path("docs/img")
QUERIES = ("tabby cat", "golden retriever", "steam train", "lighthouse")
MIX = {"fault": 0.25, "exact_duplicate": 0.05, "near_duplicate": 0.25, "placeholder": 0.02}
HEIGHTS = {360: 740, 1280: 800, 3840: 2160}  # px, by width
STORED = {360: 360, 1280: 1280, 3840: 1920}
QUALITY = 72
PATIENCE_MS = 60_000
STRAY = 12  # of so many images one lies among those of another label: the class check finds it
SETTLED = """() => !document.body.innerText.includes("Loading …") && [...document.images].every(
  (one) => one.complete || one.getBoundingClientRect().top > innerHeight)"""


def collect(folder: Path) -> None:
    """Collect the data set; some of its results are broken, doubled or in the way."""
    with Playground(mix=MIX, photographs=True, log=False) as site:
        words = [
            "run", *QUERIES, "-s", "bing", "--set", f"bing.base_url={site.url}",
            "--allow-address", "127.0.0.0/24", "-n", "30", "-o", str(folder),
        ]  # fmt: skip
        subprocess.run([sys.executable, "-m", "pixtrawl", *words], check=False)


def shot(page: Any, name: str, width: int) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function(SETTLED)
    page.wait_for_timeout(400)  # thumbnails are decoded, colours have changed over
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    if STORED[width] != picture.width:
        size = (STORED[width], picture.height * STORED[width] // picture.width)
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    path = IMAGES / f"studio-{name}.webp"
    picture.save(path, "WEBP", quality=QUALITY, method=6)
    print(f"{path}: {picture.width} x {picture.height}, {path.stat().st_size:,} bytes")


def place(name: str, sign: str) -> Callable[[Any], None]:
    """Return what goes to a view by its name, and waits for what shows that it is there."""

    def go(page: Any) -> None:
        page.get_by_role("navigation").get_by_role("button", name=name, exact=True).click()
        page.locator(sign).first.wait_for()

    return go


def embed(folder: Path) -> None:
    """Give each image an embedding, as `pixtrawl score` does: here from its look and its label.

    No model is fetched for a picture of the page; how the map looks is the same.
    """
    catalog = Catalog(Folder(folder).catalog)
    try:
        images = catalog.write_now(look_pairs.labelled)
        space = Space("look")
        ids, looks = catalog.write_now(lambda db: space.vectors(db, images.ids))
        middles = np.random.default_rng(1).normal(size=(len(images.names), looks.shape[1]))
        label = dict(zip(images.ids, images.labels, strict=True))
        own = np.array([label[one] for one in ids])
        own[::STRAY] = (own[::STRAY] + 1) % len(images.names)
        vectors = unit(looks + 0.02 * middles[own])
        model = catalog.write_now(lambda db: scores.note_model(db, "clip-b32@screens", {}))
        rows = list(zip(ids, map(to_bytes, vectors), strict=True))
        catalog.write_now(lambda db: embeddings.store(db, model, rows))
    finally:
        catalog.close()


def lasso(page: Any) -> None:
    """Draw around a part of the map."""
    place("Map", ".map-line")(page)
    box = page.locator(".map-over").bounding_box()
    x, y, side = (
        box["x"] + box["width"] / 2,
        box["y"] + box["height"] / 2,
        min(box["width"], box["height"]),
    )
    corners = [
        (x + 0.3 * side * cos(k * pi / 8), y - 0.2 * side + 0.24 * side * sin(k * pi / 8))
        for k in range(17)
    ]
    page.mouse.move(*corners[0])
    page.mouse.down()
    for corner in corners[1:]:
        page.mouse.move(*corner)
    page.mouse.up()
    page.locator(".count-line.loud").wait_for()


def meaning(page: Any) -> None:
    """Ask for the meaning of words without a model that takes them: what to run is said."""
    page.get_by_label("Search by", exact=True).select_option("meaning")
    page.get_by_label("Search by what the pictures show").fill("a cat on a sofa")
    page.keyboard.press("Enter")
    page.locator(".said .bad").wait_for()


def grid(page: Any) -> None:
    page.locator(".tile.current .picture[src]").wait_for()


def captions(page: Any) -> None:
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowDown", "c"):
        page.keyboard.press(key)
    page.get_by_label("Find and replace").check()
    page.get_by_label("Find", exact=True).fill("photo of")
    page.get_by_label("Replace by").fill("picture of")


def colours(page: Any) -> None:
    page.get_by_text("Colour", exact=True).click()
    page.get_by_role("button", name="orange", exact=True).click()
    page.locator(".count-line.loud").wait_for()


def start(page: Any) -> None:
    page.locator("button.name").click()
    page.locator(".start").wait_for()
    page.get_by_label("Words, one query a line").fill("red fox\nsnowy owl")


VIEWS: tuple[tuple[str, int, str, Callable[[Any], None]], ...] = (
    *((f"grid-{width}-{theme}", width, theme, grid)
      for width in HEIGHTS for theme in ("light", "dark")),
    ("not-kept", 1280, "light", place("Not kept", ".tile:not(.no-picture) .picture[src]")),
    ("duplicates", 360, "dark", place("Duplicates", ".copy.current")),
    ("duplicates-wide", 1280, "light", place("Duplicates", ".copy.current")),
    *((f"map-{width}-{theme}", width, theme, place("Map", ".map-line"))
      for width in (360, 1280) for theme in ("light", "dark")),
    *((f"lasso-{theme}", 1280, theme, lasso) for theme in ("light", "dark")),
    *((f"meaning-{theme}", 1280, theme, meaning) for theme in ("light", "dark")),
    ("check", 1280, "light", place("Check", ".check section")),
    ("check-narrow", 360, "dark", place("Check", ".check section")),
    ("charts", 1280, "dark", place("Charts", ".bar")),
    ("run", 1280, "light", place("Run", ".run table")),
    ("captions", 1280, "light", captions),
    ("colour", 1280, "dark", colours),
    ("start", 1280, "light", start),
)  # fmt: skip


def main() -> int:
    """Take the pictures that are named, else all."""
    from playwright.sync_api import sync_playwright

    found = find_browser()
    if found is None:
        print("no Chromium on this machine: scripts/browser.sh fetches one", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="pixtrawl-screens-") as scratch:
        os.environ["XDG_CACHE_HOME"] = f"{scratch}/cache"  # no data set of the person is shown
        folder = Path(scratch, "animals and places")
        collect(folder)
        embed(folder)
        with StudioServer(folder).start() as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=found.path, args=["--no-sandbox"])
            for name, width, theme, prepare in VIEWS:
                if sys.argv[1:] and name not in sys.argv[1:]:
                    continue
                size: Any = {"width": width, "height": HEIGHTS[width]}
                scheme: Any = theme
                context = browser.new_context(viewport=size, color_scheme=scheme)
                page = context.new_page()
                page.set_default_timeout(PATIENCE_MS)
                page.goto(server.url)
                grid(page)
                prepare(page)
                page.mouse.move(0, 0)
                shot(page, name, width)
                context.close()
            browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
