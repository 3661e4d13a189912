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
    assert refused.json()["left_by_hand"] == 1
    done = client.decide("caption", [one, two, three], 2, text="a fox").json()
    assert done["summary"] == "2 images captioned; 1 written by hand stay as they are"
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
    kept = client.decide("caption", ids, find="colour", text="color")
    assert (kept.status, kept.json()["would_change"], kept.json()["left_by_hand"]) == (409, 0, 3)
    done = client.decide("caption", ids, 3, find="colour", text="color", by_hand=True)
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


def test_a_written_caption_is_dropped_and_the_collected_one_holds_again(client: Client) -> None:
    one, two, *_ = [item["id"] for item in client.items(client.view())]
    before = shown(client, one)
    assert client.decide("caption", [one], 0, reset=True).status == 200, "nothing was written"
    client.decide("caption", [one], text="a red fox")
    client.decide("caption", [two], text="a grey fox")
    assert client.decide("caption", [one, two], 0, reset=True).json()["left_by_hand"] == 2
    assert client.decide("caption", [one], reset=True).status == 200
    assert shown(client, one) == before
    client.post(client.of_set("/undo"), {})
    assert shown(client, one) == ("a red fox", "hand")


def test_a_whole_view_is_captioned_as_one_step(client: Client) -> None:
    view = client.view(filter={"labels": ["cat"]})
    on = {"view": view["view"], "all": True}
    body = {"action": "caption", "on": on, "expect": 10, "text": "a cat, drawn"}
    assert client.post(client.of_set("/decisions"), body).status == 200
    ids = [item["id"] for item in client.items(view)]
    assert {shown(client, ref)[0] for ref in ids} == {"a cat, drawn"}
    assert client.post(client.of_set("/undo"), {}).json()["changed"] == 10
    assert "a cat, drawn" not in {shown(client, ref)[0] for ref in ids}
