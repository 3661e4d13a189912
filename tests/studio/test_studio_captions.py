"""Captions over HTTP: shown with their origin, edited, replaced in bulk, undone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.studio.client import Client


def shown(client: Client, ref: str) -> tuple[str, str]:
    found = client.get(client.of_set(f"/images/{ref}")).json()["caption"]
    return found["text"], found["origin"]


def test_one_text_for_many_leaves_those_written_by_hand(client: Client, root: Path) -> None:
    one, two, three = [item["id"] for item in client.items(client.view())][:3]
    assert client.decide("caption", [one], text="a red fox").status == 200
    assert shown(client, one) == ("a red fox", "hand")
    refused = client.decide("caption", [one, two, three], text="a fox")
    assert (refused.status, refused.json()["would_change"]) == (409, 2)
    assert client.decide("caption", [one, two, three], 2, text="a fox").status == 200
    assert [shown(client, ref)[0] for ref in (one, two, three)] == ["a red fox", "a fox", "a fox"]
    assert client.decide("caption", [one], text="a grey fox").status == 200, "edited on purpose"
    assert shown(client, one) == ("a grey fox", "hand")
    client.post(client.of_set("/undo"), {})
    client.post(client.of_set("/undo"), {})
    assert shown(client, one) == ("a red fox", "hand")
    assert shown(client, two)[0] != "a fox"
    lines = (root / ".pixtrawl-decisions.jsonl").read_text("utf-8").splitlines()
    assert {json.loads(line)["who"] for line in lines} == {"web"}


def test_words_are_replaced_where_they_stand_and_one_undo_takes_all_back(client: Client) -> None:
    ids = [item["id"] for item in client.items(client.view())][:4]
    assert client.decide("caption", ids, text="a colour photo").status == 200
    assert client.decide("caption", ids[:1], text="a drawing").status == 200
    done = client.decide("caption", ids, 3, find="colour", text="color")
    assert done.status == 200
    assert done.json()["changed"] == 3
    assert [shown(client, ref)[0] for ref in ids] == ["a drawing", *["a color photo"] * 3]
    client.post(client.of_set("/undo"), {})
    assert [shown(client, ref)[0] for ref in ids] == ["a drawing", *["a colour photo"] * 3]


def test_captions_without_words_to_find_or_too_long_are_refused(client: Client) -> None:
    (one, *_) = [item["id"] for item in client.items(client.view())]
    assert client.decide("caption", [one], find="", text="x").status == 400
    assert client.decide("caption", [one], text="x" * 4001).status == 400
    assert shown(client, one)[1] != "hand"
