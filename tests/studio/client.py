"""A client of the studio over plain sockets: it can send what no browser or library would."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pixtrawl.studio.serve import StudioServer


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Asks one studio; `cookie` is sent along unless a request says otherwise."""

    port: int
    token: str
    cookie: str = ""
    set_id: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 60.0

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | None = None,
        headers: dict[str, str | None] | None = None,
    ) -> Reply:
        """Send one request. A header of None is left out."""
        sent: dict[str, str | None] = {"Host": f"127.0.0.1:{self.port}"}
        if self.cookie:
            sent["Cookie"] = self.cookie
        data = raw
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent["Content-Type"] = "application/json"
            sent["Content-Length"] = str(len(data))
        sent |= headers or {}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                if value is not None:
                    connection.putheader(name, value)
            connection.endheaders(data)
            found = connection.getresponse()
            return Reply(found.status, {k.lower(): v for k, v in found.getheaders()}, found.read())
        finally:
            connection.close()

    def get(self, path: str, **more: Any) -> Reply:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: Any, **more: Any) -> Reply:
        return self.ask("POST", path, body, **more)

    # -- of the data set

    def of_set(self, path: str = "") -> str:
        return f"/api/sets/{self.set_id}{path}"

    def summary(self) -> Any:
        return self.get(self.of_set()).json()

    def view(self, **request: Any) -> Any:
        reply = self.post(self.of_set("/views"), request)
        assert reply.status == 200, reply.body
        return reply.json()

    def whole_view(self, **request: Any) -> Any:
        """Ask for a view until all images are looked at, as the page does."""
        end = time.monotonic() + self.timeout_s
        found = self.view(**request)
        while found.get("done", 1) < 1:
            assert time.monotonic() < end, found
            time.sleep(0.05)
            found = self.view(**request)
        return found

    def checked(self, how: str = "") -> Any:
        """Return the class check, once it is made."""
        end = time.monotonic() + self.timeout_s
        while True:
            reply = self.get(self.of_set(f"/check{how}"))
            assert reply.status == 200, reply.body
            if reply.json()["state"] == "ready":
                return reply.json()
            assert time.monotonic() < end, reply.body
            time.sleep(0.05)
            how = ""

    def items(self, view: Any, start: int = 0, count: int = 500) -> Any:
        reply = self.get(self.of_set(f"/views/{view['view']}?start={start}&count={count}"))
        assert reply.status == 200, reply.body
        return reply.json()["items"]

    def decide(self, action: str, ids: list[str], expect: int | None = None, **more: Any) -> Reply:
        body = {
            "action": action, "on": {"ids": ids}, "expect": len(ids) if expect is None else expect,
            **more,
        }  # fmt: skip
        return self.post(self.of_set("/decisions"), body)


def client_of(server: StudioServer) -> Client:
    """Return a client that has opened the address with the token."""
    token = server.url.partition("token=")[2]
    client = Client(server.port, token)
    opened = client.get(f"/?token={token}")
    assert opened.status == 200
    client.cookie = opened.headers["set-cookie"].partition(";")[0]
    found = client.get("/api/state").json()
    client.set_id = found["default"] or ""
    return client


@contextmanager
def studio_on(path: Any) -> Iterator[Client]:
    with StudioServer(path).start() as server:
        yield client_of(server)


def token_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+/\?token=(\S+)", text)
    assert found, text
    return found[1]
