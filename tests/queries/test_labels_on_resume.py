"""Labels of a data set stay where they are when the same input comes again."""

from __future__ import annotations

from hypothesis import given, strategies as st

from pixtrawl.labels import Labels

WORDS = st.sampled_from(["cat", "Cat", "CAT", "cat.", "c/at", "dog"])


def labelled(rows: list[tuple[str, str | None]], labels: Labels) -> list[tuple[str, str]]:
    """(label, query text) of each row: its own label where it has one, else that of its query."""
    return [
        (labels.share(label) if label is not None else labels.assign([text])[0], text)
        for text, label in rows
    ]


def test_a_written_label_and_a_query_of_the_same_text_keep_their_folders() -> None:
    rows: list[tuple[str, str | None]] = [("cat", "cat"), ("cat", None)]
    first = labelled(rows, Labels())
    assert len(set(first)) == 2
    assert labelled(rows, Labels(first)) == first


@given(st.lists(st.tuples(WORDS, st.none() | WORDS), max_size=8))
def test_the_same_rows_get_the_same_labels_in_every_later_run(
    rows: list[tuple[str, str | None]],
) -> None:
    taken: list[tuple[str, str]] = []
    first = labelled(rows, Labels())
    for _ in range(3):
        taken += [pair for pair in first if pair not in taken]
        assert labelled(rows, Labels(taken)) == first
