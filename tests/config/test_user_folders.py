"""A process without HOME and without an entry of its user still works."""

from __future__ import annotations

import platformdirs
import pytest

from pixtrawl.cli.crash import keep_trace
from pixtrawl.config.load import user_config_path
from pixtrawl.config.user_folders import user_folder


def test_without_a_home_there_are_no_settings_and_traces_go_to_the_temporary_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def homeless(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    for kind in ("config", "log", "cache"):
        monkeypatch.setattr(platformdirs, f"user_{kind}_dir", homeless)
    assert not user_config_path().is_file()
    assert user_folder("cache").is_absolute()
    kept = keep_trace(ValueError("x"))
    assert not isinstance(kept, str)
    kept.unlink()
