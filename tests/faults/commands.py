"""Command lines of every command, and their exit codes for each kind of fault."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

from oncallctl.api import nouns

# Objects of the sample data.
SERVICE = "C5BPMMTY9FMXJ"
TEAM, USER, OTHER_USER = "TKPSLLWBFUI9R", "U6YF83T9HEFKQ", "U85BI7ASG8K6E"
FIRING, ACKNOWLEDGED, RESOLVED, SILENCED = "IWM9M5WQXRBEN", "ITZS8C3IAPIQD", "IXVZICTNDV9PQ", "ISHJTMEUMF6E6"
SCHEDULE, ROUTE, CHAIN = "SN1XIG9SHWR2U", "RMRXVRQ1RJMKS", "F3VV9WSX4RBEK"

# The ID of an object of each noun. It is declared as `sample`, except for nouns whose sample is a name.
SAMPLES = {noun: noun.sample for noun in nouns.NOUNS} | {
    nouns.INTEGRATIONS: SERVICE,
    nouns.TEAMS: TEAM,
    nouns.USERS: USER,
    nouns.SCHEDULES: SCHEDULE,
    nouns.ON_CALL_SHIFTS: "OF7HSTWMFMK3I",  # not of a web schedule, whose shifts are ended rather than deleted
    nouns.ESCALATION_CHAINS: CHAIN,
    nouns.WEBHOOKS: "WH84KLFXI6ZKAD",
    nouns.USER_GROUPS: "G8QXCG9PWH6QS",
    nouns.SLACK_CHANNELS: "C0LAB000",
}

# Fields of a new object and of an update, for nouns with the generic `create` and `update`. They are declared as
# `sample_create` and `sample_update`, except for nouns whose example copies an object.
BODIES: dict[nouns.Noun, tuple[dict[str, Any], dict[str, Any]]] = {
    noun: (json.loads(noun.sample_create), json.loads(noun.sample_update))
    for noun in nouns.NOUNS
    if noun.sample_create and noun.sample_update
} | {
    nouns.ON_CALL_SHIFTS: (
        {"name": "new", "type": "single_event", "start": "2030-01-01T00:00:00", "duration": 3600, "users": [USER]},
        {"duration": 7200},
    ),
    nouns.ROUTES: ({"integration_id": SERVICE, "routing_regex": "x", "escalation_chain_id": CHAIN}, {"position": 0}),
    nouns.ESCALATION_POLICIES: ({"escalation_chain_id": CHAIN, "type": "resolve"}, {"type": "resolve"}),
    nouns.PERSONAL_NOTIFICATION_RULES: ({"user_id": USER, "type": "notify_by_sms"}, {"type": "notify_by_email"}),
}


class Kind(Enum):
    """Kind of fault."""

    REFUSED = "the connection is refused"
    BEFORE = "the connection is lost before the request is carried out"
    AFTER = "the connection is lost after the request was carried out"
    FORBIDDEN = "the server responds 403"
    DOWN = "a gateway responds 503"
    NONSENSE = "the response is a login page"


@dataclass(frozen=True)
class Codes:
    """Exit codes by kind of fault."""

    refused: int
    before: int
    after: int
    forbidden: int
    down: int
    nonsense: int

    def of(self, kind: Kind) -> int:
        return int(getattr(self, kind.name.lower()))


READ = Codes(refused=8, before=8, after=8, forbidden=3, down=8, nonsense=8)
# A create or a page: without a response it may have been carried out.
SENT = Codes(refused=8, before=9, after=9, forbidden=3, down=9, nonsense=9)
# A change whose outcome can be read back.
SETTLED = Codes(refused=8, before=9, after=0, forbidden=3, down=9, nonsense=9)
# Reads whose failure is only a warning.
NO_MATTER = Codes(0, 0, 0, 0, 0, 0)
# Reads before a page: the page is sent although they fail, except if the server refuses connections.
CHECK = Codes(refused=8, before=0, after=0, forbidden=0, down=0, nonsense=0)
NOT_STARTED = Codes(125, 125, 125, 125, 125, 125)
RUN = Codes(refused=125, before=125, after=0, forbidden=125, down=125, nonsense=125)


@dataclass(frozen=True)
class Line:
    """A command line.

    Attributes:
        rest: arguments; `{windows}`, `{token}`, `{url}` and `{body}` are replaced.
        body: JSON object in the file `{body}`.
        reads: exit codes for faults of reads; None if the command reads nothing.
        changes: exit codes for faults of changes; None if the command changes nothing.
        success: exit code without faults.
        path: part of the path of the change, which may arrive once.
        window: True if the integration needs an open window.
        orphaned: True if that window belongs to a killed run.
        shows_secrets: True if json and jsonl show links that let anyone raise alerts.
        shows_token: True if the command prints the token.
    """

    rest: str = ""
    body: dict[str, Any] | None = None
    reads: Codes | None = READ
    changes: Codes | None = None
    success: int = 0
    path: str = ""
    window: bool = False
    orphaned: bool = False
    shows_secrets: bool = False
    shows_token: bool = False


def local(rest: str = "", **more: Any) -> Line:
    return Line(rest, reads=None, **more)


def of_noun(noun: nouns.Noun) -> dict[str, Line]:
    """Return the lines of the generic commands of a noun."""
    sample, secrets = SAMPLES[noun], noun is nouns.INTEGRATIONS
    found = {"list": Line(shows_secrets=secrets), "get": Line(sample, shows_secrets=secrets)}
    if noun in BODIES:
        new, changed = BODIES[noun]
        found |= {
            "create": Line("--file {body}", new, reads=None, changes=SENT, path=f"{noun.path}/"),
            "update": Line(f"{sample} --file {{body}}", changed, reads=None, changes=SENT, path=f"{noun.path}/"),
            "delete": Line(f"{sample} --yes", changes=SETTLED, path=f"{noun.path}/"),
        }
    return {f"{noun.name} {verb}": line for verb, line in found.items()}


LINES: dict[str, Line] = {
    **{name: line for noun in nouns.NOUNS for name, line in of_noun(noun).items()},
    "integrations types": Line(),
    "integrations create": Line(
        "--type webhook --name new", reads=None, changes=SENT, path="integrations/", shows_secrets=True
    ),
    "integrations update": Line(
        f"{SERVICE} --name other", changes=SENT, path=f"integrations/{SERVICE}/", shows_secrets=True
    ),
    "integrations delete": Line(f"{SERVICE} --yes", changes=SETTLED, path=f"integrations/{SERVICE}/"),
    "maintenance debrief": Line(SERVICE, window=True),
    "maintenance export": local("{windows} --to cron", success=2),
    "maintenance check": local("{windows}"),
    "maintenance plan": Line("{windows} --days 1", reads=NO_MATTER),
    "maintenance apply": Line("{windows}", changes=SETTLED, path="maintenance_start"),
    "maintenance history": local(),
    "maintenance orphans": Line(window=True, orphaned=True),
    "maintenance start": Line(f"{SERVICE} --for 1h", changes=SETTLED, path="maintenance_start"),
    "maintenance extend": Line(f"{SERVICE} --by 1h", changes=SETTLED, path="maintenance_start", window=True),
    "maintenance stop": Line(SERVICE, changes=SETTLED, path="maintenance_stop", window=True),
    "maintenance status": Line(SERVICE, window=True),
    "maintenance run": Line(f"{SERVICE} --for 1h -- true", reads=NOT_STARTED, changes=RUN, path="maintenance_"),
    "teams who-is-on-call": Line(TEAM),
    "teams next": Line(TEAM),
    "teams previous": Line(TEAM),
    "teams rota": Line(TEAM),
    "teams gaps": Line(TEAM),
    "teams handoff": Line(TEAM),
    "users whoami": Line(),
    "users shifts": Line(USER),
    "alert-groups alerts": Line(FIRING),
    "alert-groups acknowledge": Line(FIRING, changes=SETTLED, path="acknowledge/"),
    "alert-groups unacknowledge": Line(ACKNOWLEDGED, changes=SETTLED, path="unacknowledge/"),
    "alert-groups resolve": Line(f"{FIRING} --yes", changes=SETTLED, path="resolve/"),
    "alert-groups unresolve": Line(RESOLVED, changes=SETTLED, path="unresolve/"),
    "alert-groups silence": Line(f"{FIRING} --for 1h", changes=SETTLED, path="silence/"),
    "alert-groups unsilence": Line(SILENCED, changes=SETTLED, path="unsilence/"),
    "alert-groups note": Line(f"{FIRING} --text seen", changes=SETTLED, path="resolution_notes/"),
    "schedules shifts": Line(SCHEDULE),
    "shift-swaps request": Line(
        f"{USER} --schedule {SCHEDULE} --from +10d --for 2d --yes", changes=SETTLED, path="shift_swaps/"
    ),
    "shift-swaps take": Line(f"{SAMPLES[nouns.SHIFT_SWAPS]} --by {OTHER_USER} --yes", changes=SETTLED, path="/take/"),
    "shift-swaps delete": Line(f"{SAMPLES[nouns.SHIFT_SWAPS]} --yes", changes=SETTLED, path="shift_swaps/"),
    "auth login": Line("work --url {url} --token-file {token}"),
    "auth status": Line(),
    "auth list": local(),
    "auth switch": local("other"),
    "auth logout": local("other"),
    "auth token": local(shows_token=True),
    "sandbox reset": local(),
    "config path": local(),
    "config list": local(),
    "config get": local("profiles.other.url"),
    "config set": local("profiles.other.timeout 5"),
    "config unset": local("default_profile"),
    "api": Line(
        f"POST integrations/{SERVICE}/maintenance_start --field mode=silence_escalations --field duration=60",
        reads=None,
        changes=SENT,
        path="maintenance_start",
    ),
    "doctor": Line(),
    "cover": Line(
        f"{USER} --by {OTHER_USER} --schedule {SCHEDULE} --from +10d --for 2d --yes",
        changes=SETTLED,
        path="shift_swaps/",
    ),
    "escalate": Line(f"--team {TEAM} --title fire", reads=CHECK, changes=SENT, path="escalation/"),
    "completion": local("bash"),
    "commands": local(),
    "help": local("exit-codes"),
}

# Commands without a line -> reason.
ASIDE = {"sandbox serve": "it runs until it is stopped; tests/system starts it"}


def windows(at: datetime) -> str:
    """Return a file with a window that started ten minutes ago."""
    begun = (at.astimezone(UTC) - timedelta(minutes=10)).replace(microsecond=0, tzinfo=None)
    return (
        f'[[window]]\nname = "nightly"\nintegrations = ["{SERVICE}"]\nat = {begun.isoformat()}\n'
        'timezone = "UTC"\nduration = "2h"\n'
    )
