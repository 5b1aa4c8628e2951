"""A line of every command of the program, and what each fault makes of it: the exit codes of README.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

# Of the sandbox's sample data.
SERVICE = "C5BPMMTY9FMXJ"
TEAM, USER = "TKPSLLWBFUI9R", "U6YF83T9HEFKQ"
FIRING, ACKNOWLEDGED, RESOLVED, SILENCED = "IWM9M5WQXRBEN", "ITZS8C3IAPIQD", "IXVZICTNDV9PQ", "ISHJTMEUMF6E6"
SCHEDULE, ROUTE, CHAIN = "SN1XIG9SHWR2U", "RMRXVRQ1RJMKS", "F3VV9WSX4RBEK"


class Kind(Enum):
    """What happens to a request; one of each kind."""

    REFUSED = "the connection is refused"
    BEFORE = "the connection is lost before anything is done"
    AFTER = "the connection is lost after it was done"
    FORBIDDEN = "a status refuses it"
    DOWN = "a gateway answers for the server"
    NONSENSE = "a login page is the answer"


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
# A create or a page: what was sent and not answered may have been done.
SENT = Codes(refused=8, before=9, after=9, forbidden=3, down=9, nonsense=9)
# What reading back settles.
SETTLED = Codes(refused=8, before=9, after=0, forbidden=3, down=9, nonsense=9)
# It warns, and goes on without.
NO_MATTER = Codes(0, 0, 0, 0, 0, 0)
# A page goes out although it cannot be checked whom it reaches; but not to a server that accepts nothing.
CHECK = Codes(refused=8, before=0, after=0, forbidden=0, down=0, nonsense=0)
NOT_OPENED = Codes(125, 125, 125, 125, 125, 125)
RUN = Codes(refused=125, before=125, after=0, forbidden=125, down=125, nonsense=125)


@dataclass(frozen=True)
class Line:
    """A command line.

    Attributes:
        rest: what follows the words of the command; `{windows}`, `{token}` and `{url}` are filled in.
        reads: the exit codes when reads meet a fault; None where nothing is read.
        changes: the same for changes.
        success: the exit code without faults.
        path: of the change, which may arrive once.
        window: whether a window is open on the integration before.
        orphaned: whether it is one that a run left behind.
        shows_secrets: whether json and jsonl show what lets anyone raise alerts.
        shows_token: whether it is what prints the token.
    """

    rest: str = ""
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


LINES: dict[str, Line] = {
    "integrations list": Line(shows_secrets=True),
    "integrations get": Line(SERVICE, shows_secrets=True),
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
    "maintenance stop": Line(SERVICE, changes=SETTLED, path="maintenance_stop", window=True),
    "maintenance status": Line(SERVICE, window=True),
    "maintenance run": Line(f"{SERVICE} --for 1h -- true", reads=NOT_OPENED, changes=RUN, path="maintenance_"),
    "teams who-is-on-call": Line(TEAM),
    "teams next": Line(TEAM),
    "teams previous": Line(TEAM),
    "teams rota": Line(TEAM),
    "teams gaps": Line(TEAM),
    "teams handoff": Line(TEAM),
    "teams list": Line(),
    "teams get": Line(TEAM),
    "users list": Line(),
    "users get": Line(USER),
    "users whoami": Line(),
    "alert-groups list": Line(),
    "alert-groups get": Line(FIRING),
    "alert-groups alerts": Line(FIRING),
    "alert-groups acknowledge": Line(FIRING, changes=SETTLED, path="acknowledge/"),
    "alert-groups unacknowledge": Line(ACKNOWLEDGED, changes=SETTLED, path="unacknowledge/"),
    "alert-groups resolve": Line(f"{FIRING} --yes", changes=SETTLED, path="resolve/"),
    "alert-groups unresolve": Line(RESOLVED, changes=SETTLED, path="unresolve/"),
    "alert-groups silence": Line(f"{FIRING} --for 1h", changes=SETTLED, path="silence/"),
    "alert-groups unsilence": Line(SILENCED, changes=SETTLED, path="unsilence/"),
    "alert-groups note": Line(f"{FIRING} --text seen", changes=SETTLED, path="resolution_notes/"),
    "schedules list": Line(),
    "schedules get": Line(SCHEDULE),
    "schedules shifts": Line(SCHEDULE),
    "routes list": Line(),
    "routes get": Line(ROUTE),
    "escalation-chains list": Line(),
    "escalation-chains get": Line(CHAIN),
    "auth login": Line("work --url {url} --token-file {token}"),
    "auth status": Line(),
    "auth list": local(),
    "auth switch": local("other"),
    "auth logout": local("other"),
    "auth token": local(shows_token=True),
    "sandbox reset": local(),
    "api": Line(
        f"POST integrations/{SERVICE}/maintenance_start --field mode=silence_escalations --field duration=60",
        reads=None,
        changes=SENT,
        path="maintenance_start",
    ),
    "doctor": Line(),
    "escalate": Line(f"--team {TEAM} --title fire", reads=CHECK, changes=SENT, path="escalation/"),
    "completion": local("bash"),
}

# What has no line, and why.
ASIDE = {"sandbox serve": "it asks no server, and goes on until it is stopped: tests/system starts it"}


def windows(at: datetime) -> str:
    """A file with a window that began ten minutes ago."""
    begun = (at.astimezone(UTC) - timedelta(minutes=10)).replace(microsecond=0, tzinfo=None)
    return (
        f'[[window]]\nname = "nightly"\nintegrations = ["{SERVICE}"]\nat = {begun.isoformat()}\n'
        'timezone = "UTC"\nduration = "2h"\n'
    )
