"""The last screen of a run, from sample reports."""

from typing import Any

import pytest

from pixtrawl.display.screen import cells
from pixtrawl.display.verdict import verdict
from pixtrawl.model import REASONS, Reason, SourceOutcome
from pixtrawl.operations.advice import advise


def _query(text: str, saved: int, wanted: int | None = 10, **sources: Any) -> dict[str, Any]:
    answers = sources or {"bing": {"outcome": "ok", "found": 40, "detail": {}}}
    return {"query": text, "label": text, "wanted": wanted, "saved": saved, "sources": answers}


def _report(*queries: dict[str, Any], **more: Any) -> dict[str, Any]:
    saved = sum(query["saved"] for query in queries)
    totals = {"candidates": saved, "saved": saved}
    return {
        "queries": list(queries),
        "totals": totals,
        "reasons": {"saved": saved},
        "bytes": 3 * 2**20,
        "elapsed_s": 4.25,
        "interrupted": False,
        **more,
    }


def test_a_complete_run_says_so_and_where_the_files_are() -> None:
    text = verdict(_report(_query("tabby cat", 10)), where="images")
    assert text.splitlines()[0] == "complete: 10 of 10 images (1 query, 3.0 MiB, 4.2 s)"
    assert "10/10  bing ok 40" in text
    assert "files: images/tabby cat/" in text
    assert "pixtrawl report images" in text
    assert "next:" not in text


def test_a_label_that_lost_a_tenth_to_near_duplicates_is_named_with_the_command() -> None:
    many = {**_query("red shoe", 80, 80), "reasons": {"saved": 80, "same_picture": 20}}
    few = {**_query("cat", 80, 80), "reasons": {"saved": 80, "same_picture": 8}}
    text = verdict(_report(many, few), where="'my images'")
    assert "near duplicates: red shoe: 20 of 100 dropped as copies of others" in text
    assert "see: pixtrawl dedup 'my images'" in text
    assert "near duplicates: cat" not in text
    assert "near duplicates" not in verdict(_report(few), where="images")


def test_queries_of_one_label_are_counted_together() -> None:
    one = {**_query("a", 30, 30), "label": "shoe", "reasons": {"same_picture": 3}}
    other = {**_query("b", 5, 5), "label": "shoe", "reasons": {"same_picture": 3}}
    assert "near duplicates: shoe: 6 of 41 dropped" in verdict(_report(one, other))


def test_a_short_query_says_why_and_what_to_do() -> None:
    blocked = {"outcome": "blocked", "found": 3, "detail": {"kind": "captcha"}}
    text = verdict(_report(_query("cat", 3, bing=blocked), _query("dog", 10)))
    assert text.startswith("1 of 2 queries short: 13 of 20 images")
    assert "bing blocked (captcha)" in text
    assert "short: cat: bing: blocked (captcha)" in text
    assert "next: solve it in the browser window" in text


def test_a_discovery_never_says_that_it_goes_on_where_it_stopped() -> None:
    budget = _report(_query("cat", 3), end_reason="budget")
    killed = _report(_query("cat", 3), interrupted=True)
    listed = _report(_query("cat", 3, None), interrupted=True)
    for report in (budget, killed, listed):
        assert "the same command goes on" in verdict(report)
        assert "the same command asks again from the start" in verdict(report, things="URLs")
        assert "goes on" not in verdict(report, things="URLs")


def test_what_the_source_itself_advises_comes_first() -> None:
    detail = {"kind": "captcha", "next_step": "do this", "message": "it wants to know who you are"}
    query = _query("cat", 0, bing={"outcome": "blocked", "found": 0, "detail": detail})
    advice = advise(query, _report(query))
    assert advice.next_step == "do this"
    assert advice.why == "bing: blocked (captcha): it wants to know who you are"


@pytest.mark.parametrize("outcome", sorted(set(SourceOutcome) - {SourceOutcome.OK}))
def test_every_outcome_of_a_source_has_a_next_step(outcome: SourceOutcome) -> None:
    query = _query("cat", 0, bing={"outcome": str(outcome), "found": 0, "detail": {}})
    advice = advise(query, _report(query))
    assert len(advice.why) > 5
    assert len(advice.next_step) > 15


@pytest.mark.parametrize("reason", sorted(set(Reason) - {Reason.SAVED, Reason.NOT_NEEDED}))
def test_every_reason_that_eats_the_candidates_has_a_next_step(reason: Reason) -> None:
    query = _query("cat", 0) | {"reasons": {str(reason): 40}}
    assert len(advise(query, _report(query)).next_step) > 10


@pytest.mark.parametrize(
    ("reason", "option"),
    [
        (Reason.TOO_SMALL, "--min-size"),
        (Reason.THUMBNAIL, "--allow-thumbnails"),
        (Reason.UNWANTED_LICENSE, "--license"),
        (Reason.DEADLINE, "--timeout"),
        (Reason.BUDGET, "--max-total-bytes"),
    ],
)
def test_the_option_that_changes_it_is_named(reason: Reason, option: str) -> None:
    query = _query("cat", 2) | {"reasons": {"saved": 2, str(reason): 38}}
    assert option in advise(query, _report(query, reasons=query["reasons"])).next_step


def test_exhausted_sources_suggest_expanding() -> None:
    query = _query("cat", 8) | {
        "reasons": {"saved": 8, "not_found": 1, "same_picture": 1, "not_needed": 20}
    }
    advice = advise(query, _report(query))
    assert advice.why == "the sources have no more"
    assert "--expand" in advice.next_step


def test_an_interrupted_run_says_how_to_go_on() -> None:
    text = verdict(_report(_query("cat", 4), interrupted=True))
    assert text.startswith("interrupted: 4 of 10 images")
    assert "the same command goes on" in text
    assert "the same command goes on" in verdict(_report(_query("list", 7, None), interrupted=True))


def test_forty_queries_and_fifty_reasons_stay_one_screen() -> None:
    queries = [_query(f"a long query number {i} " * 5, 10 if i % 4 else 3) for i in range(40)]
    for at, query in enumerate(queries):
        query["reasons"] = {str(reason): at + 7 for reason in Reason}
    reasons = {str(reason): 7 for reason in Reason}
    text = verdict(_report(*queries, reasons=reasons, bad_lines=3), where="images")
    assert len(text.splitlines()) <= 34
    assert max(cells(line) for line in text.splitlines()) <= 120
    assert "… and 2 more that are short" in text
    assert "30 queries complete" in text
    assert "3 lines could not be read" in text


def test_few_queries_are_all_listed() -> None:
    text = verdict(_report(*(_query(f"q{i}", 10) for i in range(8))))
    assert all(f"q{i} " in text for i in range(8))


def test_text_from_the_web_cannot_move_the_cursor() -> None:
    evil = {"outcome": "changed", "found": 0, "detail": {"next_step": "\x1b[2Jgone\r\nx"}}
    text = verdict(_report(_query("cat\x1b]0;title\x07\u202e", 0, bing=evil)))
    assert not {"\x1b", "\r", "\x07", "\u202e"} & set(text)


def test_colours_only_where_they_are_wanted() -> None:
    report = _report(_query("cat", 10))
    assert "\x1b[32mcomplete\x1b[0m" in verdict(report, color=True)
    assert "\x1b" not in verdict(report)


def test_wide_characters_keep_the_columns_straight() -> None:
    text = verdict(_report(_query("日本の猫", 10), _query("cat", 10)))
    rows = [line for line in text.splitlines() if "10/10" in line]
    assert len({cells(row.partition("10/10")[0]) for row in rows}) == 1


def test_a_query_without_a_limit_is_short_only_when_empty() -> None:
    text = verdict(_report(_query("list", 7, None)))
    assert text.startswith("complete: 7 images")
    assert verdict(_report(_query("list", 0, None))).startswith("no images")


def test_a_list_that_is_short_is_not_told_to_expand() -> None:
    query = _query("list", 2) | {"sources": {}, "reasons": {"saved": 2}}
    assert advise(query, _report(query)).why == "the list has no more"


def test_no_more_is_counted_than_was_wanted_and_the_rest_is_reported() -> None:
    text = verdict(_report(_query("cat", 12, 3), _query("dog", 3, 3)))
    assert text.startswith("complete: 6 of 6 images (2 queries, 9 more there from before")
    assert "12/3" not in text
    short = verdict(_report(_query("cat", 12, 3), _query("dog", 1, 3)))
    assert short.startswith("1 of 2 queries short: 4 of 6 images")


def test_what_was_not_needed_is_told_apart_from_what_failed() -> None:
    reasons = {str(reason): 7 for reason in Reason} | {"not_needed": 253}
    skipped = sum(
        count for name, count in reasons.items() if REASONS[Reason(name)].status == "skipped"
    )
    report = _report(_query("cat", 10), reasons=reasons)
    report["totals"] = {"candidates": 900, "saved": 7, "skipped": skipped}
    line = next(one for one in verdict(report).splitlines() if "candidates" in one)
    assert line.endswith(f"{skipped - 253} skipped, 253 not needed")
    (rest,) = [one for one in verdict(report).splitlines() if "other reasons" in one]
    others = len(reasons) - 2 - 8
    assert rest.split() == [str(7 * others), "for", str(others), "other", "reasons"]


def test_junk_that_a_list_names_is_reported_with_the_option_that_drops_it() -> None:
    told = verdict(_report(_query("urls", 9), junk_kept={"icon": 4, "human_check": 1}))
    assert "5 images look like junk (4 icon, 1 human_check), kept as your list names them" in told
    assert "see: pixtrawl report DIR --junk; --junk drop" in told
    assert "--junk" not in verdict(_report(_query("urls", 9)))
