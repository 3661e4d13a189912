"""Questions to the user before a run, as data that each front end presents in its own way.

Every question is optional and has a default.
"""

from __future__ import annotations

from msgspec import Struct

from pixtrawl import sources
from pixtrawl.config.groups import Config
from pixtrawl.config.user_agent import has_contact
from pixtrawl.operations.source_facts import SourceFacts, source_facts

__all__ = ["Choice", "Question", "questions"]


class Choice(Struct, frozen=True):
    """A possible value of the setting, and its meaning."""

    value: str
    meaning: str


class Question(Struct, frozen=True, kw_only=True):
    """A question whose answer is the value of `setting`, named as for `--set`.

    Without `choices` the answer is free text. `secret`: do not show or store it in plain text.
    """

    setting: str
    text: str
    why: str
    default: str
    choices: tuple[Choice, ...] = ()
    secret: bool = False


def questions(config: Config) -> list[Question]:
    """Return the questions these settings leave open. Raises UsageError for unknown sources."""
    asked = source_facts(sources.expand(config.job.sources, config.sources), config.sources)
    found = [question for facts in asked for question in _of_source(facts)]
    grouped = [facts for facts in source_facts([], config.sources) if facts.groups_if_enabled]
    chosen = set(config.job.sources)
    found += [_switch(facts) for facts in grouped if chosen & set(facts.groups_if_enabled)]
    if not has_contact(config.fetch):
        found.append(_CONTACT)
    return found


_CONTACT = Question(
    setting="fetch.contact",
    text="By which e-mail address or page can the owners of sites reach you?",
    why="it stands in the User-Agent, and some sites' rules ask for it",
    default="",
)


def _of_source(facts: SourceFacts) -> list[Question]:
    """Return questions for a missing key, URL or file; missing programs are left to `doctor`."""
    known = {one.key: one for one in facts.settings}
    return [
        Question(
            setting=f"{facts.name}.{need}",
            text=f"Which {need} is {facts.title} asked with?",
            why=why,
            default="",
            secret=known[need].secret,
        )
        for need in facts.needs
        if need in known
        for why in facts.missing
        if f"{facts.name}.{need}" in why
    ]


def _switch(facts: SourceFacts) -> Question:
    needs = f" (needs {', '.join(facts.needs)})" if facts.needs else ""
    return Question(
        setting=f"{facts.name}.enabled",
        text=f"Is {facts.title} to be asked, too{needs}?",
        why=facts.terms or facts.sentence,
        default="false",
        choices=(Choice("false", "leave it out"), Choice("true", "ask it with the others")),
    )
