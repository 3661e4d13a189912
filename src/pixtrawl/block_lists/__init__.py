"""Block lists: hashes of pictures that must neither be kept nor shown, from files of the user's."""

from pixtrawl.block_lists.lists import BlockLists, load

__all__ = ["BlockLists", "load"]
