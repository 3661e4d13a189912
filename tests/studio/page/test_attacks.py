"""Attacks that a browser carries out: another page on a loopback port, and untrusted texts."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pixtrawl.folder.dataset_folder import Folder
from pixtrawl.studio.serve import StudioServer
from tests.studio.client import client_of
from tests.studio.tab import press, tab

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

# A page of another loopback port: the same site for cookies, though another origin.
ATTACK = """<!doctype html><title>attack</title><script>
window.got = {};
const studio = "http://127.0.0.1:PORT";
const told = (name) => (value) => { window.got[name] = String(value); };
async function attack() {
  const tries = [];
  const send = (name, path, how) => tries.push(
    fetch(studio + path, { credentials: "include", ...how }).then((r) => r.type === "opaque" ? "opaque" : r.text()).then(told(name), () => told(name)("refused")));
  send("read", "/api/state", {});
  send("plain", "/api/sets/SET/undo", { method: "POST", mode: "no-cors", headers: { "Content-Type": "text/plain" }, body: "{}" });
  send("json", "/api/sets/SET/decisions", { method: "POST", headers: { "Content-Type": "application/json" }, body: BODY });
  send("blind", "/api/sets/SET/decisions", { method: "POST", mode: "no-cors", body: BODY });
  tries.push(new Promise((done) => {
    const stream = new EventSource(studio + "/api/events?set=SET", { withCredentials: true });
    stream.onopen = () => done(told("events")("open"));
    stream.onerror = () => { stream.close(); done(told("events")("refused")); };
  }));
  tries.push(new Promise((done) => {
    const script = document.createElement("script");
    script.src = studio + "/static/main.js"; script.type = "module";
    script.onload = () => done(told("script")("loaded")); script.onerror = () => done(told("script")("refused"));
    document.head.append(script);
  }));
  tries.push(new Promise((done) => {
    const image = new Image();
    image.onload = () => done(told("image")("loaded")); image.onerror = () => done(told("image")("refused"));
    image.src = studio + "/api/sets/SET/pictures/IMAGE";
  }));
  tries.push(new Promise((done) => {
    const socket = new WebSocket(studio.replace("http", "ws") + "/api/events");
    socket.onopen = () => done(told("socket")("open")); socket.onerror = () => done(told("socket")("refused"));
  }));
  await Promise.all(tries);
  window.got.done = "yes";
}
attack();
</script><iframe id="frame" src="http://127.0.0.1:PORT/"></iframe>"""
POISON = (
    "</p><script>document.title='poisoned'</script><img src=x onerror=\"document.title='poisoned'\">"
    "\" onmouseover=\"document.title='poisoned'\" ${document.title='poisoned'} {{7*7}} "
    "\u202ednuora denrut\u2066 \u200b\x00\x1b[2J "
)


@contextmanager
def serving_page(text: str) -> Iterator[str]:
    class AttackPage(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), AttackPage)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.slow  # tests/studio/test_access.py has the requests themselves
def test_a_page_of_another_loopback_port_gets_nothing_and_changes_nothing(
    browser: Any, root: Path
) -> None:
    with StudioServer(root).start() as server:
        client = client_of(server)
        image = client.items(client.view())[0]["id"]
        client.decide("keep", [image])  # there is something to undo
        before = client.summary()
        body = f'{{"action":"reject","on":{{"ids":["{image}"]}},"expect":1}}'
        text = ATTACK.replace("PORT", str(server.port)).replace("SET", client.set_id)
        text = text.replace("IMAGE", image).replace("BODY", repr(body))
        with serving_page(text) as address, tab(browser, server.url) as page:
            other = page.context.new_page()  # the cookie of the studio is in this browser
            other.goto(address)
            other.wait_for_function("() => window.got.done === 'yes'")
            got = other.evaluate("() => window.got")
            frame = other.frame_locator("#frame").locator(".tile")
            assert frame.count() == 0
            other.close()
        assert {name: got[name] for name in ("read", "json", "events", "script", "image", "socket")} == {
            "read": "refused", "json": "refused", "events": "refused", "script": "refused",
            "image": "refused", "socket": "refused",
        }  # fmt: skip
        after = client.summary()
        assert (after["kept"], after["refused"], after["can_undo"]) == (
            before["kept"], before["refused"], True,
        )  # fmt: skip
        assert client.view(filter={"decisions": ["kept_by_hand"]})["total"] == 1


@pytest.fixture
def poisoned(root: Path) -> Path:
    """A data set each of whose titles has a hundred kilobytes of markup."""
    with closing(sqlite3.connect(Folder(root).catalog)) as db:
        db.execute(
            "UPDATE candidate SET title = ?, page_url = 'javascript:alert(1)'", (POISON * 700,)
        )
        db.commit()
    return root


def test_a_tile_needs_no_title_of_100_kb(poisoned: Path) -> None:
    with StudioServer(poisoned).start() as server:
        client = client_of(server)
        reply = client.get(client.of_set(f"/views/{client.view()['view']}?start=0&count=20"))
        assert len(reply.body) < 100_000


@pytest.mark.slow
@pytest.mark.slow  # test_decisions.py has a poisoned title of a line
def test_poisoned_titles_of_any_length_stay_words_in_their_place(
    browser: Any, poisoned: Path
) -> None:
    with StudioServer(poisoned).start() as server, tab(browser, server.url) as page:
        press(page, "Space")
        page.locator(".viewer").get_by_text("<script>document.title").wait_for()
        page.locator(".detail .title").get_by_text("<script>document.title").first.wait_for()
        page.locator(".detail").get_by_text("javascript:alert(1)").first.wait_for()
        assert "poisoned" not in page.title()
        assert page.locator("a[href^='javascript' i]").count() == 0
        assert page.locator("#app script, #app img[onerror], #app [onmouseover]").count() == 0
        wide = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not page.evaluate(wide)
        isolated = page.evaluate(
            "() => [...document.querySelectorAll('.detail .title, .detail dd, .viewer-line .quiet')]"
            ".map(one => getComputedStyle(one).unicodeBidi)"
        )
        assert isolated
        assert set(isolated) == {"isolate"}


@pytest.fixture
def root(tmp_path: Path, original: Path) -> Path:
    return Path(shutil.copytree(original, tmp_path / "set"))
