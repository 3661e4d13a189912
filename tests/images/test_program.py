"""The decoder program's head start: used once, and by whoever asks for the same."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pixtrawl.config.groups import Images
from pixtrawl.images import program

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="zygotes are Linux's")


def test_a_head_start_is_taken_once_and_only_with_the_same_settings(tmp_path: Path) -> None:
    images = Images()
    ours, others = tmp_path / "ours", tmp_path / "others"
    program.head_start(images, ours)
    elsewhere = program.start_zygote(program.PROGRAM, program.settings_of(images, others))
    settings = program.settings_of(images, ours)
    (ahead,) = program._ahead.values()
    first = program.start_zygote(program.PROGRAM, settings)
    second = program.start_zygote(program.PROGRAM, settings)
    started = [elsewhere, first, second]
    for zygote in started:
        zygote.control.close()
        zygote.process.wait(30)
    assert first is ahead
    assert len({zygote.process.pid for zygote in started}) == 3
    assert not program._ahead


def test_nothing_is_started_where_nothing_will_be_decoded(tmp_path: Path) -> None:
    program.head_start(Images(check="none"), tmp_path)
    assert not program._ahead


def test_one_that_is_never_asked_for_ends_with_its_process(tmp_path: Path) -> None:
    script = textwrap.dedent(f"""
        from pathlib import Path
        from pixtrawl.config.groups import Images
        from pixtrawl.images import program
        program.head_start(Images(), Path({str(tmp_path)!r}))
        (zygote,) = program._ahead.values()
        print(zygote.process.pid)
    """)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True
    )
    pid = int(done.stdout)
    for _ in range(600):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        subprocess.run(["sleep", "0.05"], check=True)
    pytest.fail(f"process {pid} is still there")
