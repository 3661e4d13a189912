"""Find the kept image that looks the same as a new one, by the rule of each `--dedup` level.

Stage 1 queries a global index of perceptual hashes (of the picture with and without its border).
Stage 2 aligns its thumbnail with those of the most similar images of the same label, which finds
crops, padding, small rotations and frames. Hashes of nearly uniform pictures are meaningless: these
match only where thumbnail, colour and aspect ratio all agree. Numpy, which takes 0.15 s to import,
is left until the first image with a hash, while downloads are already running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from pixtrawl.dedup.levels import LIMITS, Level, LookLimits
from pixtrawl.dedup.match import FRAMED, Match, order_of, seen
from pixtrawl.dedup.search.id_labels import IdLabels
from pixtrawl.dedup.search.kept_looks import KeptLooks
from pixtrawl.dedup.search.last_picture import LastPicture
from pixtrawl.model import ImageInfo
from pixtrawl.numeric import load_numpy

if TYPE_CHECKING:
    from pixtrawl.dedup.flat import Flat
    from pixtrawl.dedup.overlay.aligned import Overlay
    from pixtrawl.dedup.search.descriptor_index import DescriptorIndex
    from pixtrawl.dedup.search.hash_index import HashIndex
    from pixtrawl.dedup.search.view_index import ViewIndex

__all__ = ["FLAT_STEP", "THUMB_BYTES", "Level", "Match", "NearDuplicates"]

THUMB_BYTES: Final = 4_096  # 64x64 grey
FLAT_STEP: Final = 4  # of 255, between thumbnails and mean colours
_MARKED_INSIDE: Final = 56  # bits, as `LookLimits.marked`
_BATCH: Final = 512  # images per step of `add_many`: 8 MB of pixels fit the CPU cache
_AT_ONCE: Final = 200_000  # hashes per index update: 30 MB


class NearDuplicates:
    """Index of the kept images of a data set for search by appearance.

    `thumb_of`, `chroma_of` and `fine_of` read the thumbnail, the colours and the fine greys of a
    kept image (from the catalog) when needed; without them all stay in memory, 4.5 KB per image.
    All else takes 0.5 KB per image in a label of 100,000, and 0.4 KB in one of 300,000. Ids are row
    numbers. With `turned`, mirrored copies and quarter turns match too, at about twice the cost.
    """

    def __init__(
        self,
        level: Level | str = Level.NEAR,
        thumb_of: Callable[[int], bytes] | None = None,
        chroma_of: Callable[[int], bytes] | None = None,
        fine_of: Callable[[int], bytes] | None = None,
        *,
        turned: bool = False,
    ) -> None:
        self.level = Level(level)
        self._rule = LIMITS.get(self.level)
        self._turned = turned
        self._made: HashIndex | None = None
        self._made_views: ViewIndex | None = None
        self._last = LastPicture()
        self._refused: set[int] = set()  # ids that differ as wholes from the picture of `find`
        self._labels = IdLabels()
        self._descriptor_indexes: dict[str, DescriptorIndex] = {}
        self._pictures: dict[int, Any] = {}  # coarse pictures, cached for all labels together
        self._flats: dict[str, dict[int, Flat]] = {}
        self._looks = KeptLooks(thumb_of, chroma_of, fine_of)

    @property
    def _index(self) -> HashIndex:
        if self._made is None:
            load_numpy()
            from pixtrawl.dedup.search.hash_index import HashIndex

            self._made = HashIndex()
        return self._made

    def add(self, label: str, id: int, info: ImageInfo) -> None:
        """Add an image; one without a perceptual hash is ignored."""
        if self._takes(label, id, info):
            self._index.add(id, [info.phash, info.phash_trim])
            self._add_descriptors(label, [(id, info)])

    def add_many(self, images: Iterable[tuple[str, int, ImageInfo]]) -> None:
        """Add (label, id, info) of a whole label or catalog: 20 us each.

        An info without a thumbnail matches by its hashes only.
        """
        if self._rule is None:
            return
        rows = iter(images)
        ids: list[int] = []
        hashes: list[bytes] = []
        while batch := list(islice(rows, _BATCH)):
            by_label: dict[str, list[tuple[int, ImageInfo]]] = {}
            for label, id, info in batch:
                if not self._takes(label, id, info):
                    continue
                for hash in {info.phash, info.phash_trim}:
                    ids.append(id)
                    hashes.append(hash)
                if info.thumb:
                    by_label.setdefault(label, []).append((id, info))
            for label, some in by_label.items():
                self._add_descriptors(label, some)
            self._extend(ids, hashes, _AT_ONCE)
        self._extend(ids, hashes)

    def _extend(self, ids: list[int], hashes: list[bytes], least: int = 1) -> None:
        """Move both lists into the index once they have at least `least` rows."""
        if len(ids) >= least:
            self._index.extend(ids, hashes)
            ids.clear()
            hashes.clear()

    def _takes(self, label: str, id: int, info: ImageInfo) -> bool:
        """Register the image; return whether to index its hash. Flat images have their own list."""
        if self._rule is None or not info.phash:
            return False
        load_numpy()
        self._labels[id] = label
        if info.flat:
            from pixtrawl.dedup.flat import Flat

            self._flats.setdefault(label, {})[id] = Flat.of(info)
        else:
            self._looks.add(id, info)
        return not info.flat

    def _add_descriptors(self, label: str, images: list[tuple[int, ImageInfo]]) -> None:
        """Index the images for the second look, except those without a thumbnail of this size."""
        assert self._rule is not None
        images = [(id, info) for id, info in images if len(info.thumb) == THUMB_BYTES]
        if not self._rule.aligned or not images:
            return
        from pixtrawl.dedup.search.descriptor_index import DescriptorIndex
        from pixtrawl.dedup.search.overlay_search import coarse_of

        descriptors = self._descriptor_indexes.get(label)
        if descriptors is None:
            descriptors = self._descriptor_indexes[label] = DescriptorIndex(self._pictures)
        pictures = [(id, info.thumb) for id, info in images]
        if self._rule.view:
            views = [self._last.views(info) for _, info in images]
            self._view_index.add([id for id, _ in images], views)
        if self._rule.inside:
            inner = ((id, self._last.inside(info)) for id, info in images)
            pictures += [(FRAMED - id, one.thumb) for id, one in inner if one is not None]
        descriptors.add([key for key, _ in pictures], coarse_of([thumb for _, thumb in pictures]))

    def remove(self, id: int) -> None:
        """Remove an image; an unknown id is ignored."""
        label = self._labels.pop(id)
        if label is None:
            return
        if self._flats.get(label, {}).pop(id, None) is None:
            self._index.remove(id)
            self._looks.remove(id)
            if label in self._descriptor_indexes:
                self._descriptor_indexes[label].remove(id)
                self._descriptor_indexes[label].remove(FRAMED - id)
                if self._rule is not None and self._rule.view:
                    self._view_index.remove(id)

    def find(self, label: str, info: ImageInfo) -> Match | None:
        """Return the most similar kept image within the level's limits, its own label first."""
        if self._rule is None or not info.phash:
            return None
        load_numpy()
        if info.flat:
            return self._flat(label, info)
        found = self._upright(label, info, self._rule)
        if found is not None or not self._turned:
            return found
        return self._turned_copy(label, info, self._rule)

    def _upright(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        self._refused.clear()
        by_hash = self._by_hash(label, info, rule)
        if by_hash is not None and by_hash.label == label:
            return by_hash
        looks = (self._by_overlay, self._by_view, self._by_inside, self._by_deep_overlay)
        return next(filter(None, (look(label, info, rule) for look in looks)), by_hash)

    def _by_deep_overlay(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        """Find a deep crop, a padded copy or one that bears marks; within the label."""
        descriptors = self._descriptor_indexes.get(label)
        if descriptors is None or not rule.deep or len(info.thumb) != THUMB_BYTES:
            return None
        from pixtrawl.dedup.search.deep_search import find_deep_overlay

        limits, differs = (rule.deep, rule.marked), partial(self._differs_inside, info)
        found = find_deep_overlay(
            descriptors, info.thumb, self._looks.thumb_or_inside, limits, differs
        )
        return found and seen(*found, label)

    def _by_view(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        """Find a copy inside a frame or by its middle square, by hash; within the label."""
        if not rule.view or len(info.thumb) != THUMB_BYTES:
            return None
        found = self._view_index.find(
            info,
            self._last.views(info),
            self._index,
            rule.view,
            lambda id: self._labels[id] == label,
        )
        return found and Match(*found, "view", label)

    def _by_inside(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        """Find a copy of what is inside a frame by laying it over others; within the label."""
        inner = (
            self._last.inside(info) if rule.inside and label in self._descriptor_indexes else None
        )
        if inner is None:
            return None
        # A view that fits everywhere may be off by fewer bits: frames of one kind look alike.
        strictly = replace(rule, fitting=rule.aligned, deep=rule.aligned, marked=_MARKED_INSIDE)
        info = replace(info, thumb=inner.thumb, chroma=inner.chroma, fine=b"")
        match = self._by_overlay(label, info, strictly, self._differs_inside)
        match = match or self._by_deep_overlay(label, info, strictly)
        return match and replace(match, stage="view")

    @property
    def _view_index(self) -> ViewIndex:
        if self._made_views is None:
            load_numpy()
            from pixtrawl.dedup.search.view_index import ViewIndex

            self._made_views = ViewIndex()
        return self._made_views

    def _by_hash(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        radius = max(rule.within_label, rule.across_labels)
        found: list[Match] = []
        for hash in {info.phash, info.phash_trim}:
            for id, distance in self._index.query(hash, radius):
                own = self._labels[id]
                if distance <= (rule.within_label if own == label else rule.across_labels):
                    found.append(Match(id, distance, "hash", own))
        found.sort(key=lambda match: order_of(match, label))
        return next((match for match in found if not self._differs(info, match.id)), None)

    def _by_overlay(
        self,
        label: str,
        info: ImageInfo,
        rule: LookLimits,
        differs: Callable[[ImageInfo, int, Overlay], bool] | None = None,
    ) -> Match | None:
        descriptors = self._descriptor_indexes.get(label)
        if descriptors is None or not rule.aligned or len(info.thumb) != THUMB_BYTES:
            return None
        from pixtrawl.dedup.search.overlay_search import find_overlay

        limits, refuse = (rule.aligned, rule.fitting), partial(differs or self._differs, info)
        found = find_overlay(descriptors, info.thumb, self._looks.thumb_or_inside, limits, refuse)
        return found and seen(*found, label)

    def _turned_copy(self, label: str, info: ImageInfo, rule: LookLimits) -> Match | None:
        """Find a mirrored or turned copy: by hash in any label, then by overlay in its own."""
        if len(info.thumb) != THUMB_BYTES:
            return None
        from pixtrawl.dedup.overlay.aligned import pixels_of
        from pixtrawl.dedup.overlay.turned import WAYS, turned_hashes, turned_info
        from pixtrawl.dedup.search.overlay_search import coarse_of

        pixels = pixels_of(info.thumb)
        seen = self._index.nearest_of(turned_hashes(pixels[None])[0, 1:], rule.within_label)
        if seen is not None:
            which, id, distance = seen
            own = self._labels[id]
            within = own == label or distance <= rule.across_labels
            if within and not self._differs(turned_info(info, 1 + which), id):
                return Match(id, distance, f"hash, {WAYS[1 + which]}", own)
        descriptors = self._descriptor_indexes.get(label)
        if descriptors is None:
            return None
        for way in descriptors.turned_near(coarse_of([info.thumb])[0]):
            copy = turned_info(info, way)
            found = self._by_overlay(label, copy, rule)
            if found is not None:
                return replace(found, stage=f"{found.stage}, {WAYS[way]}")
        return None

    def _differs(self, info: ImageInfo, id: int, overlay: Overlay | None = None) -> bool:
        """Return whether a matched image is no copy, as it shows other colours or other data."""
        if self._rule is None or not self._rule.other_colours_differ or not info.thumb:
            return False
        from pixtrawl.dedup.variants.verdict import Appearance, agree_as_wholes, differ

        if id <= FRAMED and FRAMED - id in self._refused:
            return True
        known = self._looks.appearance(id, fine=bool(info.fine))
        ours = Appearance(info.thumb, info.chroma, info.fine)
        if known is None or not differ(ours, known, overlay):
            return False
        if overlay is None and agree_as_wholes(ours, known):
            self._refused.add(id)
        return True

    def _differs_inside(self, info: ImageInfo, id: int, overlay: Overlay) -> bool:
        """As `_differs`, for a part; images that differ as wholes differ in parts, too."""
        return id in self._refused or self._differs(info, id, overlay)

    def _flat(self, label: str, info: ImageInfo) -> Match | None:
        if not (flats := self._flats.get(label)):
            return None
        from pixtrawl.dedup.flat import Flat

        wanted = Flat.of(info)
        steps = ((id, known.step(wanted)) for id, known in flats.items())
        return next((Match(*one, "flat", label) for one in steps if one[1] <= FLAT_STEP), None)
