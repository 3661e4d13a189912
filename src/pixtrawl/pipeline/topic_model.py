"""The model by which a run chooses images (`--relevant`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from pixtrawl.config.groups import Config
from pixtrawl.errors import UsageError

if TYPE_CHECKING:
    from pixtrawl.scoring.known_models import KnownModel
    from pixtrawl.scoring.model import Model

__all__ = ["check", "relevant_model"]


def check(config: Config) -> None:
    """Raise UsageError for `--relevant`, `--model` and `--pool` that do not go together."""
    job = config.job
    if job.relevant and job.model is None:
        raise UsageError("--relevant needs --model MODEL, an image-text model")
    if not job.relevant and (job.model is not None or job.pool is not None):
        raise UsageError("--model and --pool are used with --relevant")
    if job.pool is not None and job.limit is not None and job.pool < job.limit:
        raise UsageError(f"--pool {job.pool} is less than the {job.limit} images wanted (-n)")


def relevant_model(config: Config) -> Model:
    """Load the model. Raises UsageError, MissingExtraError."""
    from pixtrawl.scoring.loading import load_any

    def here(known: KnownModel) -> Path:
        from pixtrawl.scoring.fetching import is_here, models_folder

        if not is_here(config, known):
            raise UsageError(
                f"--model {known.name} is not on this computer; `pixtrawl score DIR --model "
                f"{known.name} --as NAME --yes` fetches it (licence: {known.licence})"
            )
        return models_folder(config) / known.name

    assert config.job.model is not None
    model = load_any(config.job.model, "auto", here)
    if model.kind != "image-text":
        raise UsageError(
            f"--model {config.job.model}: --relevant needs an image-text model; other models "
            "score a finished data set (pixtrawl score)"
        )
    return cast("Model", model)
