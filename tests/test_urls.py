"""URLs: joining by the standard, canonical keys, what is fetched at all."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given, strategies as st

from pixtrawl import urls
from pixtrawl.model import Reason
from tests.shared_data import shared_rows


def test_every_case_of_the_join_suite() -> None:
    for row in shared_rows("suites/url-join.jsonl"):
        base, ref = row["input"]
        assert urls.join(base, ref) == row["expected"], row


BASE = "http://a/b/c/d;p?q"


@pytest.mark.parametrize(
    ("base", "reference", "joined"),
    [
        # RFC 3986, sections 5.4.1 and 5.4.2; where it is loose, as the URL standard has it
        (BASE, "g:h", "g:h"), (BASE, "g", "http://a/b/c/g"), (BASE, "./g", "http://a/b/c/g"),
        (BASE, "g/", "http://a/b/c/g/"), (BASE, "/g", "http://a/g"), (BASE, "//g", "http://g/"),
        (BASE, "?y", "http://a/b/c/d;p?y"), (BASE, "g?y", "http://a/b/c/g?y"),
        (BASE, "#s", "http://a/b/c/d;p?q#s"), (BASE, "g#s", "http://a/b/c/g#s"),
        (BASE, "g?y#s", "http://a/b/c/g?y#s"), (BASE, ";x", "http://a/b/c/;x"),
        (BASE, "g;x", "http://a/b/c/g;x"), (BASE, "", BASE), (BASE, ".", "http://a/b/c/"),
        (BASE, "./", "http://a/b/c/"), (BASE, "..", "http://a/b/"), (BASE, "../", "http://a/b/"),
        (BASE, "../g", "http://a/b/g"), (BASE, "../..", "http://a/"), (BASE, "../../g", "http://a/g"),
        (BASE, "../../../g", "http://a/g"), (BASE, "/./g", "http://a/g"), (BASE, "/../g", "http://a/g"),
        (BASE, "g.", "http://a/b/c/g."), (BASE, "..g", "http://a/b/c/..g"),
        (BASE, "./../g", "http://a/b/g"), (BASE, "g/../h", "http://a/b/c/h"),
        (BASE, "g;x=1/../y", "http://a/b/c/y"), (BASE, "g?y/../x", "http://a/b/c/g?y/../x"),
        (BASE, "g#s/../x", "http://a/b/c/g#s/../x"), (BASE, "http:g", "http://a/b/c/g"),
        # the URL standard: special schemes, backslashes, white space, escapes
        (BASE, "\\\\g\\x", "http://g/x"), (BASE, "x\\y", "http://a/b/c/x/y"),
        (BASE, " \n g\t.jpg ", "http://a/b/c/g.jpg"), (BASE, "a b.jpg", "http://a/b/c/a%20b.jpg"),
        (BASE, "%2e%2E/g", "http://a/b/g"), (BASE, "\u00fc.jpg", "http://a/b/c/%C3%BC.jpg"),
        (BASE, "https://B\u00dcCHER.example:443", "https://xn--bcher-kva.example/"),
        (BASE, "//g:80/", "http://g/"), (BASE, "//0x7f.1/", "http://127.0.0.1/"),
        (BASE, "data:,x", "data:,x"), ("https://a/b", "//g", "https://g/"),
        (BASE, "//[::1", None), (BASE, "http://a b/", None), (BASE, "//g:70000", None),
        ("no base", "g", None), ("no base", "http://g/", None),
    ],
)  # fmt: skip
def test_a_reference_is_joined_by_the_standard(
    base: str, reference: str, joined: str | None
) -> None:
    assert urls.join(base, reference) == joined


@pytest.mark.parametrize(
    ("spelling", "canonical"),
    [
        ("HTTP://EXAMPLE.com:80/a/../b#x", "http://example.com/b"),
        (" http://example.com\n", "http://example.com/"),
        ("http://münchen.example/ü ü", "http://xn--mnchen-3ya.example/%C3%BC%20%C3%BC"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("https://a.example/x?b=2&a=1", "https://a.example/x?b=2&a=1"),
        ("https://a.example/x^y", "https://a.example/x%5Ey"),
        ("no url at all ", "no url at all"),
        (" DATA:image/png;base64,AA==", "data:image/png;base64,AA=="),
        ("http://a.example/\ud800", "http://a.example/%EF%BF%BD"),
    ],
)
def test_two_spellings_have_one_canonical_form(spelling: str, canonical: str) -> None:
    assert urls.canonical(spelling) == canonical
    assert urls.url_key(spelling) == urls.url_key(canonical)
    assert len(urls.url_key(spelling)) == 16


def test_a_data_uri_of_megabytes_has_a_key() -> None:
    long = "data:image/png;base64," + "A" * 8_000_000
    began = time.process_time()
    assert urls.url_key(long) != urls.url_key(long + "B")
    assert urls.check(long) is None
    assert urls.host_of(long) == ""
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Example.ORG:443/x", "example.org"),
        ("https://example.org:8443/x", "example.org:8443"),
        ("http://[::1]:80/", "[::1]"),
        ("data:,x", ""),
        ("nothing", ""),
    ],
)
def test_the_host_is_lower_case_with_an_odd_port_only(url: str, host: str) -> None:
    assert urls.host_of(url) == host


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://example.org/a.jpg", None),
        ("HTTP://example.org", None),
        ("data:,", None),
        ("example.org/a.jpg", Reason.BAD_URL),
        ("//example.org/a.jpg", Reason.BAD_URL),
        ("http://", Reason.BAD_URL),
        ("http://a b.example/", Reason.BAD_URL),
        ("http://example.org:99999/", Reason.BAD_URL),
        ("http://exa\tmple.org/", Reason.BAD_URL),
        ("", Reason.BAD_URL),
        ("file:///etc/passwd", Reason.SCHEME_REFUSED),
        ("ftp://example.org/a.jpg", Reason.SCHEME_REFUSED),
        ("javascript:alert(1)", Reason.SCHEME_REFUSED),
        ("blob:https://example.org/x", Reason.SCHEME_REFUSED),
    ],
)
def test_what_is_fetched_at_all(url: str, reason: Reason | None) -> None:
    assert urls.check(url) is reason


@pytest.mark.parametrize(
    ("host", "parent", "inside"),
    [
        ("example.org", "example.org", True),
        ("img.example.org", "example.org", True),
        ("img.example.org:8080", ".example.org", True),
        ("img.example.org", "*.Example.org", True),
        ("notexample.org", "example.org", False),
        ("example.org", "img.example.org", False),
        ("example.org:8080", "example.org:8080", True),
        ("example.org:8081", "example.org:8080", False),
        ("xn--mnchen-3ya.example", "münchen.example", True),
        ("127.0.0.1:80", "127.0.0.1", True),
        ("[::1]:81", "[::1]", True),
        ("example.org", "", False),
    ],
)
def test_subdomains_belong_to_their_domain(host: str, parent: str, inside: bool) -> None:
    assert urls.same_or_subdomain(host, parent) is inside


@given(st.text())
def test_any_text_gets_an_answer_and_canonical_is_final(text: str) -> None:
    once = urls.canonical(text)
    assert urls.canonical(once) == once
    assert len(urls.url_key(text)) == 16
    urls.check(text)
    urls.host_of(text)
    urls.join("https://example.org/a", text)


HERE = "https://site.example/a.jpg"


@pytest.mark.parametrize(
    ("page", "picture", "expected"),
    [
        ("https://site.example/page", HERE, "https://site.example/page"),
        ("https://site.example/Käse", HERE, "https://site.example/K%C3%A4se"),
        ("https://site.example/K%C3%A4se", HERE, "https://site.example/K%C3%A4se"),
        ("https://site.example/wiki/猫?q=猫", HERE,
         "https://site.example/wiki/%E7%8C%AB?q=%E7%8C%AB"),
        ("https://site.example/my page", HERE, "https://site.example/my%20page"),
        ("https://site.example/page#bild", HERE, "https://site.example/page"),
        ("https://site.example/a\r\nX-Evil: 1", HERE, "https://site.example/aX-Evil:%201"),
        ("https://bob:secret@site.example/page", HERE, "https://site.example/page"),
        ("https://bücher.example/x", "https://xn--bcher-kva.example/1.jpg",
         "https://xn--bcher-kva.example/x"),
        ("https://bücher.example/x?y=1", "https://cdn.example/1.jpg",
         "https://xn--bcher-kva.example/x?y=1"),
        ("HTTPS://SITE.example:443/x", HERE, "https://site.example/x"),
        ("https://site.example:8443/x", HERE, "https://site.example:8443/x"),
        ("http://site.example/x", HERE, "http://site.example/x"),
        ("https://site.example/x", "http://site.example/a.jpg", None),
        ("https://site.example/" + "x" * 5000, HERE, "https://site.example/"),
        ("file:///home/me/list.html", HERE, None),
        ("data:text/html,x", HERE, None),
        ("no address", HERE, None),
    ],
)  # fmt: skip
def test_a_page_is_named_to_a_host_as_browsers_name_it(
    page: str, picture: str, expected: str | None
) -> None:
    assert urls.referer(page, picture) == expected


@given(st.text(max_size=60), st.text(max_size=60), st.booleans())
def test_no_page_breaks_out_of_its_header(path: str, query: str, same: bool) -> None:
    page = f"https://me:pw@site.example/{path}?{query}#part"
    found = urls.referer(page, HERE if same else "https://other.example/1.jpg")
    assert found is not None
    assert found.isascii()
    assert found.isprintable()
    assert not set(" #") & set(found)
    assert "me:pw" not in found
    assert found.startswith("https://site.example/")


def test_long_urls_are_not_kept_in_memory() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for n in range(200):
        assert urls.host_of(f"http://h.test/{n:0100000}") == "h.test"
    kept_bytes = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept_bytes < 1e6  # of 20 MB
