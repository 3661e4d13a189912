"""Order images by likeness to one or several: by embeddings where all have one, else by look."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from pixtrawl.scoring.similar import order_by_likeness
from pixtrawl.scoring.spaces import space_of
from pixtrawl.studio.messages import StudioError
from pixtrawl.studio.open_set import OpenSet
from pixtrawl.studio.views import parse_ref

__all__ = ["most_alike"]


def most_alike(
    data_set: OpenSet, ids: array[int], similar_to: Sequence[str]
) -> tuple[array[int], str]:
    """Return the images ordered by likeness, and by what: `embedding` or `look`.

    Raise StudioError where no image to compare with is given.
    """
    parsed = [parse_ref(ref) for ref in similar_to]
    own = [row for kind, row in parsed if kind == "s"]
    if not own or len(own) != len(parsed):
        raise StudioError(400, "similar_to wants the ids of one or several images")
    space = data_set.read(lambda db: space_of(db, own))
    found = data_set.read(lambda db: order_by_likeness(db, space, ids, own))
    if not found:
        raise StudioError(404, "there is no such image")
    best = [one for one, _ in found]
    seen = set(best)
    return array("I", [*best, *(one for one in ids if one not in seen)]), space.by
