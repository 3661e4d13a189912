"""Starts and ends the studio's server: on loopback only, in the foreground or in a thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pixtrawl.config.groups import Config
from pixtrawl.errors import EnvironmentFailedError, MissingExtraError

try:
    import uvicorn

    from pixtrawl.studio.http.access import Access
    from pixtrawl.studio.http.app import studio_app
except ImportError as error:
    if (error.name or "").partition(".")[0] not in {
        "starlette",
        "uvicorn",
        "anyio",
        "h11",
        "click",
    }:
        raise
    raise MissingExtraError("the studio", "studio") from None
from pixtrawl.studio.studio import Studio

__all__ = ["StudioServer"]

_ADDRESS = "127.0.0.1"
_GRACE_S = 2
_START_S = 30.0


class _StreamingServer(uvicorn.Server):
    """A server that ends its event streams first: they would last as long as their readers."""

    def __init__(self, config: uvicorn.Config, studio: Studio) -> None:
        super().__init__(config)
        self._studio = studio

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._studio.events.close()
        await super().shutdown(sockets)


class StudioServer:
    """A running studio; `url` is the address with its token, which opens the page.

    Example:
        >>> with pixtrawl.open("images").studio() as studio:
        ...     print(studio.url)
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        port: int = 0,
        config: Config | None = None,
        folders: Sequence[Path] = (),
    ) -> None:
        """Open the data set and listen; requests are answered once `serve` or `start` runs.

        `config` are the settings of runs that are started here (None: the user's own), `folders`
        further places for their data sets.

        Raise UsageError (no data set), StorageError, EnvironmentFailedError (the port is taken).
        """
        self._path = path
        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        self._studio = Studio(path, config, folders)
        self._access = Access(studio_app(self._studio), port=self.port)
        serving = uvicorn.Config(
            self._access, log_config=None, log_level="error", access_log=False, ws="none",
            http="h11", server_header=False, timeout_graceful_shutdown=_GRACE_S,
            proxy_headers=False,
        )  # fmt: skip
        self._server = _StreamingServer(serving, self._studio)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        return f"http://{_ADDRESS}:{self.port}/?token={self._access.token}"

    async def serve(self) -> None:
        """Answer requests until the task is cancelled."""
        serving = asyncio.create_task(self._server._serve([self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            self._server.should_exit = True
            await serving
            raise

    def start(self) -> Self:
        """Answer requests in a thread of their own."""
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._server._serve([self._socket])),
            name="studio", daemon=True,
        )  # fmt: skip
        self._thread.start()
        deadline = threading.Event()
        for _ in range(int(_START_S / 0.05)):
            if self._server.started or not self._thread.is_alive():
                break
            deadline.wait(0.05)
        return self

    def close(self) -> None:
        """End the server, and write what is due; safe to call twice."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(_START_S)
            self._thread = None
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<StudioServer {self.url}>"


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if port:  # a port that was used a moment ago; a free one needs no such leave
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_ADDRESS, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise EnvironmentFailedError(
            f"cannot listen on port {port}: {error.strerror or error}; choose another: --port N"
        ) from error
    return listening
