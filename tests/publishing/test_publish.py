"""Publishing to a double of the Hub, by the official client."""

from __future__ import annotations

import fnmatch
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml  # type: ignore[import-untyped]

from pixtrawl.errors import EnvironmentFailedError, ExportError, PixtrawlError, UsageError
from pixtrawl.exporters.plan import Selection
from pixtrawl.exporters.splits import Splitting, parse_shares
from pixtrawl.model import Sample
from tests.exporters import dataset
from tests.publishing.conftest import REFUSES, Publisher, free, with_rights
from tests.publishing.hub_double import READER, WRITER, HubDouble
from tests.publishing.hub_parts import git_hash
from tests.publishing.shards import SPLIT

if TYPE_CHECKING:  # half a second of imports
    from pixtrawl.publishing.publish import Published

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the client


def shards(hub: HubDouble, repository: str = "me/set") -> dict[str, bytes]:
    return {name: data for name, data in hub.files(repository).items() if name.endswith(".parquet")}


def counts(done: Published) -> dict[str, int]:
    return {name: row["files"] for name, row in done.difference.counts().items()}


def test_a_data_set_lies_on_the_hub_with_card_and_description(
    hub: HubDouble, send: Publisher, samples: list[Sample], tmp_path: Path
) -> None:
    done = send(samples, export=SPLIT, message="First")
    files = hub.files("me/set")
    assert {"README.md", "ATTRIBUTION.md", "croissant.json", "pixtrawl.json"} < set(files)
    assert done.images == 12
    assert done.commit.startswith(f"{hub.url}/datasets/me/set/commit/")
    assert hub.messages == ["First"]
    assert {name.partition("-")[0] for name in shards(hub)} == {"data/train", "data/val"}
    card = files["README.md"].decode()
    assert 'load_dataset("me/set")' in card
    assert "CC BY 4.0" in card
    assert "- playground:" in card, "terms of each source"
    assert not any((tmp_path / "staging").iterdir()), "shards are removed once they were sent"


@pytest.mark.parametrize(
    "shares", ["train=1", "train=0.5,val=0.5", "dev=0.4,Test=0.3,left_over=0.3"]
)
def test_card_and_croissant_name_the_same_shards_of_every_split(
    hub: HubDouble, send: Publisher, samples: list[Sample], shares: str
) -> None:
    send(samples, export={"splitting": Splitting(shares=parse_shares(shares))})
    files = hub.files("me/set")
    (config,) = yaml.safe_load(files["README.md"].decode().split("---")[1])["configs"]
    described = json.loads(files["croissant.json"])["distribution"]
    (found,) = (one for one in described if one["@type"] == "cr:FileSet")
    assert found["includes"] == [path for one in config["data_files"] for path in one["path"]]
    for pattern in found["includes"]:
        assert fnmatch.filter(shards(hub), pattern), "every split has shards"
    assert all(any(fnmatch.fnmatch(name, one) for one in found["includes"]) for name in shards(hub))
    assert not any(fnmatch.fnmatch("data/notes.parquet", one) for one in found["includes"])


def test_the_same_again_sends_nothing(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    send(samples)
    hub.forget_transfers()
    again = send(samples)
    assert not again.commit
    assert counts(again) == {
        "new": 0,
        "changed": 0,
        "same": len(hub.files("me/set")) - 1,
        "removed": 0,
    }
    assert not {"create", "preupload", "batch", "upload", "commit"} & set(hub.asked)
    assert len(hub.commits["me/set"]) == 2


def test_only_the_shard_of_a_new_image_moves(hub: HubDouble, send: Publisher, root: Path) -> None:
    more = free(root, per_label=20)
    send(more[1:])
    before = shards(hub)
    hub.forget_transfers()
    done = send(more)
    after = shards(hub)
    unchanged = {name for name, data in after.items() if before.get(name) == data}
    assert len(before.keys() - unchanged) <= 1
    assert len(unchanged) >= len(before) - 1 >= 5
    assert len(hub.uploaded) == len(after) - len(unchanged)
    assert hub.uploaded_bytes < sum(map(len, after.values())) / 2
    assert done.difference.counts()["same"]["files"] == len(unchanged)


def test_shards_that_are_no_more_are_removed_and_files_of_others_stay(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    send(samples, export=SPLIT)
    hub.commits["me/set"][-1]["notes.md"] = b"mine"
    hub.commits["me/set"][-1]["data/extra.parquet"] = b"mine, too"
    done = send(samples)
    assert counts(done)["removed"] > 0
    assert {name.partition("-")[0] for name in shards(hub)} == {"data/train", "data/extra.parquet"}
    assert hub.files("me/set")["notes.md"] == b"mine"


def test_a_shard_of_others_that_would_be_read_with_ours_is_removed_when_asked_for(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    send(samples)
    theirs = "data/train-00000-of-00064.parquet"
    hub.commits["me/set"][-1][theirs] = b"of another program"
    with pytest.raises(
        UsageError, match=rf"{theirs} on the Hub came from elsewhere .* --overwrite"
    ):
        send(samples)
    assert theirs in shards(hub)
    assert send(samples, dry_run=True).difference.foreign == (theirs,)
    send(samples, overwrite=True)
    assert theirs not in shards(hub)
    assert send(samples).difference.is_empty


def test_shards_whose_list_was_lost_are_not_read_beside_those_of_the_next_publish(
    hub: HubDouble, send: Publisher, root: Path
) -> None:
    more = free(root, per_label=20)
    send(more[:3])
    old = set(shards(hub))
    del hub.commits["me/set"][-1]["pixtrawl.json"]
    with pytest.raises(UsageError, match="--overwrite"):
        send(more)
    done = send(more, overwrite=True)
    assert not old & set(shards(hub))
    assert done.images == len(more)


def test_a_card_that_was_edited_on_the_hub_is_not_overwritten_unasked(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    send(samples)
    hub.commits["me/set"][-1]["README.md"] += b"\nMy own words.\n"
    with pytest.raises(UsageError, match=r"README.md on the Hub .* --overwrite"):
        send(samples)
    assert b"My own words" in hub.files("me/set")["README.md"]
    assert send(samples, dry_run=True).difference.foreign == ("README.md",)
    send(samples, overwrite=True)
    assert b"My own words" not in hub.files("me/set")["README.md"]


def test_a_dry_run_tells_files_and_card_and_sends_nothing(
    hub: HubDouble, send: Publisher, samples: list[Sample], tmp_path: Path
) -> None:
    done = send(samples, dry_run=True)
    assert counts(done)["new"] == len(done.difference.files) >= 5
    assert done.card.startswith("---\npretty_name:")
    assert set(hub.asked) == {"info"}
    assert not hub.commits
    assert not any((tmp_path / "staging").iterdir())


def test_an_interrupted_publish_is_finished_by_the_same_call(
    hub: HubDouble, send: Publisher, samples: list[Sample], tmp_path: Path
) -> None:
    hub.faults["commit"] = [500]
    with pytest.raises(EnvironmentFailedError, match=r"fails \(500\).*repeat"):
        send(samples)
    sent = list(hub.uploaded)
    assert sent
    assert list((tmp_path / "staging").rglob("*.parquet")), "shards are kept"
    done = send(samples)
    assert hub.uploaded == sent, "large files are not sent twice"
    assert len(shards(hub)) == len(sent)
    assert done.commit


def test_two_publishers_at_once_do_not_undo_each_other(
    hub: HubDouble, send: Publisher, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(samples)
    batch = HubDouble.batch

    def meanwhile(self: HubDouble, call: Any) -> Any:
        self.commits["me/set"].append({**self.files("me/set"), "other.txt": b"x"})
        return batch(self, call)

    monkeypatch.setattr(HubDouble, "batch", meanwhile)
    with pytest.raises(EnvironmentFailedError, match="changed by somebody else meanwhile"):
        send(samples[1:])


def test_a_hub_that_tells_the_pointers_of_large_files_alone_is_understood(
    hub: HubDouble, send: Publisher, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    send(samples)
    tree = HubDouble.tree

    def pointers(self: HubDouble, call: Any) -> Any:
        rows = tree(self, call)
        for row in rows:
            if large := row.pop("lfs", None):
                text = "version https://git-lfs.github.com/spec/v1\n"
                text += f"oid sha256:{large['oid']}\nsize {large['size']}\n"
                row["oid"] = git_hash(text.encode())
        return rows

    monkeypatch.setattr(HubDouble, "tree", pointers)
    assert not send(samples).commit
    assert counts(send(samples[1:]))["changed"] > 0


def test_images_without_a_right_are_refused_before_anything_is_asked(
    hub: HubDouble, send: Publisher, root: Path, samples: list[Sample]
) -> None:
    unknown = dataset.sample(root, "cat", 99, dataset.encoded(dataset.picture(99)), license=None)
    with pytest.raises(UsageError, match=r"1 image must not be passed on: 1 whose rights"):
        send([*samples, unknown])
    assert not hub.asked


def test_unknown_rights_go_with_the_option_and_opted_out_images_never_do(
    hub: HubDouble, send: Publisher, root: Path, samples: list[Sample]
) -> None:
    unknown = dataset.sample(root, "cat", 99, dataset.encoded(dataset.picture(99)), license=None)
    refused = with_rights(samples[0], **REFUSES)
    mixed = [refused, *samples[1:], unknown]
    with pytest.raises(UsageError, match="2 images must not"):
        send(mixed)
    done = send(mixed, allow_unknown_rights=True)
    assert (done.images, done.left_out) == (12, 1)
    card = hub.files("me/set")["README.md"].decode()
    assert "**The rights of 1 image are unknown**" in card
    assert refused.info.sha256.encode() not in b"".join(hub.files("me/set").values())


def test_a_private_repository_is_made_private_and_a_public_one_is_not_taken_for_it(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    send(samples, private=True)
    assert hub.private == {"me/set"}
    send(samples, to="hf://me/open")
    with pytest.raises(UsageError, match="there already, and public"):
        send(samples, to="hf://me/open", private=True)


@pytest.mark.parametrize(
    ("token", "to", "faults", "kind", "words"),
    [
        (None, "hf://me/set", {}, UsageError, "needs a token: log in with `hf auth login`"),
        ("hf_wrong", "hf://me/set", {}, UsageError, "does not accept the token (401)"),
        (READER, "hf://me/set", {}, UsageError, "may not write to me/set (403)"),
        (WRITER, "hf://other/set", {}, UsageError, "may not write to other/set (403)"),
        (WRITER, "hf://me/set", {"create": [404]}, UsageError, "not to be found"),
        (WRITER, "hf://me/set", {"info": [429]}, EnvironmentFailedError, "fewer requests (429)"),
        (WRITER, "hf://me/set", {"info": [500]}, EnvironmentFailedError, "fails (500)"),
        (WRITER, "hf://me/set", {"create": [503]}, EnvironmentFailedError, "fails (503)"),
        (WRITER, "hf://me/set", {"commit": [400]}, UsageError, "refuses it (400)"),
        (WRITER, "hf://me/set", {"upload": [403]}, UsageError, "(403)"),
    ],
)
def test_what_the_hub_refuses_is_one_line_with_the_next_step(
    hub: HubDouble, send: Publisher, samples: list[Sample], monkeypatch: pytest.MonkeyPatch,
    token: str | None, to: str, faults: dict[str, list[int]], kind: type[PixtrawlError], words: str,
) -> None:  # fmt: skip
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.faults = faults
    with pytest.raises(kind) as told:
        send(samples, to=to)
    assert words in str(told.value)
    assert "\n" not in str(told.value)
    assert not token or token not in str(told.value)
    assert told.value.exit_code == (2 if kind is UsageError else 5)


def test_a_hub_that_is_not_there_is_an_error_of_the_environment(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    hub.url = "http://127.0.0.1:9"
    with pytest.raises(EnvironmentFailedError, match="cannot be reached") as told:
        send(samples)
    assert str(told.value).count("refused") == 1, "a cause is told once"


def test_a_selection_that_leaves_no_image_is_told_from_a_set_without_any(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    with pytest.raises(UsageError, match="no image to publish; none has the licence, label or"):
        send(samples, export={"selection": Selection(min_size=(9_999, 9_999))})
    with pytest.raises(UsageError, match=r"no image to publish$"):
        send([])
    assert not hub.asked


def test_a_hub_that_repeats_the_token_does_not_make_us_show_it(
    hub: HubDouble, send: Publisher, samples: list[Sample], monkeypatch: pytest.MonkeyPatch
) -> None:
    def echo(self: HubDouble, call: Any) -> Any:
        call.status = 403
        return {"error": f"the token {call.token} may not do this"}

    monkeypatch.setattr(HubDouble, "create", echo)
    with pytest.raises(UsageError, match="may not do this") as told:
        send(samples)
    assert WRITER not in str(told.value)


def test_a_picture_that_is_damaged_is_reported_before_anything_is_sent(
    hub: HubDouble, send: Publisher, root: Path, samples: list[Sample]
) -> None:
    (root / samples[3].file_name).write_bytes(b"no picture")
    with pytest.raises(ExportError, match="--skip-bad"):
        send(samples)
    assert not hub.commits
    assert send(samples, export={"skip_bad": True}).bad == 1


def test_the_numbers_of_a_result_are_plain_values(
    hub: HubDouble, send: Publisher, samples: list[Sample]
) -> None:
    found = json.loads(json.dumps(send(samples).to_dict()))
    assert found["repository"] == "me/set"
    assert found["totals"]["new"]["files"] == len(found["files"])
    assert {file["change"] for file in found["files"]} == {"new"}
