"""Sources as a person chooses among them: what each needs, may and costs."""

from __future__ import annotations

from typing import Any, Final

from pixtrawl.operations.source_facts import Settings, SourceFacts, source_facts

__all__ = ["source_choices"]

_NEEDS: Final = {"key": "a key", "url": "the address of a server", "file": "a file"}


def source_choices(settings: Settings) -> list[dict[str, Any]]:
    """Return every source; `ready` is whether it can be asked under these settings.

    Settings appear without their values: addresses and keys are of the person's own.
    """
    return [_choice(one) for one in source_facts([], settings)]


def _choice(facts: SourceFacts) -> dict[str, Any]:
    needs = [_NEEDS.get(one, one) for one in facts.needs]
    costs = [f"{facts.delay_s:g} s between two requests"] if facts.delay_s else []
    return {
        "name": facts.name, "title": facts.title, "sentence": facts.sentence,
        "ready": not facts.missing, "missing": list(facts.missing), "groups": list(facts.groups),
        "needs": ", ".join(needs), "may": facts.license or facts.terms,
        "costs": "; ".join([*costs, *([facts.limit] if facts.limit else [])]),
        "terms": facts.terms, "filters": list(facts.filters), "delay_s": facts.delay_s,
    }  # fmt: skip
