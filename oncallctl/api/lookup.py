"""Lookup of objects by the name or ID on the command line."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import ESCALATION_CHAINS, INTEGRATIONS, TEAMS
from oncallctl.api.resources.base import Model, Resource, ServerObject, TeamFilter
from oncallctl.api.resources.users import User
from oncallctl.errors import Ambiguous, InvalidInput, NotFound, OncallError
from oncallctl.text import closest

# A prefix letter and at least 12 of A-Z and 1-9.
_LIKE_AN_ID = re.compile(r"[A-Z][A-Z1-9]{12,}")
_ANY_ID = re.compile(r"[A-Za-z0-9_-]+")  # characters that are safe in a path
_MOST_CANDIDATES = 10  # in an error message

NO_TEAM = "none"
ME = "me"


@dataclass(frozen=True)
class Named:
    """An object given on the command line; `name` is None if it was given by ID, because IDs are not looked up."""

    id: str
    name: str | None

    def __str__(self) -> str:
        return f"{self.name} ({self.id})" if self.name else self.id


def is_id(text: str) -> bool:
    """True if a text without a prefix looks like an ID."""
    return _LIKE_AN_ID.fullmatch(text) is not None


def split(text: str) -> tuple[str, bool]:
    """Parse ``id:X`` and ``name:X``; without a prefix, a text that looks like an ID is an ID.

    Returns:
        The text without its prefix, and True if it is an ID.

    Raises:
        InvalidInput: the text is empty, or ``id:`` is not followed by an ID.
    """
    prefix, colon, rest = text.partition(":")
    forced = prefix if colon and prefix in {"id", "name"} else None
    word = rest if forced else text
    if not word.strip():
        raise InvalidInput("the name is empty", hint="use a name or an ID")
    if forced == "id" and not _ANY_ID.fullmatch(word):
        raise InvalidInput(f"not an ID: {word!r}", hint="use name:… for a name that starts with id:")
    return word, forced == "id" or (forced is None and is_id(word))


def resolve(oncall: OnCall, noun: Noun, text: str) -> Named:
    """Resolve a name to an object. An ID is returned without a request.

    Raises:
        NotFound: no object has the name.
        Ambiguous: several objects have the name.
    """
    word, is_id = split(text)
    if noun.title is None and not is_id:
        word, is_id = _without_prefix(noun, text), True
    if is_id and noun.has_get:
        return Named(word, None)
    found = _by_name(oncall.collection(noun), word, text)
    return Named(found.id, next(iter(noun.names_of(found.raw)), None))


def find(collection: Resource[Model], text: str) -> Model:
    """Fetch an object by name or ID.

    Raises:
        NotFound: there is no such object.
        Ambiguous: several objects have the name.
    """
    noun = collection.noun
    word, is_id = split(text)
    if not noun.has_get or (noun.has_name_filter and not is_id):
        return _by_name(collection, word, text)
    return collection.get(resolve(collection.oncall, noun, text).id)


def several(collection: Resource[Model], texts: Sequence[str]) -> list[Model]:
    """Fetch several objects in parallel, each text only once."""
    distinct = list(dict.fromkeys(texts))
    found = dict(zip(distinct, parallel.in_order(lambda text: find(collection, text), distinct), strict=True))
    return [found[text] for text in texts]


def teams(oncall: OnCall, texts: Sequence[str] | None) -> list[Named]:
    """Find the named teams, each once; without names, all teams."""
    if texts:
        return list({found.id: found for found in (resolve(oncall, TEAMS, text) for text in texts)}.values())
    return [Named(each.id, each.name) for each in oncall.teams.everything()]


def users(oncall: OnCall, texts: Sequence[str]) -> list[User]:
    """Fetch users, each once. ``me`` is the token's user, and ``name:me`` a user with this name."""
    found = (oncall.users.current() if text == ME else find(oncall.users, text) for text in dict.fromkeys(texts))
    return list({user.id: user for user in found}.values())


def team_or_none(oncall: OnCall, text: str | None, field: str = "team_id") -> TeamFilter | None:
    """Find the team that `--team` names; ``none`` means no team. An ID is not checked.

    Raises:
        NotFound, Ambiguous: the team.
    """
    if text is None:
        return None
    return TeamFilter(None if text == NO_TEAM else resolve(oncall, TEAMS, text).id, field)


def team_filter(oncall: OnCall, text: str | None, field: str = "team_id") -> TeamFilter | None:
    """Find the team that `--team` filters a list by, and check that an ID exists.

    Otherwise a team that does not exist would look like a team without members.

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
    found = resolve(oncall, ESCALATION_CHAINS, text)
    if found.name is None:
        oncall.escalation_chains.get(found.id)
    return found


def _without_prefix(noun: Noun, text: str) -> str:
    """Return the ID of an object that has no name."""
    if text.startswith("name:") or not _ANY_ID.fullmatch(text):
        raise InvalidInput(
            f"not an ID: {text!r}", hint=f"{noun.plural} are identified by ID; list them: oncallctl {noun.name} list"
        )
    return text


def _by_name(collection: Resource[Model], word: str, text: str) -> Model:
    """Take an object with this name from the list; or with this ID, if the API cannot fetch single objects."""
    noun = collection.noun
    if noun.has_name_filter:
        exact = [each for each in collection.list(name=word) if word in noun.names_of(each.raw)]
        return _pick(collection, word, exact or collection.everything())
    everything = collection.everything()
    if not noun.has_get and not text.startswith("name:"):
        for each in everything:
            if each.id == word:
                return each
    if noun.title is None:
        raise NotFound(f"no {noun.singular} {word}", hint=f"oncallctl {noun.name} list")
    return _pick(collection, word, everything)


def _pick(collection: Resource[Model], word: str, candidates: Iterable[Model]) -> Model:
    """Choose the only object that has the name: exactly, else case-insensitively."""
    noun = collection.noun
    known = [(each, noun.names_of(each.raw)) for each in candidates]
    matches = [each for each, names in known if word in names]
    if not matches:
        folded = word.casefold()
        matches = [each for each, names in known if folded in (name.casefold() for name in names)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        shown = [_candidate(collection, each) for each in matches[:_MOST_CANDIDATES]]
        more = f" and {len(matches) - _MOST_CANDIDATES} more" if len(matches) > _MOST_CANDIDATES else ""
        raise Ambiguous(
            f"{len(matches)} {noun.plural} are called {word!r}", hint=f"use an ID: {'; '.join(shown)}{more}"
        )
    near = closest(word, (name for _, names in known for name in names), most=5)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"oncallctl {noun.name} list"
    if noun is INTEGRATIONS and ("*" in word or "?" in word):
        hint = f"a pattern needs --match: oncallctl integrations list --match {shlex.quote(word)}"
    raise NotFound(f"no {noun.singular} is called {word!r}", hint=hint)


def _candidate(collection: Resource[Model], found: ServerObject) -> str:
    """Return an ID with its name and team, so that users can tell the candidates apart."""
    oncall, noun = collection.oncall, collection.noun
    name = next(iter(noun.names_of(found.raw)), "")
    if not noun.team_field:
        return f"{found.id} ({name})"
    team_id = found.raw.get(noun.team_field)
    if team_id is None:
        return f"{found.id} ({name}, no team)"
    try:
        team_name = next((each.name for each in oncall.teams.everything() if each.id == team_id), team_id)
    except OncallError:  # report the ambiguity instead
        team_name = team_id
    return f"{found.id} ({name}, team {team_name})"
