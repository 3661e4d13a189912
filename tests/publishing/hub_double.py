"""A double of the Hugging Face Hub on the loopback, as far as data sets are concerned.

It answers what the official client asks when it publishes and loads: repositories, upload modes,
the LFS batch interface with its uploads, commits, trees and files, after the client's own code and
https://huggingface.co/docs/hub/api. It keeps what it gets in memory and counts what was moved.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml  # type: ignore[import-untyped]

from tests.loopback import answered_by
from tests.publishing.hub_parts import LARGE, Answer, entry_of, sha_of

READER, WRITER = "hf_reader_0123456789", "hf_writer_0123456789"
_PAGE = 3  # entries of a tree in an answer: the client has to follow pages
_REPO = r"(?P<repo>[\w.-]+/[\w.-]+)"
_ROUTES = (
    ("POST", r"/api/repos/create", "create"),
    ("POST", r"/api/validate-yaml", "validate"),
    ("GET", rf"/api/datasets/{_REPO}(?:/revision/(?P<rev>[^/]+))?", "info"),
    ("GET", rf"/api/datasets/{_REPO}/tree/(?P<rev>[^/]+)(?:/(?P<path>.*))?", "tree"),
    ("POST", rf"/api/datasets/{_REPO}/paths-info/(?P<rev>[^/]+)", "paths_info"),
    ("POST", rf"/api/datasets/{_REPO}/preupload/(?P<rev>[^/]+)", "preupload"),
    ("POST", rf"/api/datasets/{_REPO}/commit/(?P<rev>[^/]+)", "commit"),
    ("POST", rf"/datasets/{_REPO}\.git/info/lfs/objects/batch", "batch"),
    ("PUT", r"/lfs/(?P<oid>\w+)", "upload"),
    ("POST", r"/lfs/(?P<oid>\w+)/verify", "verify"),
    ("GET", rf"/datasets/{_REPO}/resolve/(?P<rev>[^/]+)/(?P<path>.+)", "resolve"),
)  # fmt: skip


class HubDouble:
    """What a hub holds, and how it misbehaves.

    `commits[repository]` is a list of trees, the newest last: files by name, each whole. `faults`
    maps a route's name to statuses that its next requests are answered with.
    """

    def __init__(self) -> None:
        self.url = ""
        self.commits: dict[str, list[dict[str, bytes]]] = {}
        self.private: set[str] = set()
        self.objects: dict[str, bytes] = {}  # large files by SHA-256
        self.owners = {"me"}  # whose repositories WRITER may write
        self.faults: dict[str, list[int]] = {}
        self.asked: Counter[str] = Counter()
        self.uploaded: list[str] = []  # hashes of large files, as they came
        self.uploaded_bytes = 0
        self.messages: list[str] = []
        self.tokens: set[str] = set()

    def files(self, repository: str) -> dict[str, bytes]:
        return self.commits[repository][-1]

    def forget_transfers(self) -> None:
        self.asked.clear()
        self.uploaded.clear()
        self.uploaded_bytes = 0

    # Requests, by the names of `_ROUTES`. Each returns JSON, or bytes with headers.

    def create(self, call: Call) -> Any:
        asked = call.json()
        repository = f"{asked['organization'] or 'me'}/{asked['name']}"
        self._may_write(call, repository)
        if repository in self.commits:
            raise Answer(409, "You already created this dataset repo")
        self.commits[repository] = [{".gitattributes": b"*.parquet filter=lfs\n"}]
        if asked.get("visibility") == "private" or asked.get("private"):
            self.private.add(repository)
        return {"url": f"{self.url}/datasets/{repository}", "name": repository, "id": repository}

    def validate(self, call: Call) -> Any:
        text = call.json()["content"]
        head = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
        try:
            yaml.safe_load(head[1] if head else "")
        except yaml.YAMLError as error:
            call.status = 400
            return {"errors": [{"message": str(error)}]}
        return {"errors": [], "warnings": []}

    def info(self, call: Call) -> Any:
        repository, number = self._commit(call)
        names = self.commits[repository][number]
        return {
            "id": repository, "sha": sha_of(number), "private": repository in self.private,
            "siblings": [{"rfilename": name} for name in names], "tags": [], "downloads": 0,
        }  # fmt: skip

    def tree(self, call: Call) -> Any:
        repository, number = self._commit(call)
        under = (call.given["path"] or "").strip("/")
        prefix = f"{under}/" if under else ""
        files = self.commits[repository][number]
        entries: dict[str, Any] = {}
        for name in sorted(files):
            if not name.startswith(prefix):
                continue
            rest = name.removeprefix(prefix).split("/")
            for depth in range(1, len(rest)):
                folder = prefix + "/".join(rest[:depth])
                entries[folder] = {"type": "directory", "path": folder, "oid": "0" * 40, "size": 0}
            entries[name] = entry_of(name, files[name])
        if call.query.get("recursive", ["false"])[0].lower() != "true":
            entries = {k: v for k, v in entries.items() if "/" not in k.removeprefix(prefix)}
        if under and not entries:
            raise Answer(404, X_Error_Code="EntryNotFound")
        start = int(call.query.get("cursor", ["0"])[0])
        rows = [*entries.values()]
        if len(rows) > start + _PAGE:
            query = f"recursive={call.query.get('recursive', ['false'])[0]}&cursor={start + _PAGE}"
            call.headers["Link"] = f'<{self.url}{call.path}?{query}>; rel="next"'
        return rows[start : start + _PAGE]

    def paths_info(self, call: Call) -> Any:
        repository, number = self._commit(call)
        files = self.commits[repository][number]
        asked = call.json() if call.is_json else parse_qs(call.body.decode())
        return [entry_of(name, files[name]) for name in asked["paths"] if name in files]

    def preupload(self, call: Call) -> Any:
        repository, number = self._commit(call)
        self._may_write(call, repository)
        there = self.commits[repository][number]
        rows = []
        for file in call.json()["files"]:
            name = file["path"]
            row = {"path": name, "shouldIgnore": False}
            row["uploadMode"] = "lfs" if name.endswith(LARGE) else "regular"
            if name in there:
                entry = entry_of(name, there[name])
                row["oid"] = entry.get("lfs", entry)["oid"]
            rows.append(row)
        return {"files": rows}

    def batch(self, call: Call) -> Any:
        self._may_write(call, call.given["repo"])
        rows = []
        for wanted in call.json()["objects"]:
            oid = wanted["oid"]
            row = {"oid": oid, "size": wanted["size"]}
            if oid not in self.objects:
                row["actions"] = {
                    "upload": {"href": f"{self.url}/lfs/{oid}"},
                    "verify": {"href": f"{self.url}/lfs/{oid}/verify"},
                }
            rows.append(row)
        return {"transfer": "basic", "objects": rows}

    def upload(self, call: Call) -> Any:
        oid = call.given["oid"]
        if hashlib.sha256(call.body).hexdigest() != oid:
            raise Answer(400, "the content has another hash")
        self.objects[oid] = call.body
        self.uploaded.append(oid)
        self.uploaded_bytes += len(call.body)
        return {}

    def verify(self, call: Call) -> Any:
        if call.given["oid"] not in self.objects:
            raise Answer(404, "no such object")
        return {}

    def commit(self, call: Call) -> Any:
        repository, number = self._commit(call)
        self._may_write(call, repository)
        files = dict(self.commits[repository][number])
        for line in call.body.splitlines():
            row = json.loads(line)
            value = row["value"]
            if row["key"] == "header":
                self.messages.append(value["summary"])
                if value.get("parentCommit", sha_of(number)) != sha_of(number):
                    raise Answer(412, "A commit has happened since. Please refresh and try again.")
            elif row["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif row["key"] == "lfsFile":
                if value["oid"] not in self.objects:
                    raise Answer(400, f"LFS pointer to a file that does not exist: {value['path']}")
                files[value["path"]] = self.objects[value["oid"]]
            elif row["key"] == "deletedFile" and files.pop(value["path"], None) is None:
                raise Answer(404, "A file with this name doesn't exist")
        self.commits[repository].append(files)
        sha = sha_of(number + 1)
        return {"commitUrl": f"{self.url}/datasets/{repository}/commit/{sha}", "commitOid": sha}

    def resolve(self, call: Call) -> Any:
        repository, number = self._commit(call)
        name = call.given["path"]
        files = self.commits[repository][number]
        if name not in files:
            raise Answer(404, X_Error_Code="EntryNotFound")
        data = files[name]
        call.headers |= {
            "X-Repo-Commit": sha_of(number), "ETag": f'"{entry_of(name, data)["oid"]}"',
            "Accept-Ranges": "bytes",
        }  # fmt: skip
        if name.endswith(LARGE):
            call.headers["X-Linked-ETag"] = f'"{hashlib.sha256(data).hexdigest()}"'
            call.headers["X-Linked-Size"] = str(len(data))
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", call.range)
        if asked is not None:
            start, end = int(asked[1]), int(asked[2] or len(data) - 1)
            call.status = 206
            call.headers["Content-Range"] = f"bytes {start}-{min(end, len(data) - 1)}/{len(data)}"
            data = data[start : end + 1]
        return data

    def _commit(self, call: Call) -> tuple[str, int]:
        """The repository and the number of the commit that are asked for."""
        repository = call.given["repo"]
        self._may_read(call, repository)
        revision = unquote(call.given.get("rev") or "main")
        shas = [sha_of(at) for at in range(len(self.commits[repository]))]
        if revision == "main":
            return repository, len(shas) - 1
        if revision not in shas:
            raise Answer(404, X_Error_Code="RevisionNotFound")
        return repository, shas.index(revision)

    def _may_read(self, call: Call, repository: str) -> None:
        if call.token and call.token not in {READER, WRITER}:
            raise Answer(
                401,
                "Invalid credentials",
                X_Error_Message="Invalid credentials in Authorization header",
            )
        hidden = repository in self.private and call.token != WRITER
        if repository not in self.commits or hidden:
            raise Answer(404 if call.token else 401, X_Error_Code="RepoNotFound")

    def _may_write(self, call: Call, repository: str) -> None:
        if call.token not in {READER, WRITER}:
            raise Answer(401, "Invalid username or password.")
        if call.token == READER or repository.partition("/")[0] not in self.owners:
            raise Answer(403, X_Error_Message="You don't have the rights to create or change this")


class Call:
    """One request, and what its answer is to have."""

    def __init__(self, path: str, body: bytes, headers: Any) -> None:
        parts = urlsplit(path)
        self.path = parts.path
        self.query = parse_qs(parts.query)
        self.body = body
        self.range = headers.get("Range", "")
        self.token = headers.get("Authorization", "").removeprefix("Bearer ")
        self.is_json = "json" in headers.get("Content-Type", "")
        self.given: dict[str, Any] = {}
        self.status = 200
        self.headers: dict[str, str] = {}

    def json(self) -> Any:
        return json.loads(self.body)


@contextmanager
def serving(hub: HubDouble) -> Iterator[HubDouble]:  # noqa: C901 - one method for each verb
    """Serve a hub on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, method: str) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = Call(self.path, body, self.headers)
            if call.token:
                hub.tokens.add(call.token)
            try:
                data = self._routed(method, call)
            except Answer as answer:
                call.status, call.headers = answer.status, answer.headers
                data = json.dumps({"error": answer.message}).encode() if answer.message else b""
            self.send_response(call.status)
            for name, value in call.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        def _routed(self, method: str, call: Call) -> bytes:
            for asked, pattern, name in _ROUTES:
                found = re.fullmatch(pattern, call.path)
                if asked != method or found is None:
                    continue
                call.given = {
                    key: value and unquote(value) for key, value in found.groupdict().items()
                }
                hub.asked[name] += 1
                if waiting := hub.faults.get(name):
                    raise Answer(waiting.pop(0), "a fault")
                data = getattr(hub, name)(call)
                if isinstance(data, bytes):
                    return data
                call.headers["Content-Type"] = "application/json"
                return json.dumps(data).encode()
            raise Answer(404, f"{method} {call.path} is not known here")

        def do_GET(self) -> None:
            self._answer("GET")

        def do_HEAD(self) -> None:
            self._answer("GET")

        def do_POST(self) -> None:
            self._answer("POST")

        def do_PUT(self) -> None:
            self._answer("PUT")

    with answered_by(Handler) as hub.url:
        yield hub
