"""Order images by likeness to one or several: by embeddings where all have one, else by look."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

from pixtrawl.scoring.likeness.spaces import space_of
from pixtrawl.studio.messages import StudioError
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.sets.views import parse_ref

__all__ = ["most_alike"]


def most_alike(
    data_set: OpenSet, ids: array[int], similar_to: Sequence[str]
) -> tuple[array[int], str, float]:
    """Return the images ordered by likeness, by what (`embedding` or `look`), and the share of the
    images that were compared: the others come last.

    Raise StudioError where no image to compare with is given.
    """
    parsed = [parse_ref(ref) for ref in similar_to]
    own = [row for kind, row in parsed if kind == "s"]
    if not own or len(own) != len(parsed):
        raise StudioError(400, "similar_to wants the ids of one or several images")
    space = data_set.read(lambda db: space_of(db, own))
    best, done = data_set.most_alike(space, ids, own)
    if not best:
        raise StudioError(404, "there is no such image")
    if len(best) == len(ids):
        return array("I", best), space.by, done
    seen = set(best)
    return array("I", [*best, *(one for one in ids if one not in seen)]), space.by, done
