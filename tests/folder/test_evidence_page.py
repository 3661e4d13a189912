"""Evidence: a kept page says what it said, and nothing in it acts, loads or tells a secret."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st
from selectolax.lexbor import LexborHTMLParser

from pixtrawl.folder.evidence import EvidenceStore
from pixtrawl.folder.evidence_page import safe_page
from pixtrawl.secrets import KnownSecrets, secrets_in_url
from tests.matrices import crossed

HOSTILE = {
    "script": "<script>evil()</script>",
    "script, cut": "<script>evil()",
    "script source": "<script src=http://evil.example/x.js></script>",
    "handler": "<p onclick=evil()>x",
    "handler, slash": "<p/onmouseover=evil()>x",
    "handler, odd case": "<p OnToggle='evil()'>x",
    "body": "<body onload=evil()>",
    "link": "<a href='javascript:evil()'>x</a>",
    "link, gaps": "<a href=' java\tscr\nipt:evil()'>x</a>",
    "link, entities": "<a href='&#106;avascript&colon;evil()'>x</a>",
    "link, data": "<a href='data:text/html,<script>evil()</script>'>x</a>",
    "picture": "<img src=http://evil.example/x.png srcset='http://evil.example/y.png 2x'>",
    "inline picture": "<img src='data:image/png;base64,evil'>",
    "lazy inline picture": "<img data-src='data:image/png;base64,evil'>",
    "frame": "<iframe src=http://evil.example srcdoc='<script>evil()</script>'></iframe>",
    "object": "<object data=http://evil.example/></object><embed src=http://evil.example/>",
    "style": "<style>@import 'http://evil.example/x.css';</style>",
    "style attribute": "<p style='background:url(http://evil.example/)'>x",
    "stylesheet": "<link rel=stylesheet href=http://evil.example/x.css>",
    "base": "<base href=http://evil.example/>",
    "refresh": "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "cookie": "<meta http-equiv=Set-Cookie content='evil=1'>",
    "form": "<form action=http://evil.example/><button formaction=javascript:evil()>x</form>",
    "token": "<input type=hidden name=csrf value=evil>",
    "svg": "<svg onload=evil()><use href=http://evil.example/#x /><script>evil()</script></svg>",
    "math": "<math><mtext><table><mglyph><style><!--</style><img title='--><img src onerror=evil()>'>",
    "noscript": "<noscript><p title='</noscript><img src=x onerror=evil()>'></noscript>",
    "comment": "<!-- evil --><!--[if IE]><script>evil()</script><![endif]-->",
    "template": "<template><script>evil()</script></template>",
    "video": "<video poster=http://evil.example/><source src=http://evil.example/></video>",
    "xmp": "<xmp><script>evil()</script></xmp>",
    "ping": "<a href=#x ping=http://evil.example/>x</a>",
    "background": "<table background=http://evil.example/x.png><tr><td>x</table>",
    "deep": "<div>" * 5000 + "<script>evil()</script>",
}  # fmt: skip
_ADDRESS = re.compile(r"https?://|javascript:|data:", re.IGNORECASE)


def acting(page: str) -> list[str]:
    """What of a page a browser would run or load, as another reading of it tells."""
    found = []
    tree = LexborHTMLParser(page)
    for node in tree.root.traverse(include_text=False) if tree.root else ():
        if not node.is_element_node:
            found.append("a comment")
            continue
        if node.tag in {
            "script",
            "style",
            "iframe",
            "object",
            "embed",
            "svg",
            "math",
            "base",
            "link",
        }:
            found.append(node.tag)
        for name, value in node.attributes.items():
            if name.startswith("on") or (_ADDRESS.match(value or "") and name != "href"):
                found.append(f"{node.tag} {name}={value}")
            if name == "href" and re.match(r"\W*(javascript|data):", value or "", re.IGNORECASE):
                found.append(f"{node.tag} {name}={value}")
    return found


@pytest.mark.parametrize(
    ("kind", "around"),
    crossed(HOSTILE, ["%s", "<html><body><p>words %s words", "<!doctype html>\n%s"]),
)
def test_nothing_in_a_kept_page_acts(kind: str, around: str) -> None:
    page = safe_page(around % HOSTILE[kind])
    assert acting(page) == []
    if kind not in {"deep", "noscript"}:  # there it is text
        assert "evil" not in page
    assert page.index("Content-Security-Policy") < 60
    assert ("words" in page) == ("words" in around)


@given(st.lists(st.sampled_from([
    "<", ">", "/", "!--", "--", '"', "'", "=", " ", "p", "script", "style", "svg", "math", "title",
    "textarea", "noscript", "template", "table", "select", "option", "a", "img", "src", "onerror",
    "href", "javascript:", "x()", "&lt;", "&#60;", "\0", "\n", "mtext", "foreignObject", "xmp",
])))  # fmt: skip
def test_no_puzzle_of_tags_makes_it_act(pieces: list[str]) -> None:
    once = safe_page("".join(pieces))
    assert acting(once) == []
    assert acting(safe_page(once)) == []


def test_what_a_person_needs_of_a_page_stays() -> None:
    page = safe_page(
        "<title>Blocked</title><h1 class=wall id=x>Are you a robot?</h1><noscript>Please turn on "
        "scripts</noscript><a href='http://h.example/help?w=1'>help</a><img alt='a cat' src=/c.png>"
    )
    for words in ("Blocked", "wall", "Are you a robot?", "Please turn on", "/help?w=1", "a cat"):
        assert words in page


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "shift_jis", "utf-8-sig"])
def test_pages_are_kept_in_utf8(encoding: str) -> None:
    words = "日本" if encoding == "shift_jis" else "café"
    head = f"<meta charset={encoding}><p>"
    assert words in safe_page((head + words).encode(encoding))


@pytest.mark.parametrize("piece", ["<!--", "<div>", "<a ", "<<", "<svg>", "<script>", "&#x"])
def test_a_hostile_page_takes_no_time(piece: str) -> None:
    started = time.process_time()
    safe_page(piece * (2**20 // len(piece)))
    assert time.process_time() - started < 10


SECRETS = {
    "proxy password": ("p&ss\"w/rd+é", "http://me:{quoted}@proxy.example:3128"),
    "API key": ("k3y-0123456789", "https://api.example/?api_key={quoted}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("name", ["a.html", "a.json", "a.txt", "a.xml", "a"])
def test_a_secret_that_a_server_echoes_is_masked_however_it_spells_it(
    kind: str, name: str, tmp_path: Path
) -> None:
    value, shape = SECRETS[kind]
    known = KnownSecrets(secrets_in_url(shape.format(quoted=quote(value, safe=""))))
    escaped = value.replace("&", "&amp;").replace('"', "&quot;")
    echoes = [value, quote(value, safe=""), base64.b64encode(value.encode()).decode()]
    if kind == "proxy password":
        echoes.append(base64.b64encode(f"me:{value}".encode()).decode())
    page = "".join(f"<p title='x'>{one}</p>" for one in [*echoes, escaped])
    path = Path(EvidenceStore(tmp_path, secrets=known).save(name, page))
    text = path.read_text("utf-8")
    assert "***" in text
    assert [one for one in [*echoes, escaped] if one in text] == []
    assert path.suffix in {".html", ".json", ".txt"} or not path.suffix


def test_a_page_under_another_ending_does_not_act_either(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    for name in ("a.xhtml", "a.svg", "a.xml", "a.html", "a.HTM"):
        path = Path(store.save(name, "<html><script>evil()</script></html>"))
        assert path.suffix.lower() in {".html", ".htm", ".txt"}
        assert "<script" not in path.read_text()


def test_without_pictures_no_screenshot_is_kept(tmp_path: Path) -> None:
    assert EvidenceStore(tmp_path, pictures=False).save("a.png", b"\x89PNG") == ""
    assert [*tmp_path.iterdir()] == []
    assert EvidenceStore(tmp_path).save("a.png", b"\x89PNG")


def test_short_values_do_not_shred_a_text() -> None:
    assert KnownSecrets(["a", "abc", ""]).masked("a cat, abc") == "a cat, abc"
