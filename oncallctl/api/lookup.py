"""From the name a person types to the object on the server."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.resources.base import Model, Resource, ServerObject, TeamFilter
from oncallctl.api.resources.integrations import Integration
from oncallctl.api.resources.teams import Team
from oncallctl.api.resources.users import User
from oncallctl.errors import Ambiguous, InvalidInput, NotFound, OncallError

# A prefix letter and at least 12 of A-Z and 1-9.
_ID = re.compile(r"[A-Z][A-Z1-9]{12,}")
_ANY_ID = re.compile(r"[A-Za-z0-9_-]+")  # what can be part of a path
_SHOWN = 10

NO_TEAM = "none"


@dataclass(frozen=True)
class Named:
    """An object that a command was given; `name` is None where an id was given, which is never looked up."""

    id: str
    name: str | None

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def split(text: str) -> tuple[str, bool]:
    """Take ``id:X`` and ``name:X`` apart; without them, what looks like an id is one.

    Returns:
        The id or name, and whether it is an id.

    Raises:
        InvalidInput: there is nothing, or no id after ``id:``.
    """
    reading, found, rest = text.partition(":")
    forced = reading if found and reading in {"id", "name"} else None
    word = rest if forced else text
    if not word.strip():
        raise InvalidInput("an empty name", hint="give a name or an id")
    if forced == "id" and not _ANY_ID.fullmatch(word):
        raise InvalidInput(f"not an id: {word!r}", hint="write name:… for a name that starts with id:")
    return word, forced == "id" or (forced is None and _ID.fullmatch(word) is not None)


def integration(oncall: OnCall, text: str) -> Integration:
    """Find an integration by name or id; the object is read either way, since its state is what matters.

    Raises:
        NotFound: there is none.
        Ambiguous: several have the name, which is unique within a team only.
    """
    word, is_id = split(text)
    if is_id:
        return oncall.integrations.get(word)
    exact = [found for found in oncall.integrations.list(name=word) if found.name == word]
    return _pick("integration", word, exact or oncall.integrations.everything(), lambda each: [each.name], oncall)


def integrations(oncall: OnCall, texts: Sequence[str]) -> list[Integration]:
    """Find several, each looked up once, at the same time."""
    distinct = list(dict.fromkeys(texts))
    found = dict(zip(distinct, parallel.in_order(lambda text: integration(oncall, text), distinct), strict=True))
    return [found[text] for text in texts]


def team(oncall: OnCall, text: str) -> Named:
    """Find a team by name or id."""
    return _named("team", oncall, oncall.teams, text, lambda each: [each.name])


def teams(oncall: OnCall, texts: Sequence[str] | None) -> list[Named]:
    """Find the teams that are named, each once, or all where none is."""
    if texts:
        return list({found.id: found for found in (team(oncall, text) for text in texts)}.values())
    return [Named(each.id, each.name) for each in oncall.teams.everything()]


def team_or_none(oncall: OnCall, text: str | None) -> TeamFilter | None:
    """Find the team that `--team` names; ``none`` is no team. An ID is left to the server to check.

    Raises:
        NotFound, Ambiguous: the team.
    """
    if text is None:
        return None
    return TeamFilter(None if text == NO_TEAM else team(oncall, text).id)


def team_filter(oncall: OnCall, text: str | None) -> TeamFilter | None:
    """Find the team that `--team` filters a list by, and check an ID.

    A list filtered by a team that does not exist would look like that of a team without members.

    Raises:
        NotFound, Ambiguous: the team.
    """
    chosen = team_or_none(oncall, text)
    if text and chosen and chosen.id and split(text)[1]:
        oncall.teams.get(chosen.id)
    return chosen


def user(oncall: OnCall, text: str) -> Named:
    """Find a user by user name, e-mail or id."""
    return _named("user", oncall, oncall.users, text, _user_names)


def schedule(oncall: OnCall, text: str) -> Named:
    """Find a schedule by name or id."""
    return _named("schedule", oncall, oncall.schedules, text, lambda each: [each.name])


def escalation_chain(oncall: OnCall, text: str) -> Named:
    """Find an escalation chain by name or id."""
    return _named("escalation chain", oncall, oncall.escalation_chains, text, lambda each: [each.name])


def existing_chain(oncall: OnCall, text: str) -> Named:
    """Find an escalation chain by name or ID, and check the ID.

    A self-hosted engine refuses an unknown chain only after it has created the integration (integrations recordings).

    Raises:
        NotFound, Ambiguous: the chain.
    """
    found = escalation_chain(oncall, text)
    if found.name is None:
        oncall.escalation_chains.get(found.id)
    return found


def _named(
    kind: str, oncall: OnCall, members: Resource[Model], text: str, names: Callable[[Model], list[str]]
) -> Named:
    """Find one by its name; an id is not looked up."""
    word, is_id = split(text)
    if is_id:
        return Named(word, None)
    found = _pick(kind, word, members.everything(), names, oncall)
    return Named(found.id, names(found)[0])


def _user_names(person: User) -> list[str]:
    return [name for name in (person.username, person.email) if name]


def _pick(
    kind: str, word: str, candidates: Iterable[Model], names: Callable[[Model], list[str]], oncall: OnCall
) -> Model:
    """Choose the one object that has the name: exactly, else without regard to case."""
    everything = list(candidates)
    matches = [each for each in everything if word in names(each)]
    if not matches:
        folded = word.casefold()
        matches = [each for each in everything if folded in (name.casefold() for name in names(each))]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = [_candidate(each, names(each)[0], oncall) for each in matches[:_SHOWN]]
        more = f" and {len(matches) - _SHOWN} more" if len(matches) > _SHOWN else ""
        raise Ambiguous(f"{len(matches)} {kind}s are called {word!r}", hint=f"use an id: {'; '.join(shown)}{more}")
    close = difflib.get_close_matches(word, [name for each in everything for name in names(each)], n=5, cutoff=0.5)
    raise NotFound(
        f"no {kind} is called {word!r}",
        hint=f"did you mean {' or '.join(repr(name) for name in dict.fromkeys(close))}?"
        if close
        else f"oncallctl {kind.replace(' ', '-')}s list",
    )


def _candidate(found: ServerObject, name: str, oncall: OnCall) -> str:
    """An id with its name and team, so that a person can tell the candidates apart."""
    team_id = getattr(found, "team_id", None)
    if isinstance(found, Team | User):
        return f"{found.id} ({name})"
    if team_id is None:
        return f"{found.id} ({name}, no team)"
    try:
        team_name = next((each.name for each in oncall.teams.everything() if each.id == team_id), team_id)
    except OncallError:  # the ambiguity is what is to be said
        team_name = team_id
    return f"{found.id} ({name}, team {team_name})"
