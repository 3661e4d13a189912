"""Search by meaning: words through the text side of the model that made the embeddings."""

from __future__ import annotations

from array import array

from pixtrawl.errors import PixtrawlError
from pixtrawl.scoring.likeness.spaces import space_of
from pixtrawl.scoring.models.model_places import place_of
from pixtrawl.scoring.models.text_vectors import text_vector
from pixtrawl.studio.messages import StudioError
from pixtrawl.studio.sets.open_set import OpenSet
from pixtrawl.studio.similarity.maps import score_command

__all__ = ["MOST_WORDS", "by_meaning"]

MOST_WORDS = 300  # characters


def by_meaning(data_set: OpenSet, ids: array[int], words: str) -> tuple[array[int], str, float]:
    """Return the images with an embedding, the nearest to the words first, by what, and the share
    of the images that were compared.

    Raise StudioError 409 with the command to run where there are no embeddings, or their model is
    not on this computer or takes no words.
    """
    text = " ".join(words.split())
    if not text or len(text) > MOST_WORDS:
        raise StudioError(400, f"meaning wants 1 to {MOST_WORDS} characters")
    space = data_set.read(space_of)
    command = score_command(data_set)
    if space.by != "embedding":
        raise StudioError(409, f"search by meaning needs embeddings; run: {command}")
    place = place_of(space.model)
    if place is None:
        raise StudioError(
            409,
            f"the model {space.model} that made the embeddings is not known on this computer, or "
            f"takes no words; run once: {command} (or with your own image-text --model)",
        )
    try:
        vector = text_vector(place, space.model, text)
    except PixtrawlError as error:
        raise StudioError(409, f"{error}; run: {command}") from error
    best, done = data_set.nearest_to(space, ids, vector)
    return array("I", best), space.by, done
