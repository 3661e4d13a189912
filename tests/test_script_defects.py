"""Defects of the usual scraping script, each a test: the real command against the playground.

The script clicks through Google Images in ten Chromes, collects URLs in `keyword_urls.txt` and fetches
them with requests in threads. Most tests look at one shared run: its kind of `queries.csv`, through a real Chrome, against
a search page in the layout of 2021.
"""

from __future__ import annotations

import ast
import hashlib
import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from PIL import Image

from pixtrawl.playground import Playground
from pixtrawl.playground.server import RequestRecord
from tests import warm_command

LIMIT = 7  # more than `rare bird` has
QUERIES = (
    "tabby cat", "rare bird", "../../escaped", "AC/DC", "black & white cat", "C# logo", "2020",
    "null", "NA", "cat, sleeping",
)  # fmt: skip
FAULTS = (
    "html-as-jpg", "short-body", "base64-in-path", "data-svg", "hotlink", "slow-first-byte",
    "retry-after", "flaky-503", "png-as-jpg", "webp-no-extension", "truncated-file",
)  # fmt: skip
EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}

pytestmark = pytest.mark.timeout(180)


@dataclass
class Ran:
    """A command that has ended, the folder it wrote, and what the site saw of it."""

    code: int
    out: str
    err: str
    folder: Path
    requests: list[RequestRecord] = field(default_factory=list)
    browsers: set[int] = field(default_factory=set)  # process ids of Chrome main processes

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads(self.out)
        return report

    def query(self, text: str) -> dict[str, Any]:
        return next(query for query in self.report["queries"] if query["query"] == text)

    def rows(self) -> list[dict[str, Any]]:
        lines = (self.folder / "metadata.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def keyword_urls(self) -> dict[str, list[str]]:
        table: dict[str, list[str]] = ast.literal_eval(
            (self.folder / "keyword_urls.txt").read_text("utf-8")
        )
        return table


def pixtrawl(
    *arguments: str, folder: Path, cwd: Path | None = None, environ: dict[str, str] | None = None
) -> Ran:
    process = warm_command.Popen(
        [
            *(sys.executable, "-m", "pixtrawl", *arguments, "-o", str(folder)),
            *("--allow-address", "127.0.0.0/24", "--json", "-q"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env={**os.environ, **(environ or {})},
    )
    seen: dict[int, int] = {}
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            seen.update(browsers_below(process.pid))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        out, err = process.communicate(timeout=150)
    finally:
        over.set()
        watching.join()
    # A process that has just been forked still looks like its parent, to a glance in that moment
    # like a Chrome of its own.
    browsers = {browser for browser, parent in seen.items() if parent not in seen}
    return Ran(process.returncode, out, err, folder, browsers=browsers)


def browsers_below(pid: int) -> dict[int, int]:
    """Chromes among the descendants, without the helpers of each, and the parent of each.

    Empty where there is no /proc.
    """
    found: dict[int, int] = {}
    below = {pid: False}  # process id -> whether it belongs to a Chrome
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
            program = words[0].rpartition(b"/")[2]
        except (OSError, ValueError, IndexError):
            continue
        if parent in below:
            is_chrome = b"chrom" in program or b"headless_shell" in program
            helper = b"crashpad" in program or any(word.startswith(b"--type=") for word in words)
            if is_chrome and not below[parent] and not helper:
                found[int(entry.name)] = parent
            below[int(entry.name)] = is_chrome or below[parent]
    return found


def alive(pids: set[int]) -> list[int]:
    """Those that run; one that has ended and that nobody has waited for does not."""
    return [pid for pid in pids if _state(pid) not in {"", "Z"}]


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def google(site: Playground, variant: str) -> list[str]:
    return ["-s", "google", "--set", f"google.base_url={site.url}/{variant}"]


def bing(site: Playground, variant: str = "") -> list[str]:
    return ["-s", "bing", "--set", f"bing.base_url={site.url}{variant}"]


@pytest.fixture(scope="module")
def site() -> Iterator[Playground]:
    faults = ("html-as-jpg", "short-body")
    mix = {"fault": 0.15, "exact_duplicate": 0.1, "thumbnail": 0.1}
    with Playground(supply=16, faults=faults, mix=mix, patience=0.3) as running:
        yield running
        assert running.errors == []


@pytest.fixture(scope="module")
def ran(site: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`pixtrawl run queries.csv -s google` as a user of the script would start it."""
    work = tmp_path_factory.mktemp("script")
    (work / "queries.csv").write_text("".join(f"{q}\n" for q in (*QUERIES, "tabby cat")))
    before = len(site.requests)
    run = pixtrawl(
        "run", "queries.csv", *google(site, "2021"), "-n", str(LIMIT),
        folder=work / "deep" / "er" / "images", cwd=work,
    )  # fmt: skip
    run.requests = site.requests[before:]
    return run


@pytest.fixture(scope="module")
def downloaded(site: Playground, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """`pixtrawl download` of the URLs that the script's `fetch_img` stumbled over."""
    work = tmp_path_factory.mktemp("faults")
    rows: list[dict[str, Any]] = [
        {"url": site.fault(name, number).url, "query": "faults", "page_url": f"{site.url}/page/x/1"}
        for number, name in enumerate(FAULTS)
    ]
    rows.append({"url": None, "query": "faults"})
    (work / "urls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    before = len(site.requests)
    run = pixtrawl("download", str(work / "urls.jsonl"), folder=work / "images")
    run.requests = site.requests[before:]
    return run


def ended(run: Ran, site: Playground, fault: str) -> str:
    """The reason that a fault's URL ended with."""
    import sqlite3

    with sqlite3.connect(run.folder / ".pixtrawl-catalog.sqlite3") as db:
        url = site.fault(fault, FAULTS.index(fault)).url
        (reason,) = db.execute("SELECT reason FROM candidate WHERE url = ?", (url,)).fetchone()
    return str(reason)


@pytest.mark.browser
def test_defect_01_an_unknown_page_is_reported_and_no_browser_is_left(
    site: Playground, tmp_path: Path
) -> None:
    run = pixtrawl("run", "tabby cat", *google(site, "changed"), "-n", "2", folder=tmp_path / "i")
    assert run.code == 4
    answer = run.query("tabby cat")["sources"]["google"]
    assert answer["outcome"] == "changed"
    assert answer["detail"]["next_step"]
    for kept in answer["detail"]["evidence"]:
        assert (run.folder / kept).stat().st_size > 0
    assert run.keyword_urls() == {"tabby cat": []}
    assert alive(run.browsers) == []


def test_defect_02_a_browser_that_cannot_start_is_reported(
    site: Playground, tmp_path: Path
) -> None:
    run = pixtrawl(
        "run", "tabby cat", *google(site, "2021"), folder=tmp_path / "images",
        environ={"PIXTRAWL_CHROME": str(tmp_path / "no-chrome")},
    )  # fmt: skip
    assert run.code == 5
    assert run.query("tabby cat")["sources"]["google"]["outcome"] == "browser_missing"
    assert "no-chrome" in json.dumps(run.report)


@pytest.mark.browser
def test_defect_03_a_query_with_few_results_keeps_them(site: Playground, ran: Ran) -> None:
    good = {e.sha256 for e in site.expected("rare bird") if e.role in {"photo", "exact_duplicate"}}
    answer = ran.query("rare bird")["sources"]["google"]
    assert (answer["outcome"], answer["found"]) == ("ok", 6)
    saved = {row["sha256"] for row in ran.rows() if row["query"] == "rare bird"}
    assert saved <= good
    assert len(saved) == len(good) > 2
    assert ran.code == 3
    assert alive(ran.browsers) == []


@pytest.mark.browser
def test_defect_04_no_thumbnail_stands_in_for_an_original(site: Playground, ran: Ran) -> None:
    for query in QUERIES:
        truth = {entry.url: entry for entry in site.expected(query)}
        for row in (row for row in ran.rows() if row["query"] == query):
            entry = truth[row["url"]]
            assert row["kind"] == "original"
            assert not row["url"].startswith("data:")
            assert entry.role in {"photo", "exact_duplicate"}
            assert (row["width"], row["height"]) == (entry.width, entry.height)


@pytest.mark.browser
def test_defect_05_the_extension_is_that_of_the_content(ran: Ran, downloaded: Ran) -> None:
    seen = Counter[str]()
    for run in (ran, downloaded):
        for row in run.rows():
            file = run.folder / row["file_name"]
            with Image.open(file) as image:
                assert file.suffix == f".{EXTENSIONS[image.format or '']}"
            seen[file.suffix] += 1
    assert {".jpg", ".png", ".webp"} <= set(seen)


def test_defect_06_a_page_with_status_200_is_no_image(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "html-as-jpg") == "html"
    for row in downloaded.rows():
        assert not (downloaded.folder / row["file_name"]).read_bytes().startswith(b"<!doctype")


def test_defect_07_half_a_body_is_no_image(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "short-body") == "body_incomplete"
    assert ended(downloaded, site, "truncated-file") == "truncated"


def test_defect_08_base64_in_a_path_is_only_a_path(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "base64-in-path") == "saved"
    assert all(file.stat().st_size > 0 for file in downloaded.folder.glob("faults/*"))


def test_defect_09_a_data_uri_without_base64_is_read(site: Playground, downloaded: Ran) -> None:
    assert ended(downloaded, site, "data-svg") == "unsupported_format"


def test_defect_10_an_empty_address_is_an_outcome_and_stops_nothing(downloaded: Ran) -> None:
    assert downloaded.code == 0
    report = downloaded.report
    assert report["reasons"]["bad_url"] == 1
    assert report["totals"]["candidates"] == len(FAULTS) + 1
    assert sum(report["reasons"].values()) == len(FAULTS) + 1


@pytest.mark.browser
def test_defect_11_no_query_writes_outside_its_folder(ran: Ran) -> None:
    work = ran.folder.parents[2]
    outside = {path.name for path in work.rglob("*") if ran.folder not in (path, *path.parents)}
    assert outside == {"queries.csv", "deep", "er"}
    label = ran.query("../../escaped")["label"]
    assert len(list((ran.folder / label).iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_12_a_slash_in_a_query_stops_nothing(ran: Ran) -> None:
    assert ran.query("AC/DC")["saved"] == LIMIT
    assert "/" not in ran.query("AC/DC")["label"]
    after = QUERIES[QUERIES.index("AC/DC") + 1 :]
    assert {query: ran.query(query)["saved"] for query in after} == dict.fromkeys(after, LIMIT)


@pytest.mark.browser
def test_defect_13_the_whole_query_is_searched(site: Playground, ran: Ran) -> None:
    searches = [r for r in ran.requests if "/search?" in r.target]
    asked = {parse_qs(urlsplit(r.target).query)["q"][0] for r in searches}
    assert asked == set(QUERIES)
    for query in ("black & white cat", "C# logo"):
        truth = {entry.url for entry in site.expected(query)}
        assert {row["url"] for row in ran.rows() if row["query"] == query} <= truth


@pytest.mark.browser
def test_defect_14_a_comma_belongs_to_the_query(ran: Ran, tmp_path: Path) -> None:
    assert ran.query("cat, sleeping")["saved"] == LIMIT
    (tmp_path / "queries.csv").write_text('"one, two"\nthree\n')
    run = pixtrawl("run", str(tmp_path / "queries.csv"), "--dry-run", folder=tmp_path / "images")
    assert [query["query"] for query in run.report["queries"]] == ["one, two", "three"]


@pytest.mark.browser
def test_defect_15_a_number_is_a_query(ran: Ran) -> None:
    assert ran.query("2020")["saved"] == LIMIT
    assert len(list((ran.folder / "2020").iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_16_null_is_a_query(ran: Ran) -> None:
    assert [ran.query(text)["saved"] for text in ("null", "NA")] == [LIMIT, LIMIT]
    assert len(list((ran.folder / "null").iterdir())) == LIMIT


@pytest.mark.browser
def test_defect_17_a_repeated_query_is_one_query(ran: Ran) -> None:
    assert [query["query"] for query in ran.report["queries"]] == list(QUERIES)
    first_pages = [r for r in ran.requests if "/search?" in r.target and "q=tabby+cat" in r.target]
    assert sum("asearch" not in r.target for r in first_pages) <= 1
    assert ran.query("tabby cat")["saved"] == LIMIT


def test_defect_18_we_say_who_asks_and_try_again_what_may_still_come(
    site: Playground, downloaded: Ran
) -> None:
    for fault in ("hotlink", "slow-first-byte", "retry-after", "flaky-503"):
        assert ended(downloaded, site, fault) == "saved"
    (asked,) = [r for r in downloaded.requests if "/fault/hotlink/" in r.target]
    assert asked.headers["referer"] == f"{site.url}/page/x/1"
    assert asked.headers["user-agent"].startswith("pixtrawl/")
    assert sum("/fault/flaky-503/" in r.target for r in downloaded.requests) == 3


@pytest.mark.browser
@pytest.mark.skipif(sys.platform != "linux", reason="processes are counted in /proc")
def test_defect_19_one_browser_serves_all_queries(ran: Ran) -> None:
    assert len(ran.browsers) == 1


@pytest.mark.browser
def test_defect_20_queries_are_downloaded_side_by_side(ran: Ran) -> None:
    pictures = [r for r in ran.requests if r.path.split("/")[1] in {"photo", "mirror", "fault"}]
    spans: dict[str, list[float]] = {}
    for r in pictures:
        spans.setdefault(r.path.split("/")[-2], []).append(r.time)
    first_begun = sorted((times[0], times[-1]) for times in spans.values())
    assert len(spans) == len(QUERIES)
    assert any(later[0] < earlier[1] for earlier, later in itertools.pairwise(first_begun))
    # and the first picture is fetched while searches are still being asked
    searches = [r.time for r in ran.requests if "/search?" in r.target]
    assert pictures[0].time < max(searches)


@pytest.mark.browser
def test_defect_21_keyword_urls_is_read_from_where_it_was_written(ran: Ran, tmp_path: Path) -> None:
    again = pixtrawl(
        "download", str(ran.folder / "keyword_urls.txt"), "-n", "1", folder=tmp_path / "images"
    )
    assert again.code == 0
    assert {query["query"]: query["saved"] for query in again.report["queries"]} == dict.fromkeys(
        QUERIES, 1
    )
    labels = {query["label"] for query in ran.report["queries"]}
    assert {query["label"] for query in again.report["queries"]} == labels


def test_defect_22_what_was_found_survives_a_kill_and_is_not_fetched_again(
    tmp_path: Path,
) -> None:
    with Playground(supply=16, latency_s=0.1) as slow:
        folder = tmp_path / "images"
        arguments = [
            *(sys.executable, "-m", "pixtrawl", "run", "red fox", *bing(slow), "-n", "12"),
            *("-o", str(folder), "--allow-address", "127.0.0.0/24", "--per-host", "1", "-q"),
        ]
        running = warm_command.Popen(arguments, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and len(list(folder.glob("red fox/*"))) < 3:
            time.sleep(0.005)
        assert running.poll() is None, "killed while it works"
        running.kill()
        running.wait()
        table = ast.literal_eval((folder / "keyword_urls.txt").read_text("utf-8"))
        assert len(table["red fox"]) == 16
        kept = {file.name: file.read_bytes() for file in folder.glob("red fox/*")}
        before = len(slow.requests)
        again = pixtrawl("run", "red fox", *bing(slow), "-n", "12", folder=folder)
        assert again.code == 0
        assert again.query("red fox")["saved"] == 12
        assert (
            kept.items()
            <= {file.name: file.read_bytes() for file in folder.glob("red fox/*")}.items()
        )
        asked = Counter(r.target for r in slow.requests[before:])
        places = {urlsplit(row["url"]).path for row in again.rows() if _leaf(row) in kept}
        assert not places & set(asked)


def _leaf(row: dict[str, Any]) -> str:
    return str(row["file_name"]).rpartition("/")[2]


@pytest.mark.browser
def test_defect_23_images_are_checked_distinct_and_say_where_they_come_from(ran: Ran) -> None:
    rows = ran.rows()
    for row in rows:
        body = (ran.folder / row["file_name"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == row["sha256"]
        assert row["page_url"].startswith("http://127.0.0.1:")
        assert row["title"]
        assert "license" in row
    per_label = Counter((row["label"], row["sha256"]) for row in rows)
    assert max(per_label.values()) == 1
    assert {"html", "body_incomplete"} & set(ran.report["reasons"])


def test_defect_24_a_search_page_that_never_answers_is_an_outcome(
    site: Playground, tmp_path: Path
) -> None:
    origin = site.fault("silent").url.split("/fault/")[0]
    run = pixtrawl(
        "run", "tabby cat", "-s", "bing", "--set", f"bing.base_url={origin}/fault/silent/x",
        "--set", "fetch.first_byte_timeout_s=0.5", "--patience", "3", folder=tmp_path / "images",
    )  # fmt: skip
    assert run.code == 4
    answer = run.query("tabby cat")["sources"]["bing"]
    assert answer["outcome"] == "network_error"
    assert "first_byte_timeout" in answer["detail"]["message"]


@pytest.mark.parametrize(
    ("variant", "outcome", "kind"),
    [
        ("consent-stays", "consent", None),
        ("captcha", "blocked", "captcha"),
        ("soft-block", "blocked", "soft_block"),
        ("changed", "changed", None),
        ("no-results", "no_results", None),
    ],
)
def test_defect_25_a_wall_is_told_from_an_empty_answer(
    site: Playground, tmp_path: Path, variant: str, outcome: str, kind: str | None
) -> None:
    run = pixtrawl("run", "tabby cat", *bing(site, f"/{variant}"), folder=tmp_path / "images")
    answer = run.query("tabby cat")["sources"]["bing"]
    assert (run.code, answer["outcome"], answer["detail"].get("kind")) == (4, outcome, kind)
    if outcome != "no_results":
        assert answer["detail"]["evidence"]


def test_defect_26_many_queries_at_once_lose_nothing(site: Playground, tmp_path: Path) -> None:
    queries = [f"scene {number}" for number in range(24)]
    run = pixtrawl("run", *queries, *bing(site), "-n", "2", folder=tmp_path / "images")
    assert run.code == 0
    table = run.keyword_urls()
    assert list(table) == queries
    for query in queries:
        saved = [row["url"] for row in run.rows() if row["query"] == query]
        assert len(saved) == 2
        assert table[query][:2] == saved
        assert len(table[query]) == len(set(table[query]))


def test_defect_27_importing_does_nothing(tmp_path: Path) -> None:
    watching = (
        "import sys, threading, pixtrawl, pixtrawl.cli.main\n"
        "assert threading.active_count() == 1\n"
        "assert not {'playwright', 'pycurl', 'sqlite3'} & set(sys.modules)\n"
    )
    done = warm_command.run(
        [sys.executable, "-c", watching], capture_output=True, text=True, cwd=tmp_path, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []
