"""Publish a data set: check rights, build shards, compare with the Hub, send what has changed.

The same images and options give the same files, so that a repeated command sends nothing, and one
that broke off goes on: finished shards are kept, and the Hub knows what it already has.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from pixtrawl import sources
from pixtrawl.config.groups import Publish
from pixtrawl.config.user_folders import user_folder
from pixtrawl.errors import StorageError, UsageError
from pixtrawl.exporters.base import Publication
from pixtrawl.exporters.export import Exported, ExportOptions, Progress, export
from pixtrawl.exporters.hub import CARD, shards_of
from pixtrawl.exporters.plan import Selection
from pixtrawl.exporters.target import STATE
from pixtrawl.folder.derived.card import markdown_text
from pixtrawl.model import Sample
from pixtrawl.publishing.difference import Difference, LocalFile, compare
from pixtrawl.publishing.hub import MANIFEST, Hub, RemoteState, Sent
from pixtrawl.publishing.repository import read_repository
from pixtrawl.publishing.rights import (
    Publishable,
    Rights,
    RightsPolicy,
    publishable,
    rights_of,
)

__all__ = ["PublishOptions", "Published", "publish"]

_PIECE_BYTES: Final = 2**20


class PublishOptions(Struct, frozen=True, kw_only=True):
    """The options of a publish."""

    export: ExportOptions = ExportOptions()
    allow_unknown_rights: bool = False
    private: bool = False  # of a repository that is made by it
    overwrite: bool = False  # files that somebody else put there or changed
    dry_run: bool = False
    message: str | None = None  # of the commit
    place: Publish = Publish()


class Published(Struct, frozen=True, kw_only=True):
    """The result of a publish."""

    repository: str
    url: str
    images: int
    splits: dict[str, int]
    difference: Difference
    left_out: int  # images whose owner refuses training
    missing: int  # files deleted by hand
    bad: int  # skipped with skip_bad
    card: str = ""  # of a dry run
    commit: str = ""  # address; "" where nothing was sent

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "repository": self.repository,
            "url": self.url,
            "images": self.images,
            "splits": self.splits,
            "left_out": self.left_out,
            "missing": self.missing,
            "bad": self.bad,
            "commit": self.commit,
            "totals": self.difference.counts(),
            "files": [
                {"name": file.name, "change": file.change.value, "bytes": file.size_bytes}
                for file in self.difference.files
            ],
            "foreign": list(self.difference.foreign),
        }


def publish(  # noqa: PLR0913 - what, where from and to, how, and three listeners
    samples: Iterable[Sample],
    root: Path | str,
    to: str,
    options: PublishOptions = PublishOptions(),
    *,
    on_progress: Progress | None = None,
    on_sent: Callable[[int, int], Sent] | None = None,
    on_wait: Callable[[str], None] = lambda sentence: None,
) -> Published:
    """Send images to a data set repository of the Hub; only what has changed is moved.

    Args:
        samples: in the order of label and number; read twice.
        root: the data set folder that holds their files.
        to: `hf://user/set`.
        options: selection, splits, rights, where the Hub is.
        on_progress: called after each image that is put into a shard.
        on_sent: called with files and bytes to send; gives the listener for what was sent.
        on_wait: called with a sentence before a busy Hub is asked again.

    Raises:
        UsageError: images may not be passed on, the token may not write, or names are wrong.
        EnvironmentFailedError: the Hub cannot be reached; the same call goes on.
        MissingExtraError: the extra `publish` is not installed.
        ExportError: an image cannot be used.
    """
    repository = read_repository(to)
    root = Path(root)
    policy = RightsPolicy(
        named=options.export.selection.licenses, allow_unknown=options.allow_unknown_rights
    )
    found = publishable(samples, options.export.selection, policy)
    found.demand(policy)
    left_out = found.counts[Rights.OPTED_OUT]
    if found.counts.total() == left_out:
        selected = options.export.selection != Selection()
        raise UsageError(f"{root}: no image to publish{_left_out_words(left_out, selected)}")
    hub = Hub(repository, options.place.hub_url, on_wait)
    if not options.dry_run:
        hub.demand_token()
    state = hub.state()
    _check_privacy(state, options, repository.name)
    staging = _staging(root, hub.url, options.place)
    job = replace(
        options.export,
        publication=Publication(
            repository=repository.name, url=hub.url, notes=tuple(_notes(found))
        ),
        title=options.export.title or root.resolve().name,
    )
    kept = (one for one in samples if rights_of(one, policy.named)[0] is not Rights.OPTED_OUT)
    done = export(kept, root, staging, "hub", job, on_progress=on_progress)
    files = _files(staging)
    local = {name: _described(content) for name, content in files.items()}
    files[MANIFEST] = _manifest(local)
    local[MANIFEST] = _described(files[MANIFEST])
    difference = compare(
        local, state.files, state.published, manifest=MANIFEST,
        patterns=[shards_of(split) for split in done.splits],
    )  # fmt: skip
    result = _result(hub, repository.name, done, difference, left_out)
    if options.dry_run:
        card = (staging / CARD).read_text("utf-8")
        _remove(staging)
        return replace(result, card=card)
    if difference.foreign and not options.overwrite:
        raise UsageError(
            f"{repository}: {_some(difference.foreign)} on the Hub came from elsewhere or changed "
            "there since the last publish; --overwrite replaces or removes it"
        )
    if not difference.is_empty:
        result = replace(result, commit=_send(hub, state, files, difference, options, on_sent))
    _remove(staging)
    return result


def _send(
    hub: Hub,
    state: RemoteState,
    files: Mapping[str, Path | bytes],
    difference: Difference,
    options: PublishOptions,
    on_sent: Callable[[int, int], Sent] | None,
) -> str:
    if not state.exists:
        hub.create(private=options.private)
    to_send = difference.to_send
    total_bytes = sum(file.size_bytes for file in to_send)
    return hub.commit(
        {file.name: files[file.name] for file in to_send},
        [file.name for file in difference.files if file.change == "removed"],
        message=options.message or "Publish with pixtrawl",
        parent=state.commit,
        on_sent=on_sent(len(to_send), total_bytes) if on_sent else lambda files, sent: None,
    )


def _check_privacy(state: RemoteState, options: PublishOptions, name: str) -> None:
    if options.private and state.is_private is False:
        raise UsageError(
            f"{name} is there already, and public; make it private in its settings on the Hub, or "
            "leave --private out"
        )


def _result(
    hub: Hub, name: str, done: Exported, difference: Difference, left_out: int
) -> Published:
    return Published(
        repository=name,
        url=hub.url,
        images=done.images,
        splits=done.splits,
        difference=difference,
        left_out=left_out,
        missing=done.missing,
        bad=done.bad,
    )


def _notes(found: Publishable) -> Iterator[str]:
    """Yield the paragraphs of the card on rights and on the terms of the sources."""
    yield (
        "The columns `license_id`, `license`, `license_url`, `license_evidence`, `creator` and "
        "`page_url` say what is claimed of each image; croissant.json describes the data set for "
        "programs (Croissant 1.0, with fields of its responsible-AI vocabulary)."
    )
    unknown, left_out = found.counts[Rights.UNKNOWN], found.counts[Rights.OPTED_OUT]
    if unknown:
        yield (
            f"**The rights of {_images(unknown)} are unknown** (`license_id` is `unknown`). They "
            "were published by a decision of the publisher, and whoever uses them has to settle "
            "whether they may."
        )
    if left_out:
        yield f"Left out: {_images(left_out)} whose owner refuses training."
    terms = [f"- {markdown_text(name)}: {_terms(name)}" for name in sorted(found.sources)]
    yield (
        "Terms of the sources by which the images were found, in the words of pixtrawl's "
        "documentation; the hosts of the images have terms of their own:\n\n" + "\n".join(terms)
    )


def _images(count: int) -> str:
    return f"{count:,} {'image' if count == 1 else 'images'}"


def _terms(source: str) -> str:
    try:
        terms = sources.load(source).info.terms
    except UsageError:  # a source of another package, or one that is no more
        terms = ""
    return markdown_text(terms) if terms else "not known"


def _staging(root: Path, url: str, place: Publish) -> Path:
    """Return the folder of the shards of one data set for one repository."""
    base = Path(place.staging) if place.staging else user_folder("cache") / "publish"
    key = hashlib.sha256(f"{root.resolve()}\0{url}".encode(errors="replace")).hexdigest()[:16]
    return base / key


def _remove(staging: Path) -> None:
    try:
        shutil.rmtree(staging)
    except OSError as error:
        raise StorageError(f"{staging}: cannot be removed ({error.strerror or error})") from error


def _files(staging: Path) -> dict[str, Path | bytes]:
    return {
        path.relative_to(staging).as_posix(): path
        for path in sorted(staging.rglob("*"))
        if path.is_file() and path.name != f"{STATE}.jsonl"
    }


def _manifest(files: Mapping[str, LocalFile]) -> bytes:
    """Return the list of files by hash, by which the next publish finds its own."""
    hashes = {name: sorted(file.hashes) for name, file in sorted(files.items())}
    return json.dumps({"files": hashes}, indent=1, ensure_ascii=False).encode() + b"\n"


def _described(content: Path | bytes) -> LocalFile:
    size_bytes = len(content) if isinstance(content, bytes) else content.stat().st_size
    sha256 = hashlib.sha256()
    git_sha1 = hashlib.sha1(b"blob %d\0" % size_bytes, usedforsecurity=False)
    for piece in _pieces(content):
        sha256.update(piece)
        git_sha1.update(piece)
    return LocalFile(
        size_bytes=size_bytes, sha256=sha256.hexdigest(), git_sha1=git_sha1.hexdigest()
    )


def _pieces(content: Path | bytes) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    try:
        with content.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece
    except OSError as error:
        raise StorageError(f"{content}: cannot be read ({error.strerror or error})") from error


def _some(names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return f"{shown} and {len(names) - 3:,} more" if len(names) > 3 else shown


def _left_out_words(left_out: int, selected: bool) -> str:
    if left_out:
        return f"; the owners of all {left_out:,} refuse training"
    return "; none has the licence, label or size that is asked for" if selected else ""
