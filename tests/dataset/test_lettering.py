"""Labels below pictures, in whatever script."""

from __future__ import annotations

import pytest

from pixtrawl.dataset import lettering
from pixtrawl.dataset.lettering import lettered

LABELS = [
    "tabby cat",
    "Kätzchen",
    "кошка",
    "猫",
    "고양이",
    "قطة",
    "แมว",
    "naïve 猫 ☃",
    "\u202ecat\x07",
]


@pytest.mark.parametrize("text", LABELS)
@pytest.mark.parametrize("fonts", [True, False])
def test_no_letter_is_lost_whatever_fonts_there_are(
    text: str, fonts: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not fonts:
        monkeypatch.setattr(lettering, "_installed", lambda size: ())
    shown, font = lettered(text, 11)
    assert "?" not in shown
    assert font.getlength(shown) > 0
    assert all(lettering._has(font, char) for char in shown)


def test_two_labels_are_never_shown_alike_for_want_of_a_font(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lettering, "_installed", lambda size: ())
    shown = {lettered(text, 11)[0] for text in LABELS[:-1]}
    assert len(shown) == len(LABELS) - 1
    assert lettered("猫", 11)[0] == "%E7%8C%AB"
