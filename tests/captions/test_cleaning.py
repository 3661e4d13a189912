"""Collected texts: what is dropped, what stays, and that no text can cost much."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings, strategies as st

from pixtrawl.captions.cleaning import MAX_CHARS, cleaned
from tests.matrices import examples

PAGE = "https://www.field-guide.example/foxes"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        # names of sites
        ("Red fox in snow - Wikipedia", "Red fox in snow"),
        ("Red fox in snow | Field Guide", "Red fox in snow"),
        ("Shutterstock – Red fox in snow", "Red fox in snow"),
        ("Red fox in snow | wildlife-pictures.com", "Red fox in snow"),
        ("Field Guide", ""),
        # stock agencies
        ("Red fox in snow Stock Photo", "Red fox in snow"),
        ("Red fox in snow, royalty free stock image 48151623", "Red fox in snow"),
        ("Red fox in snow stock photo (ID: 48151623) | Alamy", "Red fox in snow"),
        # what kind of thing it is
        ("Image of a red fox in snow", "a red fox in snow"),
        ("A picture of a red fox", "a red fox"),
        ("Photo showing a red fox", "a red fox"),
        ("Image result for red fox", "red fox"),
        ("Image may contain: fox, snow", "fox, snow"),
        # file names
        ("IMG_1234.jpg", ""),
        ("DSC00012", ""),
        ("IMG_20190504_120133", ""),
        ("Screenshot 2020-01-02 at 12.30.11.png", ""),
        ("4f9d2c81aa0c4e1b9d7e.webp", ""),
        ("File:Red fox in snow.jpg", "Red fox in snow"),
        ("red-fox-in-snow-1024x768.jpg", "red fox in snow"),
        ("Red fox (IMG_1234.JPG)", "Red fox"),
        # sizes
        ("Red fox in snow (1920x1080 px)", "Red fox in snow"),
        ("Red fox in snow 1920 × 1080", "Red fox in snow"),
        ("Red fox in snow, 2.4 MB", "Red fox in snow"),
        # licences and credits
        ("Red fox in snow © 2020 Jane Doe", "Red fox in snow"),
        ("Red fox in snow (CC BY-SA 4.0)", "Red fox in snow"),
        ("Red fox in snow. All rights reserved.", "Red fox in snow."),
        ("Red fox in snow. Photo by Jane Doe", "Red fox in snow."),
        ("Red fox in snow (Photo credit: Jane Doe/Agency)", "Red fox in snow"),
        # entities, markup, characters that are not seen
        ("Tom &amp;amp; Jerry&#39;s fox", "Tom & Jerry's fox"),
        ("<b>Red</b> fox<br/>in snow", "Red fox in snow"),
        ("Red\u202e fox\u200b in\x07 snow\u2066", "Red fox in snow"),
        ("Red fox http://a.example/x?y=1 in snow", "Red fox in snow"),
        # punctuation
        ("Red fox!!!! In snow....", "Red fox! In snow…"),
        ("--- Red fox ---", "Red fox"),
        ("Red fox in snow #fox #wildlife #snow", "Red fox in snow"),
        # nothing at all
        ("OLYMPUS DIGITAL CAMERA         ", ""),
        ("image", ""),
        ("...", ""),
        ("12345", ""),
        ("", ""),
    ],
)
def test_boilerplate_is_dropped(text: str, left: str) -> None:
    assert cleaned(text, PAGE) == left


@pytest.mark.parametrize(
    "text",
    [
        "A red fox walks through deep snow.",
        "Fox, 3 years old, at the zoo of Köln",
        "1969 Ford Mustang Mach 1",
        "Stockholm by night",
        "狐狸",
        "Лиса в снегу",
        "ثعلب أحمر في الثلج",
        "लाल लोमड़ी",
        "Woman taking a photo with her phone",
        "Copyist at work in the Louvre",
        "B-52 bomber",
        "Room 101",
    ],
)
def test_what_says_something_stays(text: str) -> None:
    assert cleaned(text, PAGE) == text


def test_long_texts_end_with_a_sentence_or_a_word() -> None:
    sentence = "A red fox walks through deep snow. "
    assert cleaned(sentence * 30).endswith("deep snow.")
    assert len(cleaned(sentence * 30)) <= MAX_CHARS
    assert cleaned("fox " * 400).endswith("fox")


@given(st.text(max_size=300))
@settings(max_examples=examples(300), deadline=None)
def test_a_cleaned_text_is_one_line_without_hidden_characters(text: str) -> None:
    left = cleaned(text, PAGE)
    assert len(left) <= MAX_CHARS
    assert left == " ".join(left.split())
    assert not any(char in left for char in "\u202e\u200b\x00\x1b\ue000")


@pytest.mark.parametrize(
    "piece",
    ["(", "photo by ", "free stock ", "a-", "#a ", "0 ", "<a ", "&amp;", "- ", "1x1 ", "image of "],
)
def test_no_text_takes_long(piece: str) -> None:
    started = time.process_time()
    cleaned(piece * (100_000 // len(piece)), PAGE)
    assert time.process_time() - started < 2  # at most 0.2 on an idle machine
