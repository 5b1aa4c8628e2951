"""Command lines of every command for hostile texts, on the sample data of the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typer.main import get_command

from oncallctl.api import nouns
from oncallctl.cli import app
from tests.faults.commands import BODIES, OTHER_USER, SAMPLES

INTEGRATIONS = ("C5U5IZGQ48B4M", "C3VV5L7ASAXEA", "CS7XQN8RQ8HM8", "CZEUNZ9EZ57BS", "CCYZTYG6B5ABP", "C4NIHNA71U5SV")
FIRING = ("IJK85SL9H9WEU", "IKJTTR9H9R7RR", "IPUDPPD3K49JX", "IVXAIXC1YKIAI", "ILYEXZV76FWJ8", "INVFU3SJEAUIQ")
TEAM, USER, SCHEDULE, CHAIN, ROUTE = "TKPSLLWBFUI9R", "U6YF83T9HEFKQ", "SN1XIG9SHWR2U", "F3VV9WSX4RBEK", "RMRXVRQ1RJMKS"


@dataclass(frozen=True)
class Line:
    """Arguments of a command, in which ``{integration}``, ``{firing}`` and ``{file}`` are replaced.

    Attributes:
        unchanged: True if json has the server's objects unchanged except for secrets.
        shown: True if a table shows a text of the server.
        in_json: False if the only texts of the server are names of linked objects, which json lacks.
        before: command line to run first.
        status: exit status.
        body: content of `{file}`, with the same replacements; a file of windows by default.
    """

    words: str
    unchanged: bool = False
    shown: bool = True
    in_json: bool = True
    before: str = ""
    status: int = 0
    body: str = ""

    def filled(self, words: str, number: int, file: object) -> str:
        """Return the arguments of a run, with objects that the runs with other numbers do not use."""
        return words.format(integration=INTEGRATIONS[number], firing=FIRING[number], file=file)


ONLY_IDS = {nouns.ESCALATION_POLICIES, nouns.PERSONAL_NOTIFICATION_RULES}


def _of_noun(noun: nouns.Noun) -> dict[str, Line]:
    """Return the lines of `list` and `get`; `escalation-chains get` adds steps to the server's object."""
    shown = noun is not nouns.ORGANIZATIONS  # which has only an ID
    unchanged = noun is not nouns.ESCALATION_CHAINS
    texts = {"shown": shown, "in_json": noun not in ONLY_IDS}
    found = {"list": Line("", unchanged=True, **texts), "get": Line(SAMPLES[noun], unchanged=unchanged, **texts)}
    return {f"{noun.name} {verb}": line for verb, line in found.items()}


def _writes(noun: nouns.Noun) -> dict[str, Line]:
    sample, in_json = SAMPLES[noun], noun not in ONLY_IDS
    new, changed = (json.dumps(body).replace("{", "{{").replace("}", "}}") for body in BODIES[noun])
    if name := BODIES[noun][0].get("name"):
        new = new.replace(f'"{name}"', f'"{name}{{firing}}"')  # names are unique
    return {
        f"{noun.name} create": Line("--file {file}", unchanged=True, body=new, in_json=in_json),
        f"{noun.name} update": Line(f"{sample} --file {{file}}", unchanged=True, body=changed, in_json=in_json),
    }


READS = {
    **{name: line for noun in nouns.NOUNS for name, line in _of_noun(noun).items()},
    "integrations get": Line("C5U5IZGQ48B4M C3VV5L7ASAXEA", unchanged=True),
    "integrations types": Line("", shown=False),
    "maintenance status": Line("{integration}", before="maintenance start {integration} --for 30m"),
    "maintenance history": Line("", before="maintenance start {integration} --for 30m --reason 'disks'"),
    "maintenance debrief": Line("CP54J5XSSCRZE --since 7d"),
    "maintenance plan": Line("{file}"),
    "teams who-is-on-call": Line(TEAM),
    "teams next": Line(TEAM),
    "teams previous": Line(TEAM),
    "teams rota": Line(TEAM),
    "teams gaps": Line("TUNFSIER6R4P3"),
    "teams handoff": Line(TEAM),
    "users whoami": Line("", unchanged=True),
    "users shifts": Line(USER),
    "alert-groups alerts": Line(FIRING[0], unchanged=True),
    "schedules shifts": Line(SCHEDULE),
    "auth status": Line(""),
    "doctor": Line(""),
    "api": Line("GET integrations/C5U5IZGQ48B4M/", unchanged=True),
}
CHANGES = {
    **{name: line for noun in BODIES for name, line in _writes(noun).items()},
    "integrations create": Line("--type webhook --name new{firing}", unchanged=True),
    "integrations update": Line("{integration} --description x", unchanged=True),
    "integrations delete": Line("{integration} --yes"),
    "maintenance start": Line("{integration} --for 30m"),
    "maintenance extend": Line("{integration} --by 30m", before="maintenance start {integration} --for 30m"),
    "maintenance stop": Line("{integration}", before="maintenance start {integration} --for 30m"),
    "maintenance apply": Line("{file}"),
    "alert-groups acknowledge": Line("{firing}"),
    "alert-groups unacknowledge": Line("{firing}", before="alert-groups acknowledge {firing}"),
    "alert-groups resolve": Line("{firing}"),
    "alert-groups unresolve": Line("{firing}", before="alert-groups resolve {firing}"),
    "alert-groups silence": Line("{firing} --for 1h"),
    "alert-groups unsilence": Line("{firing}", before="alert-groups silence {firing} --for 1h"),
    # The response and reading back show another text than the one that was sent.
    "alert-groups note": Line("{firing} --text looked", status=9),
    "cover": Line(f"{USER} --by {OTHER_USER} --schedule {SCHEDULE} --from +10d --for 2d --yes", status=9),
    "shift-swaps request": Line(f"{USER} --schedule {SCHEDULE} --from +10d --for 2d --yes", status=9),
    "escalate": Line(f"--user {USER} --title t{{firing}}", unchanged=True),
}
ELSEWHERE = {
    **{f"{noun.name} delete": "reports like `integrations delete`" for noun in (*BODIES, nouns.SHIFT_SWAPS)},
    "auth list": "profiles are this machine's",
    "auth login": "says nothing of the server but its address",
    "auth logout": "profiles are this machine's",
    "auth switch": "profiles are this machine's",
    "auth token": "prints the token",
    "commands": "prints the command tree",
    "completion": "prints a script",
    **{f"config {verb}": "the configuration is of this machine" for verb in ("path", "list", "get", "set", "unset")},
    "help": "prints help",
    "maintenance check": "needs no server",
    "maintenance export": "needs no server",
    "maintenance orphans": "looks at this machine",
    "maintenance run": "its stdout is that of the command it runs",
    "shift-swaps take": "reports like `shift-swaps request`",
    "sandbox reset": "has nothing to say",
    "sandbox serve": "is the server",
}


def leaves() -> Iterator[str]:
    """Yield every command."""
    yield from _below(get_command(app))


def _below(command: Any, *path: str) -> Iterator[str]:
    below = getattr(command, "commands", None)
    if below is None:
        yield " ".join(path)
    else:
        for name in below:
            yield from _below(below[name], *path, name)
