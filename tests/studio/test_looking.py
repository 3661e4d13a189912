"""Summary, views, pages, thumbnails and pictures of a data set, over HTTP."""

from __future__ import annotations

import io
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

import pixtrawl
from pixtrawl.catalog.scores import columns as scores
from pixtrawl.folder.dataset_folder import Folder
from tests.life.sets import on_disk, pets
from tests.pipeline.pictures import Host
from tests.studio.client import Client, studio_on


def test_the_state_names_the_data_set_that_was_opened(client: Client, root: Path) -> None:
    state = client.get("/api/state").json()
    assert state["version"] == pixtrawl.__version__
    (line,) = state["sets"]
    assert (line["path"], line["images"]) == (str(root), 20)
    assert state["default"] == line["id"]


def test_the_summary_counts_what_is_there(client: Client) -> None:
    found = client.summary()
    assert found["kept"] == 20
    assert [(one["name"], one["kept"]) for one in found["labels"]] == [("cat", 10), ("dog", 10)]
    assert [one["n"] for one in found["hosts"]] == [20]
    assert "sharpness" in found["measures"]
    assert (found["can_undo"], found["can_redo"], found["run"]) == (False, False, None)


def test_a_view_is_read_by_ranges_of_its_index(client: Client) -> None:
    view = client.view(kind="images")
    assert (view["total"], view["of"]) == (20, 20)
    every = client.items(view)
    assert [one["n"] for one in every] == list(range(1, 21))
    assert client.items(view, 15, 3) == every[15:18]
    assert client.items(view, 18, 100) == every[18:]
    assert client.items(view, 400, 10) == []
    assert every[0].keys() >= {"id", "n", "label", "name", "w", "h", "decision", "src_host"}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"labels": ["cat"]}, 10),
        ({"labels": ["cat", "dog"]}, 20),
        ({"labels": ["horse"]}, 0),
        ({"hosts": ["elsewhere.example"]}, 0),
        ({"ranges": {"width": [1, 10]}}, 0),
        ({"ranges": {"width": [320, 320], "aspect": [1.3, None]}}, 20),
        ({"text": "/3.png"}, 1),
        ({"text": "100%_"}, 0),
        ({"decisions": ["rejected"]}, 0),
        ({"decisions": ["undecided"]}, 20),
    ],
)
def test_filters_leave_what_they_say(client: Client, wanted: object, expected: int) -> None:
    view = client.view(filter=wanted)
    assert (view["total"], view["of"]) == (expected, 20)
    assert len(client.items(view)) == expected


@pytest.mark.parametrize("by", ["number", "newest", "random", "sharpness", "size_bytes"])
def test_each_order_has_every_image_once(client: Client, by: str) -> None:
    up = client.items(client.view(sort={"by": by}))
    down = client.items(client.view(sort={"by": by, "descending": True}))
    assert {one["id"] for one in up} == {one["id"] for one in down}
    assert len(up) == 20
    assert up != down


@pytest.mark.parametrize(
    "request_",
    [
        {"sort": {"by": "1; DROP TABLE sample"}},
        {"filter": {"ranges": {"width) OR (1": [0, 1]}}},
        {"kind": "not_kept", "sort": {"by": "sharpness"}},
        {"kind": "other"},
        {"similar_to": ["c1"]},
    ],
)
def test_an_unknown_measure_is_refused_with_a_sentence(client: Client, request_: object) -> None:
    reply = client.post(client.of_set("/views"), request_)
    assert reply.status == 400
    assert reply.json()["error"]


def test_the_same_request_gives_the_same_view(client: Client) -> None:
    first = client.view(filter={"labels": ["cat"]}, sort={"by": "random"})
    assert client.view(sort={"by": "random"}, filter={"labels": ["cat"]}) == first


def test_a_view_that_is_gone_says_so(client: Client) -> None:
    assert client.get(client.of_set("/views/0123456789abcdef")).status == 410


def test_a_number_is_found_in_a_view(client: Client) -> None:
    view = client.view(filter={"labels": ["dog"]})
    items = client.items(view)
    path = client.of_set(f"/views/{view['view']}/find?number={items[4]['n']}")
    assert client.get(path).json() == {"index": 4}
    assert client.get(client.of_set(f"/views/{view['view']}/find?number=999")).status == 404


@pytest.mark.parametrize("query", ["start=-1", "count=501", "start=x", "count=1e9", "start=²"])
def test_a_range_out_of_bounds_is_refused(client: Client, query: str) -> None:
    view = client.view()
    path = client.of_set(f"/views/{view['view']}?{query}".replace("²", "%C2%B2"))
    assert client.get(path).status == 400


@pytest.mark.parametrize("px", [160, 320])
def test_a_thumbnail_is_a_small_webp_of_the_whole_picture(client: Client, px: int) -> None:
    item = client.items(client.view())[0]
    path = client.of_set(f"/thumbs/{item['id']}?px={px}&v={item['v']}")
    for _ in range(2):  # made, then from the cache
        reply = client.get(path)
        assert reply.status == 200
        assert reply.headers["content-type"] == "image/webp"
        assert "immutable" in reply.headers["cache-control"]
        with Image.open(io.BytesIO(reply.body)) as image:
            assert max(image.size) == px
            assert image.width / image.height == pytest.approx(item["w"] / item["h"], abs=0.02)


def test_thumbnails_outlive_the_studio_in_one_file_that_no_loader_takes(
    client: Client, root: Path
) -> None:
    item = client.items(client.view())[0]
    client.get(client.of_set(f"/thumbs/{item['id']}"))
    assert (root / ".pixtrawl-thumbs.sqlite3").is_file()
    assert pixtrawl.open(root).verify().ok


def test_the_picture_itself_has_a_fixed_type_and_its_own_bytes(client: Client, root: Path) -> None:
    item = client.items(client.view())[0]
    reply = client.get(client.of_set(f"/pictures/{item['id']}"))
    assert reply.body == (root / item["name"]).read_bytes()
    assert reply.headers["content-type"] == "image/png"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in reply.headers["content-security-policy"]


def test_a_picture_that_was_replaced_by_a_page_is_not_served(client: Client, root: Path) -> None:
    item = client.items(client.view())[0]
    (root / item["name"]).write_text("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>")
    reply = client.get(client.of_set(f"/pictures/{item['id']}"))
    assert reply.status == 404
    assert b"svg" not in reply.body


def test_a_link_out_of_the_data_set_is_not_followed(
    client: Client, root: Path, tmp_path: Path
) -> None:
    item = client.items(client.view())[0]
    outside = tmp_path / "private.png"
    (root / item["name"]).rename(outside)
    (root / item["name"]).symlink_to(outside)
    for kind in ("pictures", "thumbs"):
        assert client.get(client.of_set(f"/{kind}/{item['id']}")).status == 404


@pytest.mark.parametrize(
    "ref", ["s0", "s99999", "c99999", "x1", "s", "s1.5", "s-1", "s1'", "..", "s²"]
)
def test_an_id_of_nothing_is_not_found(client: Client, ref: str) -> None:
    quoted = ref.replace("²", "%C2%B2")
    assert client.get(client.of_set(f"/thumbs/{quoted}")).status == 404


def test_what_a_takedown_removed_is_not_shown_any_more(client: Client, root: Path) -> None:
    item = client.items(client.view())[0]
    thumb = client.of_set(f"/thumbs/{item['id']}")
    assert client.get(thumb).status == 200
    assert client.decide("never_again", [item["id"]]).status == 200
    assert client.get(thumb).status == 404
    assert client.get(client.of_set(f"/pictures/{item['id']}")).status == 404
    not_kept = client.items(client.view(kind="not_kept"))
    (taken,) = [one for one in not_kept if one["reason"] == "taken_down"]
    assert taken["v"] == ""
    assert client.get(client.of_set(f"/thumbs/{taken['id']}")).status == 404
    assert item["name"] not in on_disk(root)


def test_details_hold_provenance_metadata_and_history(client: Client) -> None:
    item = client.items(client.view())[0]
    client.decide("keep", [item["id"]])
    found = client.get(client.of_set(f"/images/{item['id']}")).json()
    assert found["metadata"]["sha256"].startswith(item["v"])
    assert found["provenance"][0]["url"].endswith(".png")
    assert [one["action"] for one in found["history"]] == ["keep"]


def test_likeness_puts_the_image_itself_first(client: Client) -> None:
    item = client.items(client.view())[7]
    view = client.view(sort={"by": "similar"}, similar_to=[item["id"]])
    assert view["by"] == "look"
    found = client.items(view)
    assert found[0]["id"] == item["id"]
    assert len(found) == 20


def test_what_became_of_the_candidates_of_each_query_is_told_without_a_run(client: Client) -> None:
    queries = client.get(client.of_set("/progress")).json()["queries"]
    assert [(one["text"], one["saved"]) for one in queries] == [("cat", 10), ("dog", 10)]
    for one in queries:
        counted = sum(one[name] for name in ("saved", "duplicates", "refused", "failed"))
        assert one["found"] == counted == sum(own["found"] for own in one["by_source"].values())


def test_the_bars_of_the_charts_lead_to_their_images(client: Client) -> None:
    found = client.get(client.of_set("/charts")).json()
    for name in ("sizes", "shapes", "licences", "hosts", "balance"):
        assert sum(bar["n"] for bar in found[name]) == 20
        for bar in found[name]:
            assert client.view(filter=bar["filter"])["total"] == bar["n"], bar


def test_a_folder_that_is_no_data_set_is_refused_with_the_next_step(
    client: Client, tmp_path: Path
) -> None:
    reply = client.post("/api/sets", {"path": str(tmp_path)})
    assert reply.status == 400
    assert "pixtrawl run" in reply.json()["error"]


def test_opened_data_sets_are_known_the_next_time(root: Path, tmp_path: Path, host: Host) -> None:
    (tmp_path / "second").mkdir()
    other = pets(tmp_path / "second", host)
    with studio_on(root) as client:
        assert client.post("/api/sets", {"path": str(other)}).status == 200
    with studio_on(None) as client:
        state = client.get("/api/state").json()
        assert state["default"] is None
        assert {one["path"] for one in state["sets"]} == {str(root), str(other)}
        assert [one["images"] for one in state["sets"]] == [20, 20]


def test_a_damaged_data_set_is_listed_with_what_is_wrong(root: Path, tmp_path: Path) -> None:
    with studio_on(root) as client:
        found = client.get("/api/state").json()["sets"]
        assert [one["problem"] for one in found] == [""]
    Folder(root).catalog.write_bytes(b"no catalog " * 1000)
    with studio_on(None) as client:
        (line,) = client.get("/api/state").json()["sets"]
        assert line["path"] == str(root)
        assert "pixtrawl verify" in line["problem"]


def test_columns_of_scores_are_among_the_measures_and_can_be_ranged(
    client: Client, root: Path
) -> None:
    with closing(sqlite3.connect(Folder(root).catalog)) as db, db:
        scores.begin(db, "taste", "a model", {"taste": "float", "kind": "text"})
        column = next(one.id for one in scores.columns(db) if one.name == "taste")
        for number, (sample,) in enumerate(
            db.execute("SELECT id FROM sample ORDER BY id").fetchall()
        ):
            db.execute(
                "INSERT INTO score (sample_id, column_id, value) VALUES (?, ?, ?)",
                (sample, column, number / 20),
            )
    measures = client.summary()["measures"]
    assert "taste" in measures
    assert "kind" not in measures
    assert client.view(filter={"ranges": {"taste": [0.5, None]}})["total"] == 10
    best = client.items(client.view(sort={"by": "taste", "descending": True}))[0]
    assert best["n"] == 20


def test_the_studio_ends_though_the_folder_of_an_open_data_set_is_gone(root: Path) -> None:
    with studio_on(root) as client:
        client.summary()
        shutil.rmtree(root)
    with studio_on(None) as client:
        assert client.get("/api/state").json()["sets"] == []
