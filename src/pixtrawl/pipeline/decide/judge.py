"""Classifies each outcome: new image, copy, better copy, placeholder or label conflict.

Runs in one transaction of the catalog per batch; it writes rows and does not touch files. Decisions
depend on the catalog and the batch only, never on the clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from pixtrawl.catalog import frontier, relations, samples
from pixtrawl.catalog.decisions import takedown
from pixtrawl.catalog.files import stems
from pixtrawl.catalog.samples import Known
from pixtrawl.catalog.schema.states import SampleState
from pixtrawl.dedup import Level, Match, NearDuplicates
from pixtrawl.folder.layout import file_name
from pixtrawl.images.formats.sniff import EXTENSIONS
from pixtrawl.images.rules import Rules, is_card
from pixtrawl.model import ImageInfo, Outcome, Reason, Task
from pixtrawl.pipeline.decide.awaiting import Awaiting
from pixtrawl.pipeline.decide.copies import STRICT_BITS, is_alike, merit
from pixtrawl.pipeline.decide.decision import Decision, note_superseded, note_withdrawn
from pixtrawl.urls import host_of, url_key

if TYPE_CHECKING:
    from pixtrawl.manifests.recipe import RecipeImage

__all__ = ["Judge"]

_KEPT: Final = frozenset({SampleState.ACCEPTED, SampleState.PLACED})
_MANY_URLS: Final = 3  # URLs of one host with the same picture, from which it is a placeholder


class Judge:
    """Decides on batches of outcomes; holds the near-duplicate index and the count per query."""

    def __init__(self, level: Level, run_id: int, rules: Rules) -> None:
        self.near = NearDuplicates(level, *self._looks(), turned=rules.images.turned)
        self._db: sqlite3.Connection
        self._rules = rules
        self._exact = level is not Level.OFF
        self._run_id = run_id
        self._number = 0  # next free image number within a batch
        self._saved: dict[int, int] = {}
        self._wanted: dict[int, int | None] = {}
        self._loaded: set[str] = set()
        self._taken_down: takedown.TakenDown | None = None
        self._pardons = False
        self._locked: dict[tuple[int, str], RecipeImage] = {}
        self.awaiting = Awaiting()
        self._seen: set[str] = set()  # SHA-256 values of the batch that some sample already has

    def expect(self, query_id: int, wanted: int | None, saved: int) -> None:
        """Register a query that has `saved` images and wants `wanted` (None: all there are)."""
        self._wanted[query_id], self._saved[query_id] = wanted, saved

    def expect_locked(self, query_id: int, images: Iterable[RecipeImage]) -> None:
        """Accept only these images of a rebuilt query, each under its own number."""
        self._locked.update(((query_id, one.candidate.url), one) for one in images)

    def correct(self, query_id: int, gained: int, unfilled: int) -> None:
        """Correct a query by `gained` images (may be negative) and `unfilled` places left empty."""
        if query_id in self._saved:
            self._saved[query_id] += gained
            if (wanted := self._wanted[query_id]) is not None:
                self._wanted[query_id] = wanted - unfilled

    def load(self, db: sqlite3.Connection, label: str) -> None:
        """Load a label into the near-duplicate index; the first call loads all others by hash."""
        if label in self._loaded:
            return
        if not self._loaded:  # the same picture may be stored under any label
            self.near.add_many(
                (other, sample_id, ImageInfo(format="", phash=phash, phash_trim=trim))
                for other, sample_id, phash, trim in samples.hashes_elsewhere(db, label)
            )
        self._loaded.add(label)
        self.near.add_many((label, id, info) for id, info in samples.hashes(db, label))

    def _looks(self) -> tuple[Callable[[int], bytes], ...]:
        t, c, f = samples.thumb, samples.chroma, samples.fine
        return lambda id: t(self._db, id), lambda id: c(self._db, id), lambda id: f(self._db, id)

    def decide(self, db: sqlite3.Connection, batch: list[tuple[Task, Outcome]]) -> list[Decision]:
        """Decide on each outcome, in order. Write rows; do not touch files."""
        self._db = db
        self._taken_down = takedown.load(db)
        self._pardons = relations.has_pardons(db)
        self._number = samples.next_number(db)
        self._seen = samples.seen(db, [o.info.sha256 for _, o in batch if o.info is not None])
        decisions = [self._decide(db, task, outcome) for task, outcome in batch]
        note_superseded(decisions)
        note_withdrawn(decisions)
        return decisions

    def _decide(self, db: sqlite3.Connection, task: Task, outcome: Outcome) -> Decision:
        info = outcome.info
        if outcome.reason is Reason.INTERRUPTED:
            return Decision(task, outcome)  # its row stays open
        if outcome.reason is not Reason.SAVED or info is None:
            frontier.settle(db, task.id, outcome, self._run_id)
            return self._not_back(db, Decision(task, outcome))
        decision = self._down(task, outcome, info) or self._bring_back(db, task, outcome, info)
        if decision is None and self._locked:
            decision = self._as_locked(db, task, outcome, info)
        decision = decision or self._same_bytes(db, task, outcome, info)
        if decision is None:
            label = task.candidate.label
            pardoned = self._pardons and relations.is_pardoned(db, label, info.sha256)
            match = None if pardoned else self.near.find(label, info)
            if match is not None and match.label == label:
                decision = self._same_picture(db, task, outcome, info, match)
            decision = decision or self._accept(db, task, outcome, info, match)
        frontier.settle(
            db,
            task.id,
            decision.outcome,
            self._run_id,
            sample_id=decision.sample_id,
            distance=decision.distance,
        )
        return self._not_back(db, decision)

    def _bring_back(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision | None:
        number = self.awaiting.number(db, task, info.sha256)
        return None if number is None else self._new(db, task, outcome, info, number)

    def _not_back(self, db: sqlite3.Connection, decision: Decision) -> Decision:
        if self.awaiting.gives_up(db, decision):
            self._saved[decision.task.query_id] += 1
            decision.gained += 1
        return decision

    def _down(self, task: Task, outcome: Outcome, info: ImageInfo) -> Decision | None:
        assert self._taken_down is not None
        down = self._taken_down  # checked again: a rule may be newer than the transfer
        why = down.why_content(info) or down.why_url(task.candidate, outcome.final_url)
        if why is None:
            return None
        return Decision(task, replace(outcome, reason=Reason.TAKEN_DOWN, detail=why))

    def _as_locked(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision:
        """Accept the image if it still shows the picture that the lock file names."""
        locked = self._locked.get((task.query_id, task.candidate.url))
        if locked is None:
            return Decision(task, replace(outcome, reason=Reason.NOT_NEEDED))
        detail = locked.drift(info, STRICT_BITS)
        if detail is None:
            return Decision(task, replace(outcome, reason=Reason.CHANGED))
        return self._new(db, task, replace(outcome, detail=detail), info, locked.number)

    # -- copies ---------------------------------------------------------------------------------

    def _same_bytes(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo
    ) -> Decision | None:
        if info.sha256 not in self._seen:
            return None
        known = samples.same_bytes(db, task.candidate.label, info.sha256)
        if known is None or known.state is SampleState.WANTED_BACK:
            return None
        if not self._exact and known.state in _KEPT:
            return None
        if known.state in _KEPT and self._stands_for_others(db, task, outcome, known.id):
            return self._placeholder(db, task, outcome, known.id)
        reason = known.withdrawn_for or {
            SampleState.DELETED_BY_HAND: Reason.REMOVED_BY_USER,
            SampleState.TAKEN_DOWN: Reason.TAKEN_DOWN,
            SampleState.RELABELLED: Reason.MOVED_BY_USER,
        }.get(known.state, Reason.SAME_BYTES)
        return Decision(task, replace(outcome, reason=reason), known.id)

    def _same_picture(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo, match: Match
    ) -> Decision | None:
        kept = relations.standing_of(db, match.id)
        alike = is_alike(match, kept.info, info)
        if kept.known.state is SampleState.RELABELLED:
            return self._copy(task, outcome, match, Reason.MOVED_BY_USER)
        if kept.known.state is SampleState.WITHDRAWN:
            if kept.known.withdrawn_for is Reason.PLACEHOLDER and not alike:
                return None
            return self._copy(task, outcome, match, kept.known.withdrawn_for)
        if alike:
            if is_card(info) and self._stands_for_others(db, task, outcome, match.id):
                return self._placeholder(db, task, outcome, match.id, match.distance)
            relations.note_alike(db, task.id)
        if merit(outcome.kind, task.candidate.rank, info) > merit(kept.kind, kept.rank, kept.info):
            return self._replace(db, task, outcome, info, match)
        return self._copy(task, outcome, match, Reason.SAME_PICTURE)

    def _copy(self, task: Task, outcome: Outcome, match: Match, reason: Reason | None) -> Decision:
        detail = f"distance {match.distance} ({match.stage})"
        verdict = replace(outcome, reason=reason or Reason.SAME_PICTURE, detail=detail)
        return Decision(task, verdict, match.id, distance=match.distance)

    def _replace(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, info: ImageInfo, match: Match
    ) -> Decision:
        """Replace a kept image by a better copy, which takes its number and name."""
        number, query_id = samples.number_and_query(db, match.id)
        samples.mark(db, match.id, SampleState.REPLACED)
        label, extension = task.candidate.label, EXTENSIONS[info.format]
        name = file_name(label, number, extension)
        stem, key = stems.kept_stem(db, match.id)
        if key is not None:
            name = f"{label}/{stem}.{extension}"
        # The number stays with the query that first filled it, whichever query found this copy.
        sample_id = samples.accept(db, replace(task, query_id=query_id), outcome, number, name)
        self._seen.add(info.sha256)
        stems.keep(db, sample_id, key)
        samples.inherit(db, match.id, sample_id, match.distance)
        self.near.remove(match.id)
        self.near.add(task.candidate.label, sample_id, info)
        return Decision(task, outcome, sample_id, name, number)

    # -- placeholders ---------------------------------------------------------------------------

    def _stands_for_others(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, sample_id: int
    ) -> bool:
        """Whether this host serves the picture for several URLs, so that it is a placeholder.

        Always False where the rules do not drop junk of the candidate, as for a person's own list.
        """
        assert outcome.info is not None
        if not self._rules.drops_junk(task.candidate) or outcome.url != task.candidate.url:
            return False
        host, key = host_of(outcome.url), url_key(outcome.url)
        sha256 = outcome.info.sha256
        return relations.urls_of_host(db, host, sha256, sample_id, key) >= _MANY_URLS

    def _placeholder(
        self,
        db: sqlite3.Connection,
        task: Task,
        outcome: Outcome,
        sample_id: int,
        distance: int | None = None,
    ) -> Decision:
        """Reject a placeholder, and withdraw the images kept of it under every label."""
        assert outcome.info is not None
        host = host_of(outcome.url)
        verdict = replace(
            outcome, reason=Reason.PLACEHOLDER, detail=f"{host} gives it for several URLs"[:200]
        )
        decision = Decision(task, verdict, sample_id, distance=distance)
        same = relations.same_everywhere(db, outcome.info.sha256)
        for one in dict.fromkeys([sample_id, *same]):
            self._withdraw(db, decision, one, Reason.PLACEHOLDER)
        return decision

    def _withdraw(
        self, db: sqlite3.Connection, decision: Decision, sample_id: int, reason: Reason
    ) -> None:
        withdrawal = relations.withdraw(db, sample_id, reason)
        if withdrawal is not None:
            decision.withdrawn.append(withdrawal)
            if withdrawal.query_id in self._saved:
                self._saved[withdrawal.query_id] -= 1

    # -- acceptance and conflicts ---------------------------------------------------------------

    def _accept(
        self,
        db: sqlite3.Connection,
        task: Task,
        outcome: Outcome,
        info: ImageInfo,
        match: Match | None,
    ) -> Decision:
        wanted = self._wanted[task.query_id]
        if wanted is not None and self._saved[task.query_id] >= wanted:
            return Decision(task, replace(outcome, reason=Reason.NOT_NEEDED))
        other = self._elsewhere(db, task, info, match)
        if other is not None:
            known, distance = other
            if known.withdrawn_for is Reason.PLACEHOLDER or (
                known.state in _KEPT
                and distance == 0
                and self._stands_for_others(db, task, outcome, known.id)
            ):
                return self._placeholder(db, task, outcome, known.id, distance)
            if self._rules.images.conflict != "keep":
                return self._conflict(db, task, outcome, known, distance)
        decision = self._new(db, task, outcome, info)
        if other is not None and decision.sample_id is not None:
            relations.note_conflict(db, decision.sample_id, other[0].id, other[1])
        return decision

    def _elsewhere(
        self, db: sqlite3.Connection, task: Task, info: ImageInfo, match: Match | None
    ) -> tuple[Known, int] | None:
        """Return the same picture under another label and its distance in bits, or None."""
        label = task.candidate.label
        if info.sha256 in self._seen:
            known = relations.same_bytes_elsewhere(db, label, info.sha256)
            if known is not None:  # a person's refusal under one label does not bind the others
                return None if known.withdrawn_for is Reason.REFUSED_BY_PERSON else (known, 0)
        if match is None or match.label == label:
            return None
        kept = relations.standing_of(db, match.id)
        why = kept.known.withdrawn_for
        if why is Reason.PLACEHOLDER and not is_alike(match, kept.info, info):
            return None
        return None if why is Reason.REFUSED_BY_PERSON else (kept.known, match.distance)

    def _conflict(
        self, db: sqlite3.Connection, task: Task, outcome: Outcome, known: Known, distance: int
    ) -> Decision:
        """Reject a picture that another label has; `--conflict drop` withdraws it there, too."""
        verdict = replace(
            outcome, reason=Reason.LABEL_CONFLICT, detail=f"distance {distance} to {known.label}"
        )
        decision = Decision(task, verdict, known.id, distance=distance)
        if self._rules.images.conflict == "drop":
            self._withdraw(db, decision, known.id, Reason.LABEL_CONFLICT)
        return decision

    def _new(
        self,
        db: sqlite3.Connection,
        task: Task,
        outcome: Outcome,
        info: ImageInfo,
        number: int | None = None,
    ) -> Decision:
        label = task.candidate.label
        if number is None:
            number = self._number
        self._number = max(self._number, number + 1)
        name, key = file_name(label, number, EXTENSIONS[info.format]), None
        if task.candidate.file_stem is not None:
            stem, key = stems.new_stem(db, label, task.candidate.file_stem, number)
            name = f"{label}/{stem}.{EXTENSIONS[info.format]}"
        sample_id = samples.accept(db, task, outcome, number, name)
        stems.keep(db, sample_id, key)
        self._seen.add(info.sha256)
        self._saved[task.query_id] += 1
        self.near.add(label, sample_id, info)
        return Decision(task, outcome, sample_id, name, number, gained=1)
