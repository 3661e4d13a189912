"""What tests of jobs share: scheduling that stays, a list of scenes, a real object store's server."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from pixtrawl.cluster.store import Store
from tests.cluster.scenes import write_scenes


@pytest.fixture(autouse=True)
def _keep_scheduling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in this process, whose scheduling later tests would inherit."""
    monkeypatch.setattr("pixtrawl.cli.main.use_batch_scheduling", lambda: None)


@pytest.fixture(scope="module")
def scenes_list(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scenes(tmp_path_factory.mktemp("manifest") / "urls.jsonl")


@pytest.fixture
def object_store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty place in an S3 that keeps to conditions; `make test-cluster` installs it."""
    moto = pytest.importorskip("moto.server")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "known-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "known-secret")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        bucket = f"sets-{secrets.token_hex(4)}"  # the server's state outlives it in this process
        store = Store(f"s3://{bucket}/job")
        store._fs.mkdir(bucket)
        yield store
    finally:
        server.stop()
