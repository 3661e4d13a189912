"""Which caption an image gets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from pixtrawl.captions import caption_of, chain_text, parse_chain
from pixtrawl.model import Candidate, Caption, ImageInfo, Sample


def sample(**texts: str) -> Sample:
    description = texts.pop("file", "")
    return Sample(
        id=1, label="red fox", number=1, file_name="red fox/000001.jpg",
        info=ImageInfo(format="jpeg"), url="https://a.example/1.jpg",
        final_url="https://a.example/1.jpg", fetched_at="",
        candidate=Candidate(
            url="https://a.example/1.jpg", query="red fox in winter", label="red fox",
            source="page", **texts,  # type: ignore[arg-type]
        ),
        rights={"description": description} if description else {},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("chain", "texts", "expected"),
    [
        ("alt,title", {"alt": "A fox walks", "title": "Foxes"}, Caption("A fox walks", "alt")),
        ("alt,title", {"title": "Foxes of the north"}, Caption("Foxes of the north", "title")),
        ("alt,title", {"alt": "IMG_1234.jpg", "title": "A fox"}, Caption("A fox", "title")),
        ("file,page", {"page_text": "It walks on."}, Caption("It walks on.", "page")),
        ("file", {"file": "A fox in deep snow"}, Caption("A fox in deep snow", "file")),
        ("alt,query", {}, Caption("red fox in winter", "query")),
        ("alt,template:a photo of {label}", {}, Caption("a photo of red fox", "template")),
        ("template:{alt} of {label},query", {}, Caption()),  # a text is missing
        ('template:"{alt}, {label}",query', {}, Caption("red fox in winter", "query")),
        ("alt", {}, Caption()),
        ("none", {"alt": "A fox walks"}, Caption()),
    ],
)
def test_the_first_text_of_the_chain_is_the_caption(
    chain: str, texts: dict[str, str], expected: Caption
) -> None:
    assert caption_of(sample(**texts), parse_chain(chain)) == expected


def test_what_was_written_by_hand_wins_and_a_models_text_has_its_place() -> None:
    one = sample(alt="A fox walks")
    by_hand = replace(one, written=Caption("my fox", "hand"))
    by_model = replace(one, written=Caption("an animal", "model"))
    chain = parse_chain("alt,model")
    assert caption_of(by_hand, chain) == Caption("my fox", "hand")
    assert caption_of(by_model, chain) == Caption("A fox walks", "alt")
    assert caption_of(by_model, parse_chain("model,alt")) == Caption("an animal", "model")
    assert caption_of(by_hand, parse_chain("none")) == Caption()
    assert caption_of(replace(one, written=Caption("", "hand")), chain) == Caption("", "hand")


@pytest.mark.parametrize(
    "text", ["alt", "alt,title", 'alt,template:"a {label}, big",query', "none"]
)
def test_a_chain_is_written_as_it_is_read(text: str) -> None:
    assert chain_text(parse_chain(text)) == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("alt,titel", "'titel' is no origin"), ("", "no origin"), ("none,alt", "none stands alone"),
        ("template:", "empty"), ("template:{nobody}", "{nobody} is no placeholder"),
    ],
)  # fmt: skip
def test_a_wrong_chain_names_what_there_is(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        parse_chain(text)
