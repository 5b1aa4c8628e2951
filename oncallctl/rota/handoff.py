"""Handoff of a team: who takes over, when, and which alert groups are still open."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from oncallctl import parallel
from oncallctl.api.client import OnCall
from oncallctl.api.lookup import Named
from oncallctl.api.resources.alert_groups import AlertGroup
from oncallctl.rota import team_rota
from oncallctl.rota.handovers import Handover, handovers
from oncallctl.rota.shifts import Rota
from oncallctl.rota.team_rota import TeamRota
from oncallctl.spans import Span
from oncallctl.text import caption
from oncallctl.times import relative, span

AHEAD = timedelta(days=14)
OPEN_STATES = ("new", "acknowledged", "silenced")

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+!|~@])")
_LIST = re.compile(r"^(\d*)([-.])")  # a name such as "1. api" would start a list
_ADDRESS = re.compile(r"://|\bwww\.|\bmailto:|[^\W_]\.[^\W\d_]{2,}", re.IGNORECASE)
_LINK = re.compile(r"https?://[\w:/.?=&%#~+,;-]+")


@dataclass(frozen=True)
class Handoff:
    """Handoff of one team.

    Attributes:
        at: the time of the handoff.
        rotas: the schedules of the team, from that time on.
        open: the team's alert groups that are not resolved, newest first.
    """

    team: Named
    at: datetime
    rotas: tuple[Rota, ...]
    open: tuple[AlertGroup, ...]

    def document(self) -> dict[str, Any]:
        """Return the JSON document: `team`, `at`, `handovers` (one per schedule) and `open`."""
        return {
            "team": {"id": self.team.id, "name": self.team.name},
            "at": self.at.isoformat(),
            "handovers": [self._handover(rota) for rota in self.rotas],
            "open": [group.raw for group in self.open],
        }

    def _handover(self, rota: Rota) -> dict[str, Any]:
        """Return the next handover of a schedule. `at` is null if there is none in the next days."""

        def people(users: Sequence[str]) -> list[dict[str, str]]:
            return [{"id": user, "username": rota.usernames.get(user, user)} for user in users]

        following = _next(rota)
        leaving, taking_over = following.changed if following else ((), ())
        return {
            "schedule_id": rota.schedule.id,
            "schedule_name": rota.schedule.name,
            "on_call": people(self._on_call(rota)),
            "at": following.at.isoformat() if following else None,
            "leaving": people(leaving),
            "taking_over": people(taking_over),
        }

    def _on_call(self, rota: Rota) -> tuple[str, ...]:
        return tuple(
            dict.fromkeys(user for shift in rota.shifts if shift.span.start <= self.at for user in shift.users)
        )

    def markdown(self, tz: tzinfo | None) -> str:
        """Return Markdown to paste into a chat, with text from the server escaped."""
        return "\n".join(self._lines(tz)) + "\n"

    def _lines(self, tz: tzinfo | None) -> Iterator[str]:
        yield f"**On call: {_plain(self.team.name or self.team.id)}**"
        yield from (f"- {_plain(rota.schedule.name)}: {self._turn(rota, tz)}" for rota in self.rotas)
        if not self.rotas:
            yield "- no schedule"
        yield ""
        yield f"**Still open: {len(self.open) or 'nothing'}**"
        yield from (self._group(group) for group in self.open)

    def _turn(self, rota: Rota, tz: tzinfo | None) -> str:
        following = _next(rota)
        if following is None:
            return f"{_people(rota, self._on_call(rota))}, and no handover in {AHEAD.days} days"
        when = f"{following.at.astimezone(tz):%a %d %b %H:%M %Z}"
        change = following.named({user: _plain(name) for user, name in rota.usernames.items()})
        staying = [name for name in change.before if name in change.after and name not in change.changed[1]]
        stays = f" ({' + '.join(staying)} stays)" if staying else ""
        return f"{change.text}{stays}, {when} ({relative(following.at, at=self.at)})"

    def _group(self, group: AlertGroup) -> str:
        how_long = f", open for {span((self.at - group.created_at).total_seconds())}" if group.created_at else ""
        return f"- {_plain(group.state)}{how_long}: {_code(group.title or 'no title')} {_link(group)}"


def read(oncall: OnCall, team: Named, at: datetime) -> Handoff:
    """Fetch the rota and the open alert groups of a team concurrently."""
    rotas, *groups = parallel.together(
        lambda: team_rota.read(oncall, [team], Span(at, at + AHEAD)),
        *(lambda state=state: list(oncall.alert_groups.list(state=state, team_id=team.id)) for state in OPEN_STATES),
    )
    found: TeamRota = rotas[0]
    once = {group.id: group for each in groups for group in each}  # a group may change its state between two requests
    still_open = sorted(once.values(), key=lambda group: group.created_at or at)
    return Handoff(team, at, found.checked, tuple(reversed(still_open)))


def _next(rota: Rota) -> Handover | None:
    return next(handovers(rota), None)


def _people(rota: Rota, users: Sequence[str]) -> str:
    return " + ".join(_plain(rota.usernames.get(user, user)) for user in dict.fromkeys(users)) or "nobody"


def _plain(text: str) -> str:
    """Escape Markdown. Text with an address becomes code, since chats turn bare addresses into links."""
    if _ADDRESS.search(text):
        return _code(text.strip())
    return _LIST.sub(r"\1\\\2", _MARKDOWN.sub(r"\\\1", caption(text.strip())))


def _code(text: str) -> str:
    """Return text as inline code. Anybody can choose a title, and chats do not interpret code."""
    shown = caption(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", shown)), default=0) + 1)
    return f"{fence} {shown} {fence}" if "`" in shown else f"{fence}{shown}{fence}"


def _link(group: AlertGroup) -> str:
    links = group.raw.get("permalinks")
    web = links.get("web") if isinstance(links, dict) else None
    if isinstance(web, str) and _LINK.fullmatch(web):
        return f"[{group.id}]({web})"
    return _plain(group.id)
