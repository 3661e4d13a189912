"""robots.txt by RFC 9309, and the directives by which a picture opts out."""

from __future__ import annotations

import re
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings, strategies as st
from tests.shared_data import shared, shared_rows

from pixtrawl.net.robots.exclusion import ROBOTS_MAX_BYTES, opts_out, parse_robots
from pixtrawl.urls import canonical

# 63 and 65 want a URL that is not escaped to match nothing, against RFC 9309 2.2.2 (and against
# protego-can_fetch/306, the same input); 83 lost the rule lines it is about.
NOT_FOLLOWED = {f"robots/google-robots_test/{number}" for number in (63, 65, 83)}
# Ends a run of User-agent lines at a line of unknown name, against RFC 9309 2.2.4.
NOT_FOLLOWED.add("robots/protego-can_fetch/266")


def test_every_case_of_the_suite() -> None:
    for row in shared_rows("suites/robots.jsonl"):
        text, agent, url = row["input"]
        if row["id"] not in NOT_FOLLOWED:
            assert parse_robots(text).allows(url, agent) is row["expected"], row


def test_every_real_file_parses() -> None:
    for path in shared("suites/robots-real").iterdir():
        assert parse_robots(path.read_bytes()).allows("/robots.txt")


# The example of RFC 9309, section 5.1, and what it says of it.
EXAMPLE = """User-Agent: *
Disallow: *.gif$
Disallow: /example/
Allow: /publications/

User-Agent: foobot
Disallow:/
Allow:/example/page.html
Allow:/example/allowed.gif

User-Agent: barbot
User-Agent: bazbot
Disallow: /example/page.html

User-Agent: quxbot
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("anybot", "/a.gif", False),
        ("anybot", "/a.gif.html", True),
        ("anybot", "/example/x", False),
        ("anybot", "/publications/x", True),
        ("anybot", "/publications/x.gif", True),  # 14 octets match, against 6
        ("foobot", "/example/page.html", True),
        ("foobot", "/example/allowed.gif", True),
        ("foobot", "/example/other", False),
        ("FooBot", "/", False),
        ("barbot", "/example/page.html", False),
        ("bazbot", "/example/page.html", False),
        ("bazbot", "/example/x.gif", True),
        ("quxbot", "/example/x.gif", True),
        ("foobot", "/robots.txt", True),
    ],
)
def test_the_standard_s_example(agent: str, path: str, allowed: bool) -> None:
    assert parse_robots(EXAMPLE).allows(path, agent) is allowed


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        # 2.1: records and groups
        ("", "/x", True),
        ("Disallow: /\n", "/x", True),  # a rule before the first group belongs to nobody
        ("User-agent: *\nDisallow:\n", "/x", True),
        ("User-agent: *\nDisallow: /\n", "/x", False),
        ("user-AGENT : *\r\n  dISALLOW:/x  # why\r\n", "/x/1", False),
        ("User-agent: *\rDisallow: /x\r", "/x", False),
        ("\ufeffUser-agent: *\nDisallow: /x\n", "/x", False),
        ("User-agent: *\n\nDisallow: /x\n", "/x", False),  # a blank line ends nothing
        ("User-agent: *\nSitemap: http://a.test/s.xml\nDisallow: /x\n", "/x", False),
        ("User-agent: *\nNoise: 1\nDisallow: /x\n", "/x", False),
        ("User-agent: a\nUser-agent: *\nDisallow: /x\n", "/x", False),
        # 2.2.1: the group is that of the product token, all that name it together
        ("User-agent: pixtrawl\nDisallow: /a\n\nUser-agent: PixTrawl\nDisallow: /b\n", "/b", False),
        ("User-agent: pixtrawl\nDisallow: /a\n\nUser-agent: PixTrawl\nDisallow: /b\n", "/a", False),
        ("User-agent: pixtrawl/1.0\nDisallow: /\n", "/x", False),
        ("User-agent: pixtrawler\nDisallow: /\n", "/x", True),
        ("User-agent: pix\nDisallow: /\n", "/x", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: pixtrawl\nAllow: /\n", "/x", True),
        # 2.2.2: the most octets win, from the start of the path, capitals count
        ("User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n", "/example/page/disallowed.gif", False),
        ("User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n", "/example/page/", True),
        ("User-agent: *\nDisallow: /x\nAllow: /\n", "/x", False),
        ("User-agent: *\nDisallow: /X\n", "/x", True),
        ("User-agent: *\nDisallow: /b\n", "/a/b", True),
        ("User-agent: *\nDisallow: /foo/bar/\u30c4\n", "/foo/bar/%E3%83%84", False),
        ("User-agent: *\nDisallow: /foo/bar/%E3%83%84\n", "/foo/bar/\u30c4", False),
        ("User-agent: *\nDisallow: /foo/bar/%62%61%7A\n", "/foo/bar/baz", False),
        # 2.2.3: the three special characters
        ("User-agent: *\nDisallow: /this/path/exactly$\n", "/this/path/exactly", False),
        ("User-agent: *\nDisallow: /this/path/exactly$\n", "/this/path/exactly/x", True),
        ("User-agent: *\nDisallow: /this/*/exactly\n", "/this/a/b/exactly", False),
        ("User-agent: *\nDisallow: /*.jpg$\n", "/a/b.jpg?x", True),
        ("User-agent: *\nDisallow: /x#y\n", "/x", False),
        ("User-agent: *\nDisallow: *\n", "/x", False),
    ],
)  # fmt: skip
def test_each_rule_of_the_standard(text: str, path: str, allowed: bool) -> None:
    assert parse_robots(text).allows(f"https://a.test{path}") is allowed
    assert parse_robots(text.encode()).allows(path) is allowed


@pytest.mark.parametrize(
    "content",
    [
        b"# nothing but a remark\n",
        b"User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: https://a.test/s.xml\n",
        b"User-agent: *\nCrawl-delay: 10\nRequest-rate: 1/5\nVisit-time: 0600-0845\nHost: a.test\n",
        b"<!doctype html><title>404 Not Found</title><p>No robots here: sorry\n",
        "User-agent: *\nDisallow: /x\n".encode("utf-16"),
        b"User-agent: *\nContent-Signal: search=yes,ai-train=no\nAllow: /\n",
        b"Sitemap: s.xml\n\n\nUser-agent:\nDisallow\nAllow /x\n: :\n",
        b"\x00\xff" * 500,
    ],
)
def test_files_as_sites_have_them_parse_and_leave_robots_txt_open(content: bytes) -> None:
    assert parse_robots(content).allows("/robots.txt")


def test_a_group_of_our_own_is_read_instead_of_everyones() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /\n\nUser-agent: Pixtrawl\nDisallow: /no/\n")
    assert rules.allows("https://a.example/yes.jpg")
    assert not rules.allows("https://a.example/no/x.jpg")
    assert not rules.allows("https://a.example/yes.jpg", "otherbot")


def test_the_longest_rule_wins_and_allow_on_a_tie() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /a\nAllow: /a/b\nDisallow: /c\nAllow: /c\n")
    assert not rules.allows("/a/x")
    assert rules.allows("/a/b/x")
    assert rules.allows("/c")


def test_many_wildcards_take_no_time() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /" + "a*" * 3000 + "b$\n")
    began = time.process_time()
    assert rules.allows("/" + "a" * 50_000)
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("rule", "path", "matches"),
    [
        ("/Still Life/", "/Still%20Life/7.jpg", True),
        ("/Still%20Life/", "/Still Life/7.jpg", True),
        ("/a<b>", "/a%3Cb%3e/x", True),
        ('/"x"', "/%22x%22", True),
        ("/{id}", "/%7Bid%7d", True),
        ("/a^b", "/a%5Eb", True),
        ("/a`b", "/a%60b", True),
        ("/a|b", "/a%7cb", True),
        ("/a\\b", "/a%5Cb", True),
        ("/a\\b", "/a/b", True),
        ("/größe", "/gr%C3%B6%c3%9fe.jpg", True),
        ("/gr%c3%b6%C3%9fe", "/größe.jpg", True),
        ("/%7Euser", "/~user/", True),
        ("/~user", "/%7euser/", True),
        ("/a%3Ab", "/a:b", True),
        ("/a%2Fb", "/a/b", False),
        ("/a/b", "/a%2Fb", False),
        ("/a%2fb", "/a%2Fb", True),
        ("/a%3Fb", "/a?b", False),
        ("/x%2A", "/xy", False),
        ("/x%24", "/x$", True),
        ("/100%", "/100%/x", True),
        ("/*.php?a b=", "/dir/x.php?a%20b=1", True),
    ],
)
def test_rule_and_path_are_compared_in_one_form(rule: str, path: str, matches: bool) -> None:
    rules = parse_robots(f"User-agent: *\nDisallow: {rule}\n".encode())
    assert rules.allows(path) is not matches
    assert rules.allows(canonical(f"https://a.test{path}")) is not matches


def test_a_rule_that_is_no_utf_8_means_its_bytes() -> None:
    rules = parse_robots(b"User-agent: *\nDisallow: /Caf\xe9/\n")
    assert not rules.allows("/Caf%E9/1.jpg")
    assert rules.allows("/Caf%C3%A9/1.jpg")


_SEGMENT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="#\t\r\n/"),
    min_size=1,
    max_size=12,
).filter(lambda one: one.partition("?")[0].strip(". ") and "%2e" not in one.lower())


@settings(deadline=None)
@given(st.lists(_SEGMENT, min_size=1, max_size=4))
def test_a_rule_made_of_a_path_matches_it_raw_or_encoded(segments: list[str]) -> None:
    path = "/" + "/".join(segments) + "/x.jpg"
    fetched = canonical(f"https://a.test{path}")
    whole = fetched.removeprefix("https://a.test")
    forms = [path, whole]
    if "\\" not in path and "?" not in path and "%" not in path:
        forms.append(quote(path, safe="/"))
        forms.append(re.sub("%..", lambda match: match[0].lower(), quote(path, safe="/")))
    for rule in forms:
        rules = parse_robots(f"User-agent: *\nDisallow: {rule}\n".encode())
        assert not rules.allows(fetched), (rule, fetched)
        assert not rules.allows(whole), (rule, whole)


def test_long_rules_and_paths_are_compared_in_linear_time() -> None:
    rule = "/" + "ä{}%7e " * 300
    rules = parse_robots(f"User-agent: *\nDisallow: {rule}x\n")
    began = time.process_time()
    assert rules.allows("/" + "ä{}~%20" * 20_000)
    assert time.process_time() - began < 2


def test_only_so_much_is_read() -> None:
    filler = "# " + "x" * 98 + "\n"
    late = filler * (ROBOTS_MAX_BYTES // 100) + "\n" * 200 + "User-agent: *\nDisallow: /\n"
    assert parse_robots(late.encode()).allows("/x")
    assert not parse_robots(late.encode()[-200:]).allows("/x")


@given(st.binary(max_size=300), st.text(max_size=40))
def test_any_bytes_are_a_robots_txt(content: bytes, url: str) -> None:
    assert parse_robots(content).allows(url) in {True, False}


def test_every_case_of_the_header_suite() -> None:
    for row in shared_rows("suites/x-robots.jsonl"):
        values, agent = row["input"]
        assert bool(opts_out(values, agent)) is row["expected"], row


@pytest.mark.parametrize(
    ("values", "directive"),
    [
        (["noindex"], "noindex"),
        (["none"], "none"),
        (["NoImageIndex"], "noimageindex"),
        (["otherbot: noai, noindex"], ""),
        (["otherbot: noai", "noimageai"], "noimageai"),
        (["otherbot: all, pixtrawl: noai"], "noai"),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], "noai"),
        (["max-snippet: 5"], ""),
        (["*: noai"], "noai"),
        (["", ",,", ":"], ""),
    ],
)
def test_directives_and_their_scopes(values: list[str], directive: str) -> None:
    assert opts_out(values) == directive
