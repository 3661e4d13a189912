"""Report changes made by hand to the files of a data set since the last command."""

from __future__ import annotations

from pathlib import Path


def report_changes_by_hand(root: Path | str) -> None:
    """Record the changes and print a line for each on stderr. Raises UsageError (no data set)."""
    from pixtrawl.display.screen import note
    from pixtrawl.folder.by_hand import sentences
    from pixtrawl.folder.catch_up import catch_up
    from pixtrawl.folder.dataset_folder import Folder

    noticed = catch_up(Folder(root)).noticed
    for sentence in sentences(noticed) if noticed is not None else ():
        note(sentence)
