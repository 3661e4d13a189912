"""What a person does to a data set in Python: labels, restoring, checking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.folder.sample_list import Samples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.pipeline.restore import Restored
    from pixtrawl.pipeline.verify import Verified

__all__ = ["Life", "tell_by_hand"]


class Life:
    """The part of `Dataset` that changes or checks the folder."""

    _samples: Samples

    def __iter__(self) -> Iterator[Sample]:
        """Gives every image."""
        yield from self._samples

    def label(self, to: str, files: Iterable[Sample | Path | str] | None = None) -> int:
        """Puts images under another label, as `pixtrawl label` does.

        Args:
            to: the label; it may be a new one.
            files: samples, files or labels' folders; None: every image of this (filtered) set.

        Returns how many moved. Raises UsageError, StorageError.
        """
        from pixtrawl.pipeline.labelling import put_under_label

        chosen: Iterable[Sample | Path | str] = self if files is None else files
        names = [one.file_name if isinstance(one, Sample) else str(one) for one in chosen]
        return len(put_under_label(self._samples.folder, names, to))

    def undo_label(self) -> int:
        """Takes back what was moved to another label last. Returns how many images that is."""
        from pixtrawl.pipeline.labelling import take_back_labels

        return len(take_back_labels(self._samples.folder))

    def verify(self, *, quick: bool = False) -> Verified:
        """What is missing, altered or foreign, as `pixtrawl verify` tells it; `.ok` where none."""
        from pixtrawl.pipeline.verify import verify

        return verify(self._samples.folder.root, quick=quick)

    def restore(
        self,
        files: Iterable[Path | str] = (),
        *,
        label: str | None = None,
        sha256: str | None = None,
        url: str | None = None,
    ) -> Restored:
        """Brings removed images back, as `pixtrawl restore` does: all deleted ones by default.

        `files` of the result are back, `to_fetch` come with the next run of their queries.
        """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from pixtrawl.pipeline.restore import Wanted, restore

        wanted = Wanted(
            tuple(map(str, files)), *((one,) if one else () for one in (label, sha256, url))
        )
        with ThreadPoolExecutor(1) as thread:  # a notebook's loop is running in this one
            return thread.submit(asyncio.run, restore(self._samples.folder, wanted)).result()


def tell_by_hand(samples: Samples) -> None:
    """What a person did to the files since the last look, where it was taken note of just now."""
    if samples.noticed is not None:
        import logging

        from pixtrawl.folder.by_hand import sentences

        for sentence in sentences(samples.noticed):
            logging.getLogger("pixtrawl").warning("%s: %s", samples.folder.root, sentence)
