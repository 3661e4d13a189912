"""Lists as they are published: each form is read, its own columns are kept, doubt is told."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.manifests.columns import GivenColumns
from pixtrawl.manifests.reader import BadLine, read_manifest
from pixtrawl.model import Candidate
from tests.matrices import crossed, matrix

A, B, C = "https://a.test/1.jpg", "https://a.test/2.png?w=9", "https://a.test/photo/3"
PAGE, BY = "https://a.test/page/1", "https://creativecommons.org/licenses/by/4.0/"

# name of the file, its content, and what is read: (URL, label, title)
FORMS: dict[str, tuple[str, str, Sequence[tuple[str, str, str | None]]]] = {
    "Open Images": (
        "openimages.csv",
        ("ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
        f"Thumbnail300KURL\nab,train,{A},{PAGE},{BY},{PAGE},Ann,A fox,{B}\n"),
        [(A, "openimages", "A fox")],
    ),
    "CC3M": ("cc3m.tsv", f"a red fox in snow\t{A}\na \"cat\"\t{B}\n",
             [(A, "cc3m", "a red fox in snow"), (B, "cc3m", 'a "cat"')]),
    "CC12M": ("cc12m.tsv", f"{A}\ta red fox in deep snow\n{B}\ta cat\n",
              [(A, "cc12m", "a red fox in deep snow"), (B, "cc12m", "a cat")]),
    "LAION": ("laion.csv", f"URL,TEXT,WIDTH,HEIGHT,NSFW\n{A},a fox,9,8,UNLIKELY\n",
              [(A, "laion", "a fox")]),
    "COYO": ("coyo.jsonl", json.dumps({"id": 1, "url": A, "text": "a fox", "width": 3}) + "\n",
             [(A, "coyo", "a fox")]),
    "SBU": ("sbu.json", json.dumps({"image_urls": [A, B], "user_ids": ["u", "v"],
            "captions": ["one", "two"]}), [(A, "sbu", "one"), (B, "sbu", "two")]),
    "GBIF": ("multimedia.txt", ("gbifID\ttype\tformat\tidentifier\treferences\tlicense\n"
             f"1\tStillImage\timage/jpeg\t{C}\t{PAGE}\t{BY}\n"), [(C, "multimedia", None)]),
    "Wikidata csv": ("w.csv", f"item,itemLabel,pic\nhttp://www.wikidata.org/entity/Q1,fox,{C}\n",
                     [(C, "w", "fox")]),
    "Wikidata json": ("w.json", json.dumps([{"item": "http://w.test/Q1", "image": A}]),
                      [(A, "w", None)]),
    "SPARQL results": ("q.json", json.dumps({"head": {"vars": ["item", "image"]}, "results": {
        "bindings": [{"item": {"type": "uri", "value": "http://w.test/Q1"},
                      "itemLabel": {"type": "literal", "value": "fox"},
                      "image": {"type": "uri", "value": A}}]}}), [(A, "q", "fox")]),
    "Shopify": ("shop.csv", f"Handle,Title,Image Src,Image Position\nshoe,Shoe,{A},1\nshoe,,{B},2\n",
                [(A, "shop", "Shoe"), (B, "shop", None)]),
    "WooCommerce": ("woo.csv", f'ID,Type,SKU,Name,Images\n7,simple,s-1,Shoe,"{A}, {B}"\n',
                    [(A, "woo", "Shoe"), (B, "woo", "Shoe")]),
    "Google Merchant": ("feed.tsv", ("id\ttitle\tlink\timage_link\tadditional_image_link\n"
                        f"1\tShoe\t{PAGE}\t{A}\t{B},{C}\n"),
                        [(A, "feed", "Shoe"), (B, "feed", "Shoe"), (C, "feed", "Shoe")]),
    "YFCC": ("yfcc", f"123\tuser\t2010-01-01\ttitle\t{PAGE}\t{A}\tlicence\t{BY}\n" * 2,
             [(A, "yfcc", None), (A, "yfcc", None)]),
    "Visual Genome": ("image_data.json", json.dumps([
        {"width": 800, "url": A, "height": 600, "image_id": 1, "coco_id": None}]),
        [(A, "image_data", None)]),
    "COCO": ("instances.json", json.dumps({"info": {"url": "http://cocodataset.test"},
             "licenses": [{"url": BY, "id": 1, "name": "x"}], "annotations": [{"id": 1}],
             "images": [{"license": 1, "file_name": "1.jpg", "coco_url": A, "flickr_url": C}],
             "categories": [{"id": 1, "name": "cat"}]}), [(A, "instances", None)]),
    "iNaturalist export": ("obs.csv", f"id,url,image_url,scientific_name\n1,{PAGE},{A},Vulpes\n",
                           [(A, "obs", None)]),
    "Unsplash": ("photos.tsv", f"photo_id\tphoto_url\tphoto_image_url\n1\t{PAGE}\t{C}\n",
                 [(C, "photos", None)]),
    "ImageNet urls": ("fall11.txt", f"n01_1\t{A}\nn01_2\t{B}\n",
                      [(A, "fall11", "n01_1"), (B, "fall11", "n01_2")]),
    "Kaggle": ("train.csv", f"link,class\n{A},cat\n{B},dog\n", [(A, "cat", None), (B, "dog", None)]),
    "Semicolons": ("excel.csv", f"Name;Photo URL\ncat;{A}\n", [(A, "excel", "cat")]),
    "Pairs": ("pairs.txt", f"{A} cat\n{C}   dog\n", [(A, "cat", None), (C, "dog", None)]),
    "No header": ("bare.csv", f"{A},cat\n{B.partition('?')[0]},cat\n",
                  [(A, "cat", None), (B.partition("?")[0], "cat", None)]),
    "Array of texts": ("a.json", json.dumps([A, B], indent=1), [(A, "a", None), (B, "a", None)]),
    "Map": ("m.json", json.dumps({"cat": [A], "dog": [B, C]}, indent=1),
            [(A, "cat", None), (B, "dog", None), (C, "dog", None)]),
    "Map of one": ("one.json", json.dumps({"cat": A, "dog": B}),
                   [(A, "cat", None), (B, "dog", None)]),
    "An object with one array": ("api.json", json.dumps({"total": 1, "data": {"hits": [
        {"src": A, "name": "fox"}]}}), [(A, "api", "fox")]),
}  # fmt: skip


def read(path: Path, content: str | bytes, **asked: str) -> tuple[list[Candidate], list[str]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    notices: list[str] = []
    found = list(read_manifest(path, given=GivenColumns(**asked), notices=notices))
    assert [one for one in found if isinstance(one, BadLine)] == []
    return [one for one in found if isinstance(one, Candidate)], notices


@pytest.mark.parametrize("name", FORMS)
def test_published_lists_are_read(tmp_path: Path, name: str) -> None:
    file, content, expected = FORMS[name]
    found, _ = read(tmp_path / file, content)
    assert [(one.url, one.label, one.title) for one in found] == expected
    assert found[0].rank == 1


@pytest.mark.parametrize(("name", "change"), crossed(FORMS, ["gzip", "crlf", "bom", "utf-16"]))
def test_packing_and_encoding_make_no_difference(tmp_path: Path, name: str, change: str) -> None:
    file, content, expected = FORMS[name]
    raw = content.encode()
    if change == "gzip":
        file, raw = f"{file}.gz", gzip.compress(raw)
    elif change == "crlf":
        raw = content.replace("\n", "\r\n").encode()
    else:
        raw = content.encode("utf-8-sig" if change == "bom" else "utf-16")
    found, _ = read(tmp_path / file, raw)
    assert [(one.url, one.label, one.title) for one in found] == expected


def test_every_column_of_a_table_is_kept_or_told_under_our_name(tmp_path: Path) -> None:
    text = f"id,url,label,caption,price,width,sha256\n007,{A},shoe,red,10.50,5,x\n"
    (one,), notices = read(tmp_path / "p.csv", text)
    assert one.own == {
        "id": "007", "caption": "red", "price": "10.50", "width": "5", "sha256": "x",
    }  # fmt: skip
    assert notices == []
    row = {"url": A, "n": 3, "x": 1.5, "ok": True, "none": None, "deep": {"a": [1]}, "text": "é"}
    (one,), _ = read(tmp_path / "p.jsonl", json.dumps(row))
    assert one.own == {name: value for name, value in row.items() if name != "url"}
    (one,), _ = read(tmp_path / "l.csv", f"url,label\n{A},AC/DC\n")
    assert (one.label, one.own) == ("AC_DC", {"label": "AC/DC"})


def test_what_was_guessed_is_reported_with_the_option_that_says_otherwise(tmp_path: Path) -> None:
    _, notices = read(tmp_path / "s.csv", f"Handle,Image Src,class\nx,{A},shoe\n")
    (notice,) = notices
    assert notice.startswith("s.csv: taking column 'Image Src' as the URL, 'class' as the label ")
    assert notice.endswith("(--url-column, --label-column to choose)")
    _, notices = read(tmp_path / "c.tsv", f"{A}\ta red fox in deep snow\n")
    assert "column 2 as the caption" in notices[0]


def test_columns_that_the_user_names_are_taken(tmp_path: Path) -> None:
    text = f"{PAGE},other,{C},Fox\n"
    table = f"a,kind of,b,what\n{text}"
    (one,), notices = read(tmp_path / "t.csv", table, url="b", label="Kind-of", caption="what")
    assert (one.url, one.label, one.title, notices) == (C, "other", "Fox", [])
    (one,), _ = read(tmp_path / "t.csv", table, url="3", label="4", id="kind of")
    assert (one.url, one.label, one.file_stem) == (C, "Fox", "other")
    for asked in ({"url": "zz"}, {"label": "9"}, {"id": "zz"}):
        with pytest.raises(UsageError, match=r"no such column \(columns: 'a', 'kind of', 'b'"):
            read(tmp_path / "t.csv", table, **{"url": "b", **asked})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("t.csv", f"here,there\n{C},{PAGE}\n"),
        ("t.jsonl", json.dumps({"here": C, "there": PAGE})),
        ("t.json", json.dumps([{"here": C, "there": PAGE}], indent=1)),
    ],
)
def test_doubt_lists_the_columns_and_the_option(tmp_path: Path, file: str, text: str) -> None:
    with pytest.raises(UsageError, match=r"several columns hold URLs \('here', 'there'\).*--url-c"):
        read(tmp_path / file, text)
    (one,), _ = read(tmp_path / file, text, url="here")
    assert one.url == C


def test_a_list_in_latin_1_is_read_and_told_once(tmp_path: Path) -> None:
    text = f"url,title\n{A},Löwe\n{B},Bär\n"
    found, notices = read(tmp_path / "l.csv", text.encode("cp1252"))
    assert [one.title for one in found] == ["Löwe", "Bär"]
    assert notices == ["l.csv:2: is not UTF-8; such lines are read as Latin-1"]


def test_urls_with_separators_inside_stay_whole(tmp_path: Path) -> None:
    odd = [
        "https://a.test/w_300,h_200/1.jpg",
        "https://a.test/a;b|c.jpg",
        "https://a.test/my cat.jpg",
    ]
    for file in ("l.txt", "l.csv", "l"):
        found, _ = read(tmp_path / file, "\n".join([odd[0]] * 3))
        assert [one.url for one in found] == [odd[0]] * 3
        found, _ = read(tmp_path / file, "\n".join(odd))
        assert [one.url for one in found] == odd
    (one,), _ = read(tmp_path / "t.csv", f'url,x\n"{A}, {B}",1\n')
    assert one.url == f"{A}, {B}", "a column url is taken byte for byte"


def test_a_row_without_a_picture_costs_itself_only_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(f"Handle,Image Src\nx,{A}\nx,\ny,{B}\n")
    found = list(read_manifest(tmp_path / "s.csv"))
    assert [one.url for one in found if isinstance(one, Candidate)] == [A, B]
    (bad,) = (one for one in found if isinstance(one, BadLine))
    assert (bad.number, bad.problem) == (3, "its 'Image Src' is empty")


def test_a_document_that_breaks_off_gives_what_stands_before(tmp_path: Path) -> None:
    path = tmp_path / "d.json"
    path.write_text(json.dumps([{"url": A}, {"url": B}])[:-3])
    found = list(read_manifest(path))
    assert [one.url for one in found if isinstance(one, Candidate)] == [A]
    assert "breaks off" in next(one.problem for one in found if isinstance(one, BadLine))
    path.write_text('[{"url": "x"},]')
    assert [one.url for one in read_manifest(path) if isinstance(one, Candidate)] == ["x"]
    for text in ('{"a": {"b": 1}}', "[1, 2"):
        path.write_text(text)
        with pytest.raises(UsageError, match="JSON"):
            list(read_manifest(path))
    path.write_text("<!doctype html><img src=x>")
    with pytest.raises(UsageError, match="web page"):
        list(read_manifest(path))


@pytest.mark.parametrize(
    "suffix", matrix([".json", ".csv", ".tsv", ".jsonl", ".csv.gz"], ".json", ".csv.gz")
)
def test_memory_stays_flat_whatever_the_length(tmp_path: Path, suffix: str) -> None:
    rows = [f"https://a.test/{number}/{'x' * 600}.jpg" for number in range(4_000)]
    content = {
        ".json": json.dumps([{"url": url, "own": "y" * 50} for url in rows]),
        ".jsonl": "\n".join(json.dumps({"url": url, "own": 1}) for url in rows),
        ".csv": "url,own\n" + "".join(f"{url},{'y' * 50}\n" for url in rows),
        ".tsv": "".join(f"a caption of some words\t{url}\n" for url in rows),
    }
    raw = content[suffix.removesuffix(".gz")].encode()
    path = tmp_path / f"l{suffix}"
    path.write_bytes(gzip.compress(raw) if suffix.endswith(".gz") else raw)
    del content, raw
    tracemalloc.start()
    try:
        count = sum(isinstance(one, Candidate) for one in read_manifest(path))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == 4_000
    assert peak < 2_500_000
