"""Report changes made by hand to the files of a data set since the last command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pixtrawl.folder.recovery.by_hand import ByHand

__all__ = ["report_changes_by_hand", "show_changes_by_hand"]


def report_changes_by_hand(root: Path | str) -> None:
    """Record the changes and print a line for each on stderr. Raises UsageError (no data set)."""
    from pixtrawl.folder.dataset_folder import Folder
    from pixtrawl.folder.recovery.catch_up import catch_up

    catch_up(Folder(root), notify=show_changes_by_hand)


def show_changes_by_hand(noticed: ByHand) -> None:
    """Print a line for each kind of change on stderr."""
    from pixtrawl.display.screen import note
    from pixtrawl.folder.recovery.by_hand import sentences

    for sentence in sentences(noticed):
        note(sentence)
