"""Which images of a data set may be passed on: by licence claim, and by what their owners say.

Without a claim that allows it an image is not passed on unless the user says so, and never where
its owner refuses training: whoever loads a published set cannot be held to anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from pixtrawl.claims import claim_of, is_licensed
from pixtrawl.errors import UsageError
from pixtrawl.exporters.plan import Selection
from pixtrawl.licenses import UNKNOWN, allows
from pixtrawl.model import Sample
from pixtrawl.preferences.marks import has_mark

__all__ = ["Publishable", "Rights", "RightsPolicy", "publishable", "rights_of"]

_WISHES: Final = frozenset({"any", "open", "public", "commercial", "modify"})
_OPTED_OUT: Final = frozenset({"no-training"})


class Rights(StrEnum):
    """The right to pass an image on, as far as it is known."""

    FREE = "free"
    UNKNOWN = "unknown"
    RESERVED = "reserved"  # a known licence, and not one that allows passing it on
    OPTED_OUT = "opted_out"  # its owner refuses training


class RightsPolicy(Struct, frozen=True, kw_only=True):
    """The responsibility that the user takes."""

    named: frozenset[str] = frozenset()  # values of --license: ids among them are the user's choice
    allow_unknown: bool = False


class Publishable(Struct):
    """The counts of a data set by `Rights`, by source, and by licence where it is reserved."""

    counts: Counter[Rights]
    reserved: Counter[str]  # by licence
    sources: Counter[str]  # of all of them

    def demand(self, policy: RightsPolicy) -> None:
        """Raise UsageError where images would be sent that may not be, with the way out."""
        unknown, reserved = self.counts[Rights.UNKNOWN], self.counts[Rights.RESERVED]
        opted_out = self.counts[Rights.OPTED_OUT]
        if policy.allow_unknown:
            unknown = opted_out = 0  # the latter are left out, and reported
        if not unknown and not reserved and not opted_out:
            return
        named = [
            (unknown, "whose rights are unknown"),
            (reserved, f"whose licence does not allow it ({_ranked(self.reserved)})"),
            (opted_out, "whose owner refuses training"),
        ]
        counted = [f"{count:,} {words}" for count, words in named if count]
        cures = [*_cures(unknown, reserved, opted_out)]
        total = unknown + reserved + opted_out
        raise UsageError(
            f"{total:,} {'image' if total == 1 else 'images'} must not be passed on: "
            f"{', '.join(counted)}. {'; '.join(cures)}. Nothing was sent"
        )


def _cures(unknown: int, reserved: int, opted_out: int) -> Iterator[str]:
    if unknown or reserved:
        yield "`--license open` leaves out what has no open licence"
    if unknown:
        yield "`--allow-unknown-rights` publishes images of unknown rights at your own risk"
    if reserved:
        yield "naming a licence (`--license unsplash`) takes the responsibility for it"
    if opted_out:
        yield "`--exclude no-training` leaves out what owners refuse"


def _ranked(counts: Counter[str]) -> str:
    shown = ", ".join(f"{name} {count:,}" for name, count in counts.most_common(3))
    return f"{shown}, ..." if len(counts) > 3 else shown


def rights_of(sample: Sample, named: frozenset[str]) -> tuple[Rights, str]:
    """Return the rights of an image, and its licence id."""
    license_id = claim_of(sample.candidate, sample.rights).id
    if has_mark(sample.rights, _OPTED_OUT):
        return Rights.OPTED_OUT, license_id
    if allows(license_id, "open"):
        return Rights.FREE, license_id
    claim = sample.candidate.license or ""
    wishes = named - _WISHES
    if (claim or license_id != UNKNOWN) and any(
        is_licensed(license_id, claim, wish) for wish in wishes if wish != UNKNOWN
    ):
        return Rights.FREE, license_id
    return (Rights.UNKNOWN if license_id == UNKNOWN else Rights.RESERVED), license_id


def publishable(
    samples: Iterable[Sample], selection: Selection, policy: RightsPolicy
) -> Publishable:
    """Count the images that a selection takes by their rights."""
    found = Publishable(Counter(), Counter(), Counter())
    for sample in samples:
        if not _selected(sample, selection):
            continue
        rights, license_id = rights_of(sample, policy.named)
        found.counts[rights] += 1
        found.sources[sample.candidate.source] += 1
        if rights is Rights.RESERVED:
            found.reserved[license_id] += 1
    return found


def _selected(sample: Sample, selection: Selection) -> bool:
    if has_mark(sample.rights, selection.exclude):
        return False
    return selection.wants(
        {
            "label": sample.label,
            "license": sample.candidate.license or "",
            "license_id": claim_of(sample.candidate, sample.rights).id,
            "width": sample.info.width,
            "height": sample.info.height,
        }
    )
