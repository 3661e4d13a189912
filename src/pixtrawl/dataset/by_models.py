"""Methods of `Dataset` that use models: score, similar, search, like, audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.dataset.listing import BriefList
from pixtrawl.dataset.places import AnySamples
from pixtrawl.model import Sample

if TYPE_CHECKING:
    from pixtrawl.scoring.classes.check import Audit
    from pixtrawl.scoring.likes.liking import Liked
    from pixtrawl.scoring.score import ScoreResult

__all__ = ["ByModels"]


class ByModels:
    """The methods of `Dataset` that compare images by models or by their looks."""

    _samples: AnySamples

    def score(
        self,
        model: Path | str,
        name: str,
        *,
        batch: int = 32,
        prompt: str = "a photo of {}",
        flag_below: float | None = None,
        device: str = "auto",
    ) -> ScoreResult:
        """Score every image of the folder into columns, as `pixtrawl score` does.

        Args:
            model: an ONNX file with its description beside it, or a folder of an image-text pair.
                Known models are fetched by the command only.
            name: of the column.
            batch: images that go through the model at a time.
            prompt: of an image-text pair: the text to compare with, {} standing for the query.
            flag_below: flag images below this score; None: outliers of their query.
            device: auto, cpu, cuda, rocm, directml or coreml.

        Raises:
            UsageError: no such model, no description, or a name in use.
            MissingExtraError: onnxruntime is not installed.
            StorageError: a run is at work in the folder.

        Example:
            >>> ds.score("models/quality.onnx", "quality")
            >>> best = ds.sort("quality", descending=True)
        """
        from pixtrawl.scoring.models.loading import load_any
        from pixtrawl.scoring.score import ScoreOptions, score

        options = ScoreOptions(name=name, batch=batch, prompt=prompt, flag_below=flag_below)
        return score(self._samples.folder, load_any(str(model), device), options)

    def similar(
        self, to: Sample | Path | str | Sequence[Sample | Path | str], *, count: int = 20
    ) -> BriefList[Sample]:
        """Return the images most like one or several of them, the most alike first.

        By embeddings if each of them has one by one model, else by looks (light, layout, colours).

        Args:
            to: samples or files of the data set.
            count: images, at most.

        Raises:
            UsageError: no image of the data set.
        """
        from pixtrawl.scoring.likeness.searching import like_files

        given = [to] if isinstance(to, Sample | Path | str) else to
        names = [one.file_name if isinstance(one, Sample) else str(one) for one in given]
        return self._named(like_files(self._samples.folder, names, count).images)

    def search(
        self, text: str, model: Path | str, *, count: int = 20, device: str = "auto"
    ) -> BriefList[Sample]:
        """Return the images nearest to a text, by an image-text model that scored the data set.

        Args:
            text: what to look for.
            model: the model; its embeddings must be there (`score`).
            count: images, at most.
            device: auto, cpu, cuda, rocm, directml or coreml.

        Raises:
            UsageError: no such model, or one that takes no texts.
        """
        from pixtrawl.scoring.likeness.searching import like_text
        from pixtrawl.scoring.models.loading import load_any

        found = like_text(self._samples.folder, load_any(str(model), device), text, count)
        return self._named(found.images)

    def like(self, files: Iterable[Sample | Path | str] = (), *, model: str = "") -> Liked:
        """Mark images as wanted, and order the others of their labels by likeness, into `liked`.

        With `reject` before it, this is "more like these, fewer like those".

        Args:
            files: samples, files, or labels' folders; none: only order.
            model: start of the name of the model whose embeddings are taken; "": the one with most.

        Raises:
            UsageError: no image of the data set, or no embeddings by that model.
            StorageError: a run is at work in the folder.
        """
        from pixtrawl.pipeline.curating import deciding
        from pixtrawl.pipeline.finished.opened import looked_at
        from pixtrawl.scoring.likeness.spaces import demand_model
        from pixtrawl.scoring.likes.liking import rank_by_likes

        if model:
            with looked_at(self._samples.folder) as db:
                demand_model(db, model)
        names = [one.file_name if isinstance(one, Sample) else str(one) for one in files]
        if names:
            deciding.keep(self._samples.folder, names, who="python")
        return rank_by_likes(self._samples.folder, model=model)

    def audit(self, *, model: str = "") -> Audit:
        """Check the classes of the folder, as `pixtrawl audit` does.

        Returns:
            `doubts` (likely wrong labels, the surest first), `overlaps`, `biases`, `small`, and
            `by`: `embedding`, or `look` without a model's embeddings.

        Raises:
            UsageError: no embeddings are by that model.
        """
        from pixtrawl.pipeline.finished.opened import looked_at
        from pixtrawl.scoring.classes.auditing import audit_of

        with looked_at(self._samples.folder) as db:
            return audit_of(db, model=model)

    def _named(self, images: Sequence[tuple[str, float]]) -> BriefList[Sample]:
        order = {name: at for at, (name, _) in enumerate(images)}
        ids = [id_ for id_, name in self._ids_by_name() if name in order]
        found = self._samples.together(ids)
        return BriefList(sorted(found, key=lambda one: order[one.file_name]))

    def _ids_by_name(self) -> Iterable[tuple[int, str]]:
        ids = self._samples.ids()
        names = (name for name, _ in self._samples.files(ids))
        return zip(ids, names, strict=False)
