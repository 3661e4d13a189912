"""A search server that repeats what it was sent: no file of the data set holds the secrets."""

from __future__ import annotations

import base64
import html
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pixtrawl.cli.main import main

PASSWORD = "Tr0ub4dor-pass"


class Echo(BaseHTTPRequestHandler):
    """Refuses, and tells every header and the path in its page."""

    def do_GET(self) -> None:
        lines = "".join(f"<p>{html.escape(f'{k}: {v}')}</p>" for k, v in self.headers.items())
        page = f"<h1>Forbidden</h1><script>x='{PASSWORD}'</script>{lines}<p>{self.path}</p>"
        body = f"{page}<p>http://me:{PASSWORD}@h/</p>".encode()
        self.send_response(403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.mark.timeout(60)
def test_no_file_holds_the_password_of_an_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            url = f"http://me:{PASSWORD}@127.0.0.1:{server.server_port}"
            code = main(
                ["run", "cat", "-s", "searxng", "--set", f"searxng.url={url}", "-n", "1",
                 "-o", str(tmp_path / "set"), "--allow-address", "127.0.0.0/8", "--json"]
            )  # fmt: skip
        finally:
            server.shutdown()
            thread.join()
    assert code == 4
    told = "".join(capsys.readouterr())
    spelled = [PASSWORD, base64.b64encode(f"me:{PASSWORD}".encode()).decode()]
    files = [path for path in (tmp_path / "set").rglob("*") if path.is_file()]
    assert any("evidence" in path.name for path in files)
    assert [p.name for p in files for one in spelled if one.encode() in p.read_bytes()] == []
    assert [one for one in spelled if one in told] == []
