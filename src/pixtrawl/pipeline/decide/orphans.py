"""Image files without a catalog row, as after an older catalog was restored."""

from __future__ import annotations

from msgspec import Struct, field

__all__ = ["Orphans"]


class Orphans(Struct):
    """Image files without a row in the folders of labels, by label and SHA-256."""

    names: dict[tuple[str, str], str] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)  # of them, those whose row the catalog lost

    def take(self, label: str, sha256: str) -> str | None:
        """Return the file that has these bytes already, and forget it."""
        name = self.names.pop((label, sha256), None)
        self.lost.discard(name or "")
        return name
