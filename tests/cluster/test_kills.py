"""Workers frozen and killed in every way, on three Ray nodes and in plain processes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import tempfile
from collections import Counter
from pathlib import Path

import pytest
from bench.cluster_kills import carried_out, parser, wrong_in
from bench.kills_judge import Request, allowed_in_window, most_in_window, ports_of

RAY_ROWS = int(os.environ.get("PIXTRAWL_RAY_ROWS", "0"))  # 300 by `make test-ray`
CLUSTER_ROWS = int(os.environ.get("PIXTRAWL_CLUSTER_ROWS", "0"))  # 2,000 by `make test-cluster`
needs_nginx = pytest.mark.skipif(
    not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()),
    reason="nginx, whose log is the judge, is not installed",
)


def killed(transport: str, rows: int) -> list[str]:
    """Carry out a job over workers that are killed; return what is wrong."""
    with tempfile.TemporaryDirectory(prefix="px", dir="/tmp") as folder:  # Ray's sockets lie in it
        found = carried_out(
            parser().parse_args(
                ["--transport", transport, "--rows", str(rows), "--hosts", "12", "--delay", "0.8",
                 "--lease", "9", "--shard-rows", "20", "--work", f"{folder}/w", "--files",
                 f"{folder}/f"]
            )
        )  # fmt: skip
    wrong: list[str] = found["wrong"]
    return wrong


@needs_nginx
@pytest.mark.timeout(1200)
@pytest.mark.skipif(
    not RAY_ROWS or not importlib.util.find_spec("ray"), reason="part of `make test-ray`"
)
def test_three_ray_nodes_whose_parts_are_killed_lose_and_double_nothing() -> None:
    assert killed("ray", 3 * RAY_ROWS) == []


@needs_nginx
@pytest.mark.timeout(1200)
@pytest.mark.skipif(not CLUSTER_ROWS, reason="part of `make test-cluster`")
def test_three_plain_workers_that_are_killed_lose_and_double_nothing() -> None:
    assert killed("shell", CLUSTER_ROWS // 2) == []


def asked(*times: float, host: str = "127.9.0.1") -> list[Request]:
    return [Request(at, host, 1, "/0/0.jpg") for at in times]


def test_one_holder_at_its_pace_keeps_within_the_window_and_two_do_not() -> None:
    one = asked(*(n * 0.5 for n in range(40)))
    other = asked(*(0.1 + n * 0.5 for n in range(20, 30)))
    assert most_in_window(one, 0.5)[0] <= allowed_in_window()
    assert most_in_window(one + other, 0.5)[0] > allowed_in_window()
    elsewhere = asked(*(0.1 + n * 0.5 for n in range(20, 30)), host="127.9.0.2")
    assert most_in_window(one + elsewhere, 0.5)[0] <= allowed_in_window()


def test_an_unpaced_burst_is_seen() -> None:
    most, counts = most_in_window(asked(*(n * 0.01 for n in range(30))), 0.5)
    assert most == 30
    assert counts == Counter(range(1, 31))


def test_connections_of_a_process_are_known_by_their_ports() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        port = client.getsockname()[1]
        assert port in ports_of(os.getpid())
    assert port not in ports_of(os.getpid())


def test_whatever_is_not_as_it_must_be_is_named() -> None:
    good = {
        "rows": 9, "saved": 9, "pictures": 9, "lost": 0, "doubled": 0, "orphans_left": 0,
        "pictures_with_other_bytes": 0, "named_but_gone": 0, "zombie_requests_to_taken_hosts": 0,
        "most_in_window": 11, "allowed_in_window": 11,
    }  # fmt: skip
    assert wrong_in(good, 9) == []
    for name in set(good) - {"allowed_in_window"}:
        assert len(wrong_in(good | {name: good[name] + 1}, 9)) == 1
