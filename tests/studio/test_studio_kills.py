"""A studio that is killed at any moment has lost no decision that it had answered."""

from __future__ import annotations

import http.client
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests import warm_command
from tests.studio.client import Client, token_in

KILLS = int(os.environ.get("STUDIO_KILLS", "1"))
pytestmark = pytest.mark.timeout(90 + 30 * KILLS)


class Studio:
    """One process of `pixtrawl studio`."""

    def __init__(self, root: Path) -> None:
        words = [sys.executable, "-m", "pixtrawl", "studio", str(root), "--no-open"]
        self.process = warm_command.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        self.client = Client(int(line.split(":")[2].partition("/")[0]), token_in(line))
        opened = self.client.get(f"/?token={self.client.token}")
        self.client.cookie = opened.headers["set-cookie"].partition(";")[0]
        self.client.set_id = self.client.get("/api/state").json()["default"]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def decide_until_killed(
    client: Client, images: list[str], decided: dict[str, str], chance: random.Random
) -> str:
    """Decide on images one by one; return the one whose decision was not answered."""
    while True:
        image = chance.choice(images)
        action = "reject" if decided.get(image) != "reject" else "keep"
        try:
            reply = client.decide(action, [image])
        except (OSError, http.client.HTTPException):
            return image
        assert reply.status == 200, reply.body
        assert reply.json()["changed"] == 1
        decided[image] = action


def test_no_answered_decision_is_lost(root: Path) -> None:
    chance = random.Random(19)
    decided: dict[str, str] = {}
    answered = 0
    for _ in range(KILLS):
        studio = Studio(root)
        try:
            images = [one["id"] for one in studio.client.items(studio.client.view())]
            images += [one for one in decided if decided[one] == "reject"]
            death = threading.Timer(chance.uniform(0.05, 1.5), studio.kill)
            before = dict(decided)
            death.start()
            unsure = decide_until_killed(studio.client, images, decided, chance)
            death.join()
        finally:
            studio.kill()
        answered += sum(before.get(one) != action for one, action in decided.items())
        again = Studio(root)
        try:
            rejected = again.client.view(filter={"decisions": ["rejected"]})
            found = {one["id"] for one in again.client.items(rejected)}
            wanted = {one for one, action in decided.items() if action == "reject"}
            assert found ^ wanted <= {unsure}
            if unsure in found ^ wanted:  # it was on the disk, though nobody was told
                decided[unsure] = "reject" if unsure in found else "keep"
        finally:
            again.kill()
    assert answered > 0
