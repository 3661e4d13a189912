"""A real searX 1.1 from Debian's package, whose only engine is a MediaWiki of ours."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.realparts.processes import free_port, running

# A complete file: the defaults that it would be laid over are not packaged.
_SETTINGS: Final = """
general: {{debug: false, instance_name: searx, contact_url: false, enable_stats: false}}
brand: {{git_url: "", git_branch: "", issue_url: "", docs_url: "", public_instances: "", wiki_url: "",
  twitter_url: ""}}
search: {{safe_search: 0, autocomplete: "", default_lang: "", ban_time_on_fail: 1,
  max_ban_time_on_fail: 2, prefer_configured_language: false}}
server: {{port: {port}, bind_address: "127.0.0.1", secret_key: "{secret}", base_url: false,
  image_proxy: false, http_protocol_version: "1.1", method: GET, default_http_headers: {{}}}}
ui: {{autofocus: false, archive_today: false, static_path: /usr/share/python3-searx/static,
  templates_path: /usr/share/python3-searx/templates, default_theme: oscar, default_locale: "",
  theme_args: {{oscar_style: logicodev}}}}
outgoing: {{request_timeout: 5.0, useragent_suffix: "", pool_connections: 10, pool_maxsize: 5}}
checker: {{off_when_debug: true}}
engines:
  - name: local wiki
    engine: json_engine
    shortcut: lw
    categories: images
    enable_http: true
    paging: true
    page_size: 20
    first_page_num: 0
    timeout: 5.0
    search_url: "{wiki}/api.php?action=query&format=json&formatversion=2&generator=search\
&gsrnamespace=6&gsrlimit=20&gsroffset={{pageno}}&prop=imageinfo&iiprop=url&gsrsearch={{query}}"
    results_query: query/pages
    url_query: imageinfo/url
    title_query: title
    content_query: title
    about: {{website: "", wikidata_id: "", official_api_documentation: "", use_official_api: true,
      require_api_key: false, results: JSON}}
  - name: broken engine
    engine: json_engine
    shortcut: be
    categories: images
    enable_http: true
    timeout: 1.0
    search_url: "http://127.0.0.1:1/?q={{query}}"
    url_query: url
    title_query: title
    content_query: title
    about: {{website: "", wikidata_id: "", official_api_documentation: "", use_official_api: true,
      require_api_key: false, results: JSON}}
locales: {{en: English}}
doi_resolvers: {{oadoi.org: "https://oadoi.org/"}}
default_doi_resolver: oadoi.org
"""


def missing() -> str:
    """What is not installed; empty where all is there."""
    return "" if shutil.which("searx-run") else "Debian's package searx is not installed"


@contextmanager
def searx(root: Path, wiki: str) -> Iterator[str]:
    """An instance over the wiki at this address; gives its own."""
    port = free_port()
    root.mkdir(parents=True, exist_ok=True)
    settings = root / "settings.yml"
    settings.write_text(_SETTINGS.format(port=port, secret=secrets.token_hex(16), wiki=wiki))
    command = [shutil.which("searx-run") or "searx-run"]
    env = {"SEARX_SETTINGS_PATH": str(settings)}
    with running(command, port, root / "searx.log", env):
        yield f"http://127.0.0.1:{port}"
