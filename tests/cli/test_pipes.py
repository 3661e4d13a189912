"""Commands joined by pipes: what one finds the next one downloads, and a reader may leave."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests import warm_command
from tests.pipeline.pictures import Answer, jpeg, scene, serving

from pixtrawl.cli.main import main

PIXTRAWL = [sys.executable, "-m", "pixtrawl"]
LOCAL = ["--allow-address", "127.0.0.0/8"]


def pipe(words: list[str], content: str | bytes = b"") -> subprocess.CompletedProcess[bytes]:
    raw = content.encode() if isinstance(content, str) else content
    return warm_command.run(
        [*PIXTRAWL, *words], input=raw, capture_output=True, timeout=120, check=False
    )


def kept(folder: Path) -> list[tuple[str, str]]:
    lines = (folder / "metadata.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return sorted((row["url"].rpartition("/")[2], row["label"]) for row in rows)


def test_discover_writes_to_a_pipe_and_download_reads_it(tmp_path: Path) -> None:
    answers: dict[str, Answer] = {f"/{n}.jpg": jpeg(scene(n)) for n in range(3)}
    with serving(answers) as host:
        lst = tmp_path / "l.csv"
        lst.write_text(
            "query,url,sku\n" + "".join(f"cat,{host.url}/{n}.jpg,s{n}\n" for n in range(3))
        )
        found = pipe(
            ["discover", "cat", "-s", "urls", "--set", f"urls.file={lst}", "-n", "3", "-o", "-"]
        )
        assert found.returncode == 0
        rows = [json.loads(line) for line in found.stdout.splitlines()]
        assert [row["sku"] for row in rows] == ["s0", "s1", "s2"]
        assert b"cat" in found.stderr, "the verdict"
        done = pipe(["download", "-", "-o", str(tmp_path / "a"), *LOCAL], found.stdout)
        assert done.returncode == 0, done.stderr
        assert kept(tmp_path / "a") == [(f"{n}.jpg", "cat") for n in range(3)]
        urls = [f"{host.url}/{n}.jpg" for n in range(2)]
        for number, content in enumerate((
            "\n".join(urls), json.dumps(urls), f"photo,kind\n{urls[0]},x\n{urls[1]},x\n",
        )):  # fmt: skip
            out = tmp_path / f"in{number}"
            assert pipe(["download", "-", "-o", str(out), *LOCAL], content).returncode == 0
            assert [name for name, _ in kept(out)] == ["0.jpg", "1.jpg"]
        assert main(["download", *urls, "-o", str(tmp_path / "words"), "-q", *LOCAL]) == 0
        assert kept(tmp_path / "words") == [("0.jpg", "urls"), ("1.jpg", "urls")]


def test_a_reader_that_leaves_ends_discovery_quietly(tmp_path: Path) -> None:
    lst = tmp_path / "l.csv"
    lst.write_text("query,url\n" + "".join(f"cat,https://a.test/{n}.jpg\n" for n in range(9)))
    reading, writing = os.pipe()
    os.close(reading)
    words = [
        "discover",
        "cat",
        "-s",
        "urls",
        "--set",
        f"urls.file={lst}",
        "-n",
        "9",
        "-o",
        "-",
        "-q",
    ]
    done = subprocess.run(
        [*PIXTRAWL, *words], stdout=writing, stderr=subprocess.PIPE, timeout=120, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_short_discovery_leaves_nothing_untried_and_asks_for_other_sources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lst = tmp_path / "l.csv"
    lst.write_text("query,url\n" + "".join(f"cat,https://a.test/{n}.jpg\n" for n in range(3)))
    out = str(tmp_path / "urls.jsonl")
    words = ["discover", "cat", "-s", "urls", "--set", f"urls.file={lst}", "-n", "9", "-o", out]
    assert main(words) == 3
    assert "the sources have no more" in capsys.readouterr().out
    assert main([*words, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["queries"][0]["untried"] == 0


def test_two_things_on_stdout_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["discover", "cat", "-o", "-", "--json"]) == 2
    assert "stdout" in capsys.readouterr().err
    twice = pipe(["download", "-", "-", "--dry-run"], "https://a.test/1.jpg")
    assert (twice.returncode, b"only once" in twice.stderr) == (2, True)
