"""Every signal, in every place, for both purposes: what is saved, asked for, kept and told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import pixtrawl
from pixtrawl.events import Notice
from pixtrawl.exporters.columns import columns_of
from tests.owners.files import data_mining, picture, store, with_store, xmp
from tests.owners.hosts import TDMREP, Host, Owner, hosts
from tests.pipeline.pictures import fetch, manifest

ALL = "User-agent: *\n"


def headers(*lines: str) -> Owner:
    return Owner(headers=tuple((n, v) for n, _, v in (line.partition(": ") for line in lines)))


def robots(*lines: str) -> Owner:
    return Owner(robots="".join(f"{line}\n" for line in lines))


# What an owner says, whether it is a no to training and to search, and where it was heard.
CASES: dict[str, tuple[Owner, bool, bool, str]] = {
    "silent": (Owner(), False, False, ""),
    "robots signal": (robots(ALL, "Content-Signal: ai-train=no, search=yes"), True, False, "robots"),
    "robots signal search": (robots(ALL, "Content-signal:search=no"), False, True, "robots"),
    "robots signal before groups": (robots("Content-Signal: ai-train=no"), True, False, "robots"),
    "robots signal to others": (
        robots("User-agent: GPTBot", "Content-Signal: ai-train=no"), False, False, "",
    ),
    "robots signal to us": (
        robots(ALL, "Content-Signal: ai-train=yes", "User-agent: pixtrawl",
               "Content-Signal: ai-train=no"), True, False, "robots",
    ),
    "robots usage": (robots(ALL, "Allow: /", "Content-Usage: train-ai=n"), True, False, "robots"),
    "robots usage search": (robots(ALL, "Content-Usage: search=n"), False, True, "robots"),
    "robots usage of the path": (
        robots(ALL, "Content-Usage: train-ai=y", "Content-Usage: /a train-ai=n"),
        True, False, "robots",
    ),
    "robots usage of another path": (
        robots(ALL, "Content-Usage: train-ai=y", "Content-Usage: /b train-ai=n"),
        False, False, "robots",
    ),
    "robots usage of old": (robots(ALL, "Content-Usage: genai=n"), True, False, "robots"),
    "header signal": (headers("Content-Signal: ai-train=no"), True, False, "header"),
    "header signal yes": (headers("Content-Signal: ai-train=yes, search=yes"), False, False,
                          "header"),
    "header usage": (headers("Content-Usage: train-ai=n, search=y"), True, False, "header"),
    "header usage twice": (
        headers("Content-Usage: search=n", "Content-Usage: train-ai=n"), True, True, "header",
    ),
    "header usage search": (headers("Content-Usage: search=n"), False, True, "header"),
    "header tdm": (headers("tdm-reservation: 1", "tdm-policy: https://h.example/p"), True, False,
                   "header"),
    "header tdm not": (headers("TDM-Reservation: 0"), False, False, "header"),
    "header noai": (headers("X-Robots-Tag: noai"), True, False, "-"),
    "header noindex": (headers("X-Robots-Tag: noindex"), True, True, "-"),
    "tdmrep": (Owner(tdmrep='[{"location": "/", "tdm-reservation": 1}]'), True, False, "tdmrep"),
    "tdmrep of the path": (
        Owner(tdmrep='[{"location": "/*.jpg$", "tdm-reservation": 1}]'), True, False, "tdmrep",
    ),
    "tdmrep of another path": (
        Owner(tdmrep='[{"location": "/b", "tdm-reservation": 1}]'), False, False, "",
    ),
    "tdmrep not": (Owner(tdmrep='[{"location": "/", "tdm-reservation": 0}]'), False, False,
                   "tdmrep"),
    "tdmrep broken": (Owner(tdmrep="<html>"), False, False, ""),
    "tdmrep in trouble": (Owner(tdmrep=500), False, False, ""),
    "tdmrep and header": (
        Owner(tdmrep='[{"location": "/", "tdm-reservation": 1}]',
              headers=(("tdm-reservation", "0"),)), True, False, "tdmrep",
    ),
}  # fmt: skip
XMP = {
    "DMI-PROHIBITED": (True, True), "DMI-PROHIBITED-AIMLTRAINING": (True, False),
    "DMI-PROHIBITED-GENAIMLTRAINING": (True, False), "DMI-ALLOWED": (False, False),
    "DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING": (True, False),
    "DMI-PROHIBITED-SEECONSTRAINT": (True, True), "DMI-UNSPECIFIED": (False, False),
}  # fmt: skip
C2PA = {
    "c2pa.ai_training=notAllowed": (True, False),
    "cawg.ai_generative_training=constrained": (True, False),
    "c2pa.data_mining=notAllowed": (True, True), "cawg.ai_training=allowed": (False, False),
    "c2pa.ai_inference=notAllowed": (False, False),
}  # fmt: skip


def table() -> dict[str, tuple[Owner, bool, bool, str]]:
    rows: dict[str, tuple[Owner, bool, bool, str]] = {}
    for seed, (name, (owner, train, search, source)) in enumerate(CASES.items(), 100):
        rows[name] = (replace(owner, picture=picture(seed)), train, search, source)
    for seed, (code, (train, search)) in enumerate(XMP.items(), 200):
        body = picture(seed, xmp=data_mining(code))
        rows[f"xmp {code}"] = (Owner(picture=body), train, search, "xmp")
    for seed, (said, (train, search)) in enumerate(C2PA.items(), 300):
        name, _, use = said.partition("=")
        label = f"{name.partition('.')[0]}.training-mining"
        body = with_store(picture(seed), store({name: use}, label))
        rows[f"c2pa {said}"] = (Owner(picture=body), train, search, "c2pa")
    body = picture(400, xmp=xmp("tdm:reservation='1'"))
    rows["xmp tdm"] = (Owner(picture=body), True, False, "xmp")
    return rows


ROWS = table()


def download(
    found: dict[str, Host], folder: Path, **settings: object
) -> tuple[pixtrawl.Dataset, dict[str, pixtrawl.Sample]]:
    rows = [("cat", f"{host.url}/a.jpg") for host in found.values()]
    ds = fetch(manifest(folder / "m.jsonl", rows), folder / "set", concurrency=16, **settings)
    names = {f"{host.url}/a.jpg": name for name, host in found.items()}
    return ds, {names[sample.url]: sample for sample in ds}


@pytest.mark.parametrize("purpose", ["train", "search"])
def test_a_no_to_the_purpose_is_no_image(tmp_path: Path, purpose: str) -> None:
    with hosts({name: row[0] for name, row in ROWS.items()}) as found:
        ds, saved = download(found, tmp_path, purpose=purpose)
        refused = {name for name, row in ROWS.items() if row[1 if purpose == "train" else 2]}
        assert set(ROWS) - set(saved) == refused
        for name, host in found.items():
            assert host.asked.count("/robots.txt") == 1
            assert host.asked.count(TDMREP) == (1 if purpose == "train" else 0), name
            early = ROWS[name][3] in {"robots", "tdmrep"} and name in refused
            assert ("/a.jpg" in host.asked) is not early, (name, "is refused before the request")
    totals, preferences = ds.report.totals, ds.report.ai_preferences
    assert totals.rejected == len(refused)
    assert (preferences.purpose, preferences.ignored) == (purpose, False)
    by_robots_tag = sum(ROWS[name][3] == "-" for name in refused)
    assert preferences.refused == ds.report.reasons["opted_out"] == len(refused) - by_robots_tag
    assert ds.report.reasons["robots_header"] == by_robots_tag


def test_what_was_said_is_kept_with_each_image_and_counted_in_the_card(tmp_path: Path) -> None:
    with hosts({name: row[0] for name, row in ROWS.items()}) as found:
        ds, saved = download(found, tmp_path, ignore_ai_preferences=True)
        assert all(host.asked.count(TDMREP) == 0 for host in found.values()), "nobody would listen"
    assert set(ROWS) - set(saved) == {"header noai", "header noindex"}, "as --ignore-robots"
    lines = (ds.root / "metadata.jsonl").read_text().splitlines()
    kept = {row["file_name"]: row["ai_preferences"] for row in map(json.loads, lines)}
    for name, sample in saved.items():
        sources = {one["source"] for one in sample.ai_preferences}
        expected = {ROWS[name][3]} - {"", "tdmrep"} if name != "tdmrep and header" else {"header"}
        assert sources == expected, name
        text = kept[sample.file_name]
        assert isinstance(text, str)
        assert json.loads(text or "[]") == list(sample.ai_preferences)
        assert columns_of(sample)["ai_preferences"] == text
    said = saved["robots signal"].ai_preferences[0]
    assert said["text"] == "ai-train=no, search=yes"
    assert (said["train"], said["search"], said["name"]) == ("no", "yes", "Content-Signal")
    assert said["at"].startswith("20")
    card = (ds.root / "README.md").read_text()
    assert "AI preferences of owners were ignored in 1 of 1 runs" in card
    noes = sum(
        any(one["train"] == "no" for one in sample.ai_preferences) for sample in saved.values()
    )
    assert noes > 15
    assert f"| train | {noes} |" in card
    assert ds.report.ai_preferences.ignored is True


def test_the_card_of_an_export_counts_them_too(tmp_path: Path) -> None:
    names = ("silent", "header usage", "xmp DMI-ALLOWED")
    with hosts({name: ROWS[name][0] for name in names}) as found:
        ds, _ = download(found, tmp_path, ignore_ai_preferences=True)
    ds.export("imagefolder", str(tmp_path / "out"))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "| train | 1 | 1 | 1 |" in card


def test_a_run_without_an_override_tells_its_purpose(tmp_path: Path) -> None:
    with hosts({name: ROWS[name][0] for name in ("silent", "header usage")}) as found:
        ds, _ = download(found, tmp_path)
    card = (ds.root / "README.md").read_text()
    assert "Images were fetched for the purpose: train." in card
    assert "an AI preference of their owners" in card
    assert "ignored" not in card
    assert ds.report["causes"] == {}


def test_the_detail_names_the_signal(tmp_path: Path) -> None:
    with hosts({"a": ROWS["header usage"][0]}) as found:
        ds, _ = download(found, tmp_path)
    (row,) = ds.outcomes()
    assert row.detail == "header: Content-Usage: train-ai=n, search=y"


def test_an_override_is_loud(tmp_path: Path) -> None:
    told: list[object] = []
    with hosts({"a": ROWS["silent"][0]}) as found:
        download(found, tmp_path, ignore_ai_preferences=True, listener=told.append)
    notices = [e.message for e in told if isinstance(e, Notice)
               and e.level == "warning"]  # fmt: skip
    assert any("NOT heard" in message for message in notices)


def test_robots_txt_holds_all_the_same(tmp_path: Path) -> None:
    owner = Owner(robots=ALL + "Disallow: /\n", picture=picture(1))
    with hosts({"a": owner}) as found:
        ds, saved = download(found, tmp_path, ignore_ai_preferences=True)
        assert found["a"].asked == ["/robots.txt"]
    assert not saved
    assert ds.report.reasons == {"robots_txt": 1}


def test_robots_txt_governs_tdmrep_json_itself(tmp_path: Path) -> None:
    owner = Owner(robots=ALL + "Disallow: /.well-known/\n", picture=picture(1))
    with hosts({"a": owner}) as found:
        _, saved = download(found, tmp_path)
        assert found["a"].asked == ["/robots.txt", "/a.jpg"]
    assert saved


def test_tdmrep_json_is_asked_for_once_a_host(tmp_path: Path) -> None:
    with hosts({"a": Owner(picture=picture(1))}) as found:
        rows = [("cat", f"{found['a'].url}/{n}.jpg") for n in range(30)]
        fetch(manifest(tmp_path / "m.jsonl", rows), tmp_path / "set", concurrency=16, per_host=8)
        assert found["a"].asked.count(TDMREP) == 1
        assert found["a"].asked.count("/robots.txt") == 1
