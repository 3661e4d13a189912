"""Labels of a list that holds their numbers, too."""

from __future__ import annotations

import pytest

from pixtrawl.manifests.columns import GivenColumns, choose

NAMES = ["url", "label", "label_name"]


@pytest.mark.parametrize(
    ("label", "chosen"),
    [(0, "label_name"), ("cat", "label"), ("0", "label")],
)
def test_names_are_taken_where_the_label_is_a_number(label: object, chosen: str) -> None:
    rows = [{"url": "https://a.example/1.jpg", "label": label, "label_name": "a cat"}]
    assert choose(NAMES, rows, GivenColumns(), "list.parquet").label == chosen


def test_a_column_that_the_user_names_wins() -> None:
    rows = [{"url": "https://a.example/1.jpg", "label": 3, "label_name": "a cat"}]
    assert choose(NAMES, rows, GivenColumns(label="label"), "list.parquet").label == "label"
