"""The model by which a run chooses images (`--relevant`) and orders candidates (`--steer`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.scoring.models.interface import Embedder
    from pixtrawl.scoring.models.known_models import KnownModel

__all__ = ["check", "run_model"]


def check(config: Config) -> None:
    """Raise UsageError for `--relevant`, `--model` and `--pool` that do not go together."""
    job = config.job
    if job.relevant and job.model is None:
        raise UsageError("--relevant needs --model MODEL, an image-text or an embedding model")
    if not job.relevant and job.pool is not None:
        raise UsageError("--pool is used with --relevant")
    if not job.relevant and job.model is not None and not job.steer:
        raise UsageError("--model is used with --relevant, or with --steer N")
    if job.pool is not None and job.limit is not None and job.pool < job.limit:
        raise UsageError(f"--pool {job.pool} is less than the {job.limit} images wanted (-n)")


def run_model(config: Config) -> Embedder | None:
    """Load the model of a run, if one is named. Raises UsageError, MissingExtraError."""
    if config.job.model is None:
        return None
    from pixtrawl.scoring.models.loading import load_any

    def here(known: KnownModel) -> Path:
        from pixtrawl.scoring.models.fetching import is_here, models_folder

        if not is_here(config, known):
            raise UsageError(
                f"--model {known.name} is not on this computer; `pixtrawl score DIR --model "
                f"{known.name} --as NAME --yes` fetches it (licence: {known.licence})"
            )
        return models_folder(config) / known.name

    model = load_any(config.job.model, "auto", here)
    if config.job.relevant and model.kind not in {"image-text", "embedding"}:
        raise UsageError(
            f"--model {config.job.model}: --relevant needs an image-text or an embedding model; "
            "other models score a finished data set (pixtrawl score)"
        )
    if model.kind not in {"image-text", "embedding"}:
        raise UsageError(
            f"--model {config.job.model}: gives no embeddings, so likes cannot be compared by it; "
            "it scores a finished data set (pixtrawl score)"
        )
    return model
