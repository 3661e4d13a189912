"""Methods of `Dataset` that change or check its folder: label, reject, undo, restore, verify."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pixtrawl.dataset.places import AnySamples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.pipeline.curating.deciding import Recorded, Steering
    from pixtrawl.pipeline.curating.restore import Restored
    from pixtrawl.pipeline.finished.verify import Verified
    from pixtrawl.studio.serve import StudioServer

__all__ = ["Life", "log_changes_by_hand"]


class Life:
    """The methods of `Dataset` that change or check the folder, or steer a run on it."""

    _samples: AnySamples

    def __iter__(self) -> Iterator[Sample]:
        """Yield every image."""
        yield from self._samples

    def label(self, to: str, files: Iterable[Sample | Path | str] | None = None) -> int:
        """Move images to another label, as `pixtrawl label` does.

        Args:
            to: the label; it may be a new one.
            files: samples, files or labels' folders; None: every image of this (filtered) set.

        Returns:
            The number of images moved.

        Raises:
            UsageError: no image of the data set, or no valid label.
            StorageError: it cannot be recorded.
        """
        from pixtrawl.pipeline.curating.labelling import put_under_label

        chosen: Iterable[Sample | Path | str] = self if files is None else files
        return len(put_under_label(self._samples.folder, _names(chosen), to, who="python"))

    def undo_label(self) -> int:
        """Undo the last move to another label, by a command or by hand; return how many images.

        Raises:
            UsageError: no image was moved.
            StorageError: the move was made by hand, and a run is at work in the folder.
        """
        from pixtrawl.pipeline.curating.labelling import take_back_labels

        return len(take_back_labels(self._samples.folder, who="python"))

    def reject(
        self, files: Iterable[Sample | Path | str], *, reason: str = "", refill: bool = True
    ) -> Recorded:
        """Remove images and keep later runs from saving the same bytes or near duplicates again.

        A run that is at work carries this out within about half a second. The files are set aside;
        `undo` and `restore` bring them back.

        Args:
            files: samples, files, or labels' folders.
            reason: why, in your own words; kept in the report.
            refill: whether the current or the next run finds another image for each.

        Raises:
            UsageError: no image of the data set.
            StorageError: it cannot be recorded.

        Example:
            `ds.reject([one for one in ds if one.info.width < 400], reason="too small")`
        """
        from pixtrawl.pipeline.curating import deciding

        return deciding.reject(
            self._samples.folder, _names(files), who="python", reason=reason, refill=refill
        )

    def caption(
        self,
        files: Iterable[Sample | Path | str],
        text: str,
        *,
        origin: Literal["hand", "model"] = "hand",
    ) -> Recorded:
        """Give images a caption, which wins over all collected ones; `undo` takes it back.

        Args:
            files: samples, files, or labels' folders.
            text: the caption; "" for an image that is to have none.
            origin: "model" for text that a model wrote: it never replaces one written by hand.

        Raises:
            UsageError: no image of the data set, or a text of more than 4,000 characters.
            StorageError: it cannot be recorded.

        Example:
            >>> ds.caption([ds[0]], "a tabby cat on a red sofa")
        """
        from pixtrawl.pipeline.curating import captioning

        return captioning.caption(
            self._samples.folder, _names(files), text, who="python", origin=origin
        )

    def keep(self, files: Iterable[Sample | Path | str]) -> Recorded:
        """Mark images as wanted; rejected ones come back. Arguments and errors as for `reject`."""
        from pixtrawl.pipeline.curating import deciding

        return deciding.keep(self._samples.folder, _names(files), who="python")

    def undo(self, *, redo: bool = False) -> Recorded:
        """Undo the last decision: a whole call of `reject`, `label`, `restore`, ...

        With `redo`, undo the last undo. Both can be repeated without limit.

        Raises:
            UsageError: there is nothing to undo.
        """
        from pixtrawl.pipeline.curating import deciding

        return deciding.undo(self._samples.folder, who="python", redo=redo)

    def studio(self, *, port: int = 0, open_browser: bool = False) -> StudioServer:
        """Serve the studio of this data set on this machine, in a thread; `.url` opens it.

        It ends with `close()`, at the end of a `with` block, or with the process. It shows the
        whole folder. Needs the extra `studio`.

        Args:
            port: port to listen on; 0: a free one.
            open_browser: open the page in the browser at once.

        Raises:
            MissingExtraError: the extra is not installed.
            EnvironmentFailedError: the port is taken.

        Example:
            `studio = ds.studio(); print(studio.url)`
        """
        from pixtrawl.studio.serve import StudioServer

        server = StudioServer(self._samples.folder.root, port=port).start()
        if open_browser:
            import webbrowser

            webbrowser.open(server.url)
        return server

    def pause(self, query: str = "") -> None:
        """Pause the run at work on this data set, or only `query`: no further transfer begins.

        Raises:
            UsageError: no run is at work, or no such query.
        """
        self._steer("pause", query)

    def resume(self, query: str = "") -> None:
        """Resume the paused run, also if it works in another process. Errors as for `pause`."""
        self._steer("resume", query)

    def stop(self, query: str = "") -> None:
        """End the run at work as Ctrl-C does, or have it take no more images of `query`.

        Raises as `pause`.
        """
        self._steer("stop", query)

    def more(self, limit: int, query: str = "") -> None:
        """Raise the limit of the run at work to `limit` images of each query, or of `query`.

        Raises as `pause`, and also if `limit` is not above the current one.
        """
        self._steer("more", query, limit)

    def _steer(self, action: Steering, query: str, limit: int | None = None) -> None:
        from pixtrawl.pipeline.curating import deciding

        deciding.steer(self._samples.folder, action, who="python", query=query, limit=limit)

    def verify(self, *, quick: bool = False) -> Verified:
        """Find missing, altered and foreign files, like `pixtrawl verify`; `.ok` if none.

        Args:
            quick: compare names and sizes only, instead of reading every file.
        """
        from pixtrawl.pipeline.finished.verify import verify

        return verify(self._samples.folder.root, quick=quick)

    def restore(
        self,
        files: Iterable[Path | str] = (),
        *,
        label: str | None = None,
        sha256: str | None = None,
        url: str | None = None,
    ) -> Restored:
        """Bring removed images back, as `pixtrawl restore` does; by default all deleted ones.

        In the result, `files` are back already; `to_fetch` are downloaded by the next run of their
        queries.
        """
        import asyncio
        from concurrent.futures import ThreadPoolExecutor

        from pixtrawl.pipeline.curating.restore import Wanted, restore

        wanted = Wanted(
            tuple(map(str, files)), *((one,) if one else () for one in (label, sha256, url))
        )
        with ThreadPoolExecutor(1) as thread:  # this thread may run a notebook's event loop
            return thread.submit(
                asyncio.run, restore(self._samples.folder, wanted, who="python")
            ).result()


def _names(files: Iterable[Sample | Path | str]) -> list[str]:
    return [one.file_name if isinstance(one, Sample) else str(one) for one in files]


def log_changes_by_hand(samples: AnySamples) -> None:
    """Log a warning for each change that was made to the files by hand since the last look."""
    if samples.noticed is not None:
        import logging

        from pixtrawl.folder.recovery.by_hand import sentences

        for sentence in sentences(samples.noticed):
            logging.getLogger("pixtrawl").warning("%s: %s", samples.folder.root, sentence)
