"""Teams and users to choose a recipient from."""

from __future__ import annotations

from dataclasses import dataclass

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.noun import Noun
from oncallctl.api.nouns import TEAMS, USERS


@dataclass(frozen=True)
class Candidate:
    """A team or a user.

    Attributes:
        noun: `TEAMS` or `USERS`.
        email: the address of a user, or None.
    """

    noun: Noun
    named: Named
    email: str | None = None

    def __str__(self) -> str:
        return f"{self.noun.singular} {self.named.name}" + (f", {self.email}" if self.email else "")

    @property
    def names(self) -> tuple[str, ...]:
        """The texts by which it can be found."""
        return tuple(text for text in (self.named.name, self.email) if text)


def candidates(oncall: OnCall, *, with_teams: bool) -> list[Candidate]:
    """Return all users, after all teams if `with_teams` is True."""
    teams, users = parallel.together(lambda: oncall.teams.everything() if with_teams else [], oncall.users.everything)
    return [
        *(Candidate(TEAMS, Named(team.id, team.name)) for team in teams),
        *(Candidate(USERS, Named(user.id, user.username), user.email) for user in users),
    ]
