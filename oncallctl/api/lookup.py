"""From the name that a user types to the object on the server."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import ESCALATION_CHAINS, INTEGRATIONS, TEAMS
from oncallctl.api.resources.base import ServerObject, TeamFilter
from oncallctl.api.resources.integrations import Integration
from oncallctl.errors import Ambiguous, InvalidInput, NotFound, OncallError

# A prefix letter and at least 12 of A-Z and 1-9.
_LIKE_AN_ID = re.compile(r"[A-Z][A-Z1-9]{12,}")
_ANY_ID = re.compile(r"[A-Za-z0-9_-]+")  # characters that are safe in a path
_SHOWN = 10  # candidates in an error message

NO_TEAM = "none"


@dataclass(frozen=True)
class Named:
    """An object given on the command line; `name` is None if it was given by ID, because IDs are not looked up."""

    id: str
    name: str | None

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def split(text: str) -> tuple[str, bool]:
    """Parse ``id:X`` and ``name:X``; without a prefix, a text that looks like an ID is an ID.

    Returns:
        The ID or name, and True if it is an ID.

    Raises:
        InvalidInput: the text is empty, or ``id:`` is followed by something else than an ID.
    """
    prefix, found, rest = text.partition(":")
    forced = prefix if found and prefix in {"id", "name"} else None
    word = rest if forced else text
    if not word.strip():
        raise InvalidInput("an empty name", hint="give a name or an id")
    if forced == "id" and not _ANY_ID.fullmatch(word):
        raise InvalidInput(f"not an id: {word!r}", hint="write name:… for a name that starts with id:")
    return word, forced == "id" or (forced is None and _LIKE_AN_ID.fullmatch(word) is not None)


def named(oncall: OnCall, noun: Noun, text: str) -> Named:
    """Find an object by name or ID; an ID is not looked up.

    Raises:
        NotFound: no object has the name.
        Ambiguous: several objects have the name.
    """
    word, is_id = split(text)
    if noun.title is None and not is_id:
        word, is_id = _without_prefix(noun, text), True
    if is_id and noun.has_get:
        return Named(word, None)
    found = _by_name(oncall, noun, word, text)
    return Named(found.id, next(iter(noun.names_of(found.raw)), None))


def find(oncall: OnCall, noun: Noun, text: str) -> Any:  # noqa: ANN401  # the model depends on the noun
    """Fetch an object by name or ID.

    Raises:
        NotFound: there is no such object.
        Ambiguous: several objects have the name.
    """
    word, is_id = split(text)
    if noun.has_name_filter and not is_id:
        return _by_name(oncall, noun, word, text)
    if not noun.has_get:
        return _by_name(oncall, noun, word, text)
    return oncall.collection(noun).get(named(oncall, noun, text).id)


def several(oncall: OnCall, noun: Noun, texts: Sequence[str]) -> list[Any]:
    """Fetch several objects in parallel, each text only once."""
    distinct = list(dict.fromkeys(texts))
    found = dict(zip(distinct, parallel.in_order(lambda text: find(oncall, noun, text), distinct), strict=True))
    return [found[text] for text in texts]


def integration(oncall: OnCall, text: str) -> Integration:
    """Fetch an integration by name or ID.

    Raises:
        NotFound: there is no such integration.
        Ambiguous: several have the name, which is unique within a team only.
    """
    found: Integration = find(oncall, INTEGRATIONS, text)
    return found


def integrations(oncall: OnCall, texts: Sequence[str]) -> list[Integration]:
    """Fetch several integrations in parallel."""
    return several(oncall, INTEGRATIONS, texts)


def teams(oncall: OnCall, texts: Sequence[str] | None) -> list[Named]:
    """Find the named teams, each once; without names, all teams."""
    if texts:
        return list({found.id: found for found in (named(oncall, TEAMS, text) for text in texts)}.values())
    return [Named(each.id, each.name) for each in oncall.teams.everything()]


def team_or_none(oncall: OnCall, text: str | None, field: str = "team_id") -> TeamFilter | None:
    """Find the team that `--team` names; ``none`` means no team. The server has to check an ID.

    Raises:
        NotFound, Ambiguous: the team.
    """
    if text is None:
        return None
    return TeamFilter(None if text == NO_TEAM else named(oncall, TEAMS, text).id, field)


def team_filter(oncall: OnCall, text: str | None, field: str = "team_id") -> TeamFilter | None:
    """Find the team that `--team` filters a list by, and check an ID.

    The result for a team that does not exist would look like that for a team without members.

    Raises:
        NotFound, Ambiguous: the team.
    """
    chosen = team_or_none(oncall, text, field)
    if text and chosen and chosen.id and split(text)[1]:
        oncall.teams.get(chosen.id)
    return chosen


def existing_chain(oncall: OnCall, text: str) -> Named:
    """Find an escalation chain by name or ID, and check the ID.

    A self-hosted engine refuses an unknown chain only after it has created the integration (integrations recordings).

    Raises:
        NotFound, Ambiguous: the chain.
    """
    found = named(oncall, ESCALATION_CHAINS, text)
    if found.name is None:
        oncall.escalation_chains.get(found.id)
    return found


def _without_prefix(noun: Noun, text: str) -> str:
    """Return the ID of an object that has no name."""
    if text.startswith("name:") or not _ANY_ID.fullmatch(text):
        raise InvalidInput(
            f"not an id: {text!r}", hint=f"{noun.plural} are identified by ID; list them: oncallctl {noun.name} list"
        )
    return text


def _by_name(oncall: OnCall, noun: Noun, word: str, text: str) -> Any:  # noqa: ANN401
    """Take an object with this name, or, if the API cannot fetch it, with this ID, from a list."""
    collection = oncall.collection(noun)
    if noun.has_name_filter:
        exact = [found for found in collection.list(name=word) if word in noun.names_of(found.raw)]
        return _pick(oncall, noun, word, exact or collection.everything())
    everything = collection.everything()
    if not noun.has_get and not text.startswith("name:"):
        for each in everything:
            if each.id == word:
                return each
    return _pick(oncall, noun, word, everything)


def _pick(oncall: OnCall, noun: Noun, word: str, candidates: Iterable[ServerObject]) -> ServerObject:
    """Choose the one object that has the name: exactly, else case-insensitively."""
    known = [(each, noun.names_of(each.raw)) for each in candidates]
    matches = [each for each, names in known if word in names]
    if not matches:
        folded = word.casefold()
        matches = [each for each, names in known if folded in (name.casefold() for name in names)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = [_candidate(oncall, noun, each) for each in matches[:_SHOWN]]
        more = f" and {len(matches) - _SHOWN} more" if len(matches) > _SHOWN else ""
        raise Ambiguous(
            f"{len(matches)} {noun.plural} are called {word!r}", hint=f"use an id: {'; '.join(shown)}{more}"
        )
    close = difflib.get_close_matches(word, [name for _, names in known for name in names], n=5, cutoff=0.5)
    raise NotFound(
        f"no {noun.singular} is called {word!r}",
        hint=f"did you mean {' or '.join(repr(name) for name in dict.fromkeys(close))}?"
        if close
        else f"oncallctl {noun.name} list",
    )


def _candidate(oncall: OnCall, noun: Noun, found: ServerObject) -> str:
    """Return an ID with its name and team, so that users can tell the candidates apart."""
    name = next(iter(noun.names_of(found.raw)), "")
    if not noun.team_field:
        return f"{found.id} ({name})"
    team_id = found.raw.get(noun.team_field)
    if team_id is None:
        return f"{found.id} ({name}, no team)"
    try:
        team_name = next((each.name for each in oncall.teams.everything() if each.id == team_id), team_id)
    except OncallError:  # the ambiguity is the error to report
        team_name = team_id
    return f"{found.id} ({name}, team {team_name})"
