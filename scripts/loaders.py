"""`make loaders`: the real loaders read a data set folder as it lies, at three moments of its life.

A run on the practice site, for labels that loaders are known to stumble over, is stopped in the
middle (read: a run is on), killed (read), and ended by the same command (read); copies lie in
quarantine each time. Each loader has to find the labels as classes, every picture whose format it
knows, and nothing else. The loaders lie in `.loaders-venv`, or in what LOADERS_VENV names.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from pixtrawl.playground import Playground

LOADERS = ("torchvision", "timm", "fastai", "ultralytics", "keras", "datasets")
QUERIES = ("cat", "steam train", "test tube", "val", "README", ".hidden")
LABELS = sorted(("cat", "steam train", "test tube", "val", "README", "_hidden"))
SURE = frozenset({".jpg", ".png"})  # endings that every loader knows
EACH = 12
PLACE = Path(".loaders")
READER = Path(__file__).with_name("read_with_loader.py")


def start(site: Playground) -> subprocess.Popen[bytes]:
    """The run; the same command goes on with it."""
    command = [
        sys.executable, "-m", "pixtrawl", "run", *QUERIES, "-n", str(EACH), "-s", "bing",
        "--set", f"bing.base_url={site.url}", "--allow-address", "127.0.0.0/8", "--concurrency",
        "4", "-q", "-o", str(PLACE / "images"),
    ]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def kept() -> list[str]:
    """Images in the folders of labels."""
    return sorted(
        path.relative_to(PLACE / "images").as_posix()
        for path in (PLACE / "images").glob("*/0*")
        if path.parent.name in LABELS
    )


def aside() -> int:
    """Copies in quarantine."""
    return len(list((PLACE / "images").glob(".pixtrawl-quarantine-*")))


def wait_for_the_middle(run: subprocess.Popen[bytes]) -> None:
    """Until each label has some images, and something was set aside; far from the end."""
    deadline = time.monotonic() + 120
    while run.poll() is None and time.monotonic() < deadline:
        names = kept()
        sure = {name.split("/")[0] for name in names if Path(name).suffix in SURE}
        if sure == set(LABELS) and aside():
            return
        time.sleep(0.02)
    sys.exit("the run ended, or stood still, before its middle")


def ask(loader: str) -> dict[str, list[str]]:
    """What one loader finds in the folder."""
    venv = Path(os.environ.get("LOADERS_VENV", ".loaders-venv"))
    split = PLACE / "images_split"
    shutil.rmtree(split, ignore_errors=True)
    shutil.rmtree(PLACE / "hf", ignore_errors=True)
    environment = os.environ | {
        "HF_HUB_OFFLINE": "1", "YOLO_OFFLINE": "true", "YOLO_CONFIG_DIR": str(PLACE.resolve()),
        "KERAS_BACKEND": "torch", "PYTHONWARNINGS": "ignore",
    }  # fmt: skip
    done = subprocess.run(
        [venv / "bin" / "python", READER, loader, PLACE / "images"],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-3:]}
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


def judge(found: dict[str, list[str]], names: Sequence[str]) -> str:
    """What is wrong, or ""."""
    if "error" in found:
        return " | ".join(found["error"])
    if found["classes"] != LABELS:
        return f"classes {found['classes']}"
    more = sorted(set(found["files"]) - set(names))
    sure = {name for name in names if Path(name).suffix in SURE}
    missing = sorted(sure - set(found["files"]))
    return f"not ours: {more[:3]}" if more else f"missing: {missing[:3]}" if missing else ""


def read(moment: str) -> int:
    """Has every loader read the folder. Returns how many were wrong."""
    names, wrong = kept(), 0
    sys.stdout.write(f"{moment}: {len(names)} images, {aside()} copies set aside\n")
    for loader in LOADERS:
        found = ask(loader)
        fault = judge(found, names)
        wrong += bool(fault)
        said = fault or f"{len(found['classes'])} classes, {len(found['files'])} images"
        sys.stdout.write(f"  {loader:12} {'WRONG' if fault else 'right'}  {said}\n")
        sys.stdout.flush()
    return wrong


def main() -> None:
    """Everything in turn; ends with 1 where a loader was wrong."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    mix = {"near_duplicate": 0.3, "exact_duplicate": 0.1}
    with Playground(supply=4 * EACH, hosts=2, latency_s=0.3, mix=mix) as site:
        run = start(site)
        wait_for_the_middle(run)
        run.send_signal(signal.SIGSTOP)
        wrong = read("while a run is on")
        run.kill()
        run.wait()
        wrong += read("after kill -9")
        start(site).wait()
        wrong += read("after the run")
    sys.stdout.write("all loaders are right\n" if not wrong else f"{wrong} times wrong\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
