"""A search site that answers in the forms of `site_forms`, with walls, pages and clicks."""

from __future__ import annotations

import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, quote, urlsplit

from tests.sources.google.site_forms import (
    CAPTCHA,
    CHANGED,
    CONSENT,
    COUNTS,
    FORMS,
    NOTHING,
    SOFT,
    WALL,
    Item,
    Page,
    form_2024,
    scroll_chunk,
)


class Site:
    """The site on a free loopback port. `hits` are the request lines in order."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self.accepted = 0
        site = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.hits.append(self.path)
                status, body, extra = site.answer(self.path, self.headers.get("cookie", ""))
                self.reply(status, body, extra)

            def do_POST(self) -> None:
                sent = parse_qs(
                    self.rfile.read(int(self.headers.get("content-length", 0))).decode()
                )
                site.hits.append("POST " + self.path)
                if sent.get("set_eom") != ["true"]:
                    site.accepted += 1
                stays = "ask_again" in self.path
                back = sent.get("continue", ["/"])[0]
                self.reply(
                    302,
                    "",
                    {"location": back, **({} if stays else {"set-cookie": "SOCS=no; Path=/"})},
                )

            def reply(self, status: int, body: str, extra: dict[str, str]) -> None:
                content = body.encode()
                self.send_response(status)
                for name, value in {"content-type": "text/html; charset=utf-8", **extra}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def base(self, form: str) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/{form}"

    @staticmethod
    def items(form: str, query: str) -> list[Item]:
        return [Item(n, query) for n in range(1, COUNTS.get(form, 30) + 1)]

    def answer(self, path: str, cookie: str) -> tuple[int, str, dict[str, str]]:
        parts = urlsplit(path)
        form = parts.path.split("/")[1]
        values = parse_qs(parts.query)
        query = values.get("q", [""])[0]
        if parts.path.startswith("/sorry/"):
            return 429, CAPTCHA, {}
        if not parts.path.endswith("/search"):
            if parts.path.endswith("/ask"):
                return 200, CONSENT % html.escape(values["continue"][0]), {}
            return 404, "nothing here", {}
        if form in FORMS:
            page = Page(self.items(form, query))
            if "asearch" in values:
                return (
                    200,
                    scroll_chunk(page, int(values["start"][0])),
                    {"content-type": "text/plain; charset=utf-8"},
                )
            return 200, FORMS[form](page), {}
        return self.obstacle(form, path, query, cookie)

    def obstacle(
        self, form: str, path: str, query: str, cookie: str
    ) -> tuple[int, str, dict[str, str]]:
        grid = form_2024(Page(self.items("2024", query)))
        seen = sum(hit.startswith(f"/{form}/search") for hit in self.hits)
        if form.startswith("ask"):
            if "SOCS" in cookie and form == "ask":
                return 200, grid, {}
            return 302, "", {"location": f"/{form}/consent/ask?continue={quote(path)}"}
        if form == "dialog":
            ask = (
                "<div role=dialog aria-modal=true style='position:fixed;inset:0;background:#fff'>Before you continue to Google: cookies"
                "<button onclick='window.bad=1'>Accept all</button><button onclick='this.parentNode.remove()'>Reject all</button></div>"
            )
            return 200, grid.replace("<div id=foot>", ask + "<div id=foot>"), {}
        answers = {
            "captcha": (302, "", {"location": "/sorry/index?continue=x"}),
            "rate": (429, "<p>slow down</p>", {}),
            "forbidden": (403, "<p>no</p>", {}),
            "wall": (200, WALL % "", {}),
            "passing_wall": (
                200,
                WALL % "document.cookie='SG=1;path=/';setTimeout(()=>location.reload(),300)",
                {},
            ),
            "soft": (200, SOFT, {}),
            "login": (200, "<form><input name=u><input type=password></form>", {}),
            "nothing": (200, NOTHING, {}),
            "changed": (200, CHANGED, {}),
            "nothing_but_chips": (200, NOTHING.replace("<img", Page([]).chips() + "<img"), {}),
            "chips_once": (200, Page([]).wrap("") if seen == 1 else grid, {}),
            "error": (503, "<p>oops</p>", {}),
            "empty_once": (200, CHANGED if seen == 1 else grid, {}),
        }
        if form == "person" and "ok=1" not in path:
            return (
                200,
                CAPTCHA + f"<script>setTimeout(()=>location.replace('{path}&ok=1'),700)</script>",
                {},
            )
        if form == "person":
            return 200, grid, {}
        if form == "passing_wall" and "SG=1" in cookie:
            return 200, grid, {}
        return answers.get(form, (404, "", {}))
