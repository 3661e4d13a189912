"""An offline web to try pixtrawl on: search pages, galleries, image hosts, and known faults."""

from pixtrawl.playground.search.listing import Original
from pixtrawl.playground.site import Playground

__all__ = ["Original", "Playground"]
