"""What may be passed on, and what is said where it may not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pixtrawl.errors import UsageError
from pixtrawl.exporters.plan import Selection
from pixtrawl.publishing.repository import Repository, read_repository
from pixtrawl.publishing.rights import Rights, RightsPolicy, publishable, rights_of
from tests.exporters import dataset
from tests.publishing.conftest import REFUSES, with_rights

NOBODY: frozenset[str] = frozenset()


def one(root: Path, claim: str | None, url: str | None = None, number: int = 1) -> Any:
    data = dataset.encoded(dataset.picture(number))
    return dataset.sample(root, "cat", number, data, license=claim, license_url=url)


@pytest.mark.parametrize(
    ("claim", "named", "rights"),
    [
        ("CC BY 4.0", (), Rights.FREE),
        ("CC BY-NC-ND 4.0", (), Rights.FREE),
        ("CC0", (), Rights.FREE),
        ("public domain", (), Rights.FREE),
        (None, (), Rights.UNKNOWN),
        ("free wallpaper", (), Rights.UNKNOWN),
        ("free wallpaper", ("unknown",), Rights.UNKNOWN),
        (None, ("any",), Rights.UNKNOWN),
        ("free wallpaper", ("Free  Wallpaper",), Rights.FREE),
        ("All rights reserved", (), Rights.RESERVED),
        ("All rights reserved", ("open", "all-rights-reserved"), Rights.FREE),
        ("Unsplash License", (), Rights.RESERVED),
        ("Unsplash License", ("commercial",), Rights.RESERVED),
        ("Unsplash License", ("unsplash",), Rights.FREE),
    ],
)
def test_the_right_to_pass_an_image_on(
    tmp_path: Path, claim: str | None, named: tuple[str, ...], rights: Rights
) -> None:
    assert rights_of(one(tmp_path, claim), frozenset(named))[0] is rights


def test_an_owner_s_no_outweighs_every_licence_and_wish(tmp_path: Path) -> None:
    refused = with_rights(one(tmp_path, "CC0"), **REFUSES)
    assert rights_of(refused, frozenset({"cc0"}))[0] is Rights.OPTED_OUT


def test_a_refusal_counts_each_kind_and_names_the_way_out(tmp_path: Path) -> None:
    samples = [
        one(tmp_path, "CC0", number=1), one(tmp_path, None, number=2), one(tmp_path, "?", number=3),
        one(tmp_path, "Pexels", number=4), with_rights(one(tmp_path, "CC0", number=5), **REFUSES),
    ]  # fmt: skip
    policy = RightsPolicy()
    with pytest.raises(UsageError) as refused:
        publishable(samples, Selection(), policy).demand(policy)
    told = str(refused.value)
    assert told.startswith("4 images must not be passed on: 2 whose rights are unknown, ")
    assert "1 whose licence does not allow it (pexels 1), 1 whose owner refuses training" in told
    for way in ("--license open", "--allow-unknown-rights", "--exclude no-training", "--license"):
        assert way in told
    assert told.endswith("Nothing was sent")


def test_the_selection_decides_what_is_counted(tmp_path: Path) -> None:
    samples = [one(tmp_path, "CC0", number=1), one(tmp_path, None, number=2)]
    chosen = Selection(licenses=frozenset({"open"}))
    policy = RightsPolicy(named=chosen.licenses)
    found = publishable(samples, chosen, policy)
    found.demand(policy)
    assert found.counts == {Rights.FREE: 1}
    refused = [with_rights(samples[0], **REFUSES)]
    assert not publishable(refused, Selection(exclude=frozenset({"no-training"})), policy).counts


@pytest.mark.parametrize(
    ("text", "name", "revision"),
    [
        ("hf://me/cats", "me/cats", "main"),
        ("hf://datasets/me/cats", "me/cats", "main"),
        ("hf://datasets/cats", "datasets/cats", "main"),
        ("hf://me/cats-2.0_b@dev", "me/cats-2.0_b", "dev"),
        ("hf://me/cats/", "me/cats", "main"),
    ],
)
def test_an_address_of_the_hub_is_read(text: str, name: str, revision: str) -> None:
    assert read_repository(text) == Repository(name=name, revision=revision)


@pytest.mark.parametrize(
    "text",
    [
        "me/cats", "https://huggingface.co/datasets/me/cats", "hf://cats", "hf://", "hf:///cats",
        "hf://models/me/cats", "hf://spaces/me/cats", "hf://me/cats/data", "hf://me/c ats",
        "hf://me/../cats", "hf://me/-cats", "hf://me/cats.", "hf://me/cats--2", "hf://me/cats.git",
        "hf://me/" + "c" * 100, "hf://me/cats@a b", "hf://me/kätzchen", "s3://me/cats",
    ],
)  # fmt: skip
def test_what_is_no_address_of_the_hub_is_one_line_with_an_example(text: str) -> None:
    with pytest.raises(UsageError) as told:
        read_repository(text)
    assert "\n" not in str(told.value)
