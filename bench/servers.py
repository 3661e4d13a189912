"""Real servers: Debian's nginx over HTTP and HTTPS, with an authority of our own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
WEB_HOSTS = tuple(f"127.1.0.{number}" for number in range(1, 65))
SILENT_HOST, DEAD_HOST = "127.1.1.1", "127.1.1.2"

_CONF = """
worker_processes 1; daemon off; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; keepalive_timeout 75s;
  types {{ image/jpeg jpg; image/png png; image/webp webp; image/gif gif; image/avif avif; }}
  client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
  uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
  ssl_certificate {work}/server.pem; ssl_certificate_key {work}/server.key;
  server {{
    listen 127.0.0.1:{http}; listen 127.0.0.1:{https} ssl;
    root {root};
    location /drip/ {{ alias {root}/img/; limit_rate 20k; }}
    location /junk/ {{ alias {root}/junk/; types {{ image/jpeg jpg; }} }}
    location ~ ^/to/([0-9.]+)/(.+)$ {{ return 302 https://$1:{web}/img/$2; }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def held(command: Sequence[str]) -> list[str]:
    """Return a command that Linux ends (SIGTERM) when the thread that starts it has ended.

    A server ends by itself never, and a script that is killed leaves no block in order.
    """
    return ["setpriv", "--pdeathsig", "TERM", *command]


class RunningNginx:
    """Debian's nginx with the settings of `work/nginx.conf`, while inside the block."""

    work: Path
    http: int  # the port that tells when it is up

    def __enter__(self) -> Self:
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self._process = subprocess.Popen(held([program, "-c", str(self.work / "nginx.conf")]))
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.http)) == 0:
                    return self
            time.sleep(0.05)
        self._process.terminate()
        raise RuntimeError(f"nginx does not start: {self.work}/error.log")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._process.terminate()
        self._process.wait()


class Nginx(RunningNginx):
    """Serves `root` while inside the block."""

    def __init__(self, work: Path, root: Path) -> None:
        self.work = work
        self.http, self.https, self.web = free_port(), free_port(), free_port()
        self.ca_file = work / "bundle.pem"
        self.ca_folder = work / "hashed"  # what urllib reads a hundred times as fast as the file
        work.mkdir(parents=True, exist_ok=True)
        self._certificates()
        conf = _CONF.format(work=work, root=root, http=self.http, https=self.https, web=self.web)
        (work / "nginx.conf").write_text(conf)

    def _certificates(self) -> None:
        """The bundle that clients are given is as long as a distribution's: reading it is work."""
        names = ("127.0.0.1", *WEB_HOSTS, SILENT_HOST, DEAD_HOST)
        alternatives = ",".join(f"IP:{name}" for name in names)
        run = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"]
        subprocess.run(
            [*run, "-subj", "/CN=pixtrawl bench", "-addext", f"subjectAltName={alternatives}",
             "-keyout", str(self.work / "server.key"), "-out", str(self.work / "server.pem")],
            check=True, capture_output=True,
        )  # fmt: skip
        others = _BUNDLE.read_text() if _BUNDLE.exists() else ""
        self.ca_file.write_text(others + (self.work / "server.pem").read_text())
        self.ca_folder.mkdir(exist_ok=True)
        shutil.copy(self.work / "server.pem", self.ca_folder)
        subprocess.run(["openssl", "rehash", str(self.ca_folder)], check=True, capture_output=True)

    @property
    def trust(self) -> dict[str, str]:
        """Environment by which every contender trusts it."""
        bundle = str(self.ca_file)
        return {"SSL_CERT_FILE": bundle, "REQUESTS_CA_BUNDLE": bundle, "CURL_CA_BUNDLE": bundle}
