"""What a person does to a data set in Python: labels, restoring, checking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.folder.sample_list import Samples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.pipeline.deciding import Recorded, Steering
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
        return len(put_under_label(self._samples.folder, _names(chosen), to, who="python"))

    def undo_label(self) -> int:
        """Takes back what was moved to another label last. Returns how many images that is.

        Raises StorageError while a run is at work in the folder.
        """
        from pixtrawl.pipeline.labelling import take_back_labels

        return len(take_back_labels(self._samples.folder, who="python"))

    def reject(
        self, files: Iterable[Sample | Path | str], *, reason: str = "", refill: bool = True
    ) -> Recorded:
        """Refuses images: they leave the data set, and neither bytes nor look come back.

        Works while a run is at work, which then carries it out within half a second and finds
        others. The files wait aside; `undo` and `restore` bring them back.

        Args:
            files: samples, files, or labels' folders.
            reason: why, in your words; the report keeps it.
            refill: whether a run, the one at work or the next, finds another image for each place.

        Raises UsageError: no image of the data set; StorageError: it cannot be recorded.

        Example:
            `ds.reject([one for one in ds if one.info.width < 400], reason="too small")`
        """
        from pixtrawl.pipeline import deciding

        return deciding.reject(
            self._samples.folder, _names(files), who="python", reason=reason, refill=refill
        )

    def keep(self, files: Iterable[Sample | Path | str]) -> Recorded:
        """Notes that these images are wanted; those that were refused come back. As `reject`."""
        from pixtrawl.pipeline import deciding

        return deciding.keep(self._samples.folder, _names(files), who="python")

    def undo(self, *, redo: bool = False) -> Recorded:
        """Takes back the last decision (a whole call of `reject`, `label`, `restore`, ...).

        `redo` takes back the last undo. Both work without limit. Raises UsageError: there is none.
        """
        from pixtrawl.pipeline import deciding

        return deciding.undo(self._samples.folder, who="python", redo=redo)

    def pause(self, query: str = "") -> None:
        """The run that is at work on this data set begins no further transfer, or none of `query`.

        Raises UsageError: no run is at work, or no such query.
        """
        self._steer("pause", query)

    def resume(self, query: str = "") -> None:
        """A run that was paused goes on, in whichever process it works. Raises as `pause`."""
        self._steer("resume", query)

    def stop(self, query: str = "") -> None:
        """The run that is at work ends as after Ctrl-C, or takes no more of `query`.

        Raises as `pause`.
        """
        self._steer("stop", query)

    def more(self, limit: int, query: str = "") -> None:
        """The run that is at work finds `limit` images of each query, or of `query`.

        Raises as `pause`, and where that is not more than it looks for already.
        """
        self._steer("more", query, limit)

    def _steer(self, action: Steering, query: str, limit: int | None = None) -> None:
        from pixtrawl.pipeline import deciding

        deciding.steer(self._samples.folder, action, who="python", query=query, limit=limit)

    def verify(self, *, quick: bool = False) -> Verified:
        """What is missing, altered or foreign, as `pixtrawl verify` tells it; `.ok` where none.

        Args:
            quick: compares names and sizes only; else every file is read, as fast as the disk is.
        """
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
            return thread.submit(
                asyncio.run, restore(self._samples.folder, wanted, who="python")
            ).result()


def _names(files: Iterable[Sample | Path | str]) -> list[str]:
    return [one.file_name if isinstance(one, Sample) else str(one) for one in files]


def tell_by_hand(samples: Samples) -> None:
    """What a person did to the files since the last look, where it was taken note of just now."""
    if samples.noticed is not None:
        import logging

        from pixtrawl.folder.by_hand import sentences

        for sentence in sentences(samples.noticed):
            logging.getLogger("pixtrawl").warning("%s: %s", samples.folder.root, sentence)
