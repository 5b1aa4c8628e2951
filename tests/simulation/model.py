"""Model of the environment of `maintenance apply`: a server, hosts with their own clocks, and faults."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from oncallctl import parallel, times
from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.clock import ServerClock
from oncallctl.api.problems import error_from_response
from oncallctl.api.transport import Response
from oncallctl.config.profiles import Profile
from oncallctl.errors import OutcomeUnknown, Unavailable
from oncallctl.maintenance.journal import Entry, Journal

if TYPE_CHECKING:
    from collections.abc import Iterator

PLACE = Profile("prod", "https://oncall.example.org")
NEVER = datetime.min.replace(tzinfo=UTC)


class Killed(BaseException):
    """`kill -9`: the program ends at once."""


@dataclass
class Window:
    """A window on the server.

    Attributes:
        actor: who started it, for example ("apply", "host A").
        ended: time and actor of its end; the actor is ("expiry",) if it expired.
        swept_late: True if a restart lost the task that closes it, so that the hourly sweep closes it.
    """

    integration: str
    mode: str
    start: datetime
    end: datetime
    actor: tuple[str, ...]
    ended: tuple[datetime, tuple[str, ...]] | None = None
    swept_late: bool = False


@dataclass
class World:
    """The true time, and a self-hosted server.

    Attributes:
        history: all windows, ordered by start.
        down_until: time until which the server does not respond.
    """

    now: datetime
    integrations: tuple[str, ...]
    chance: random.Random
    history: list[Window] = field(default_factory=list)
    active: dict[str, Window] = field(default_factory=dict)
    down_until: datetime = NEVER
    late: list[tuple[datetime, Callable[[], None]]] = field(default_factory=list)

    def pass_(self, seconds: float) -> None:
        """Advance the time by seconds."""
        self.advance(self.now + timedelta(seconds=seconds))

    def advance(self, moment: datetime) -> None:
        """Advance the time to a moment, unless it is past: windows expire, and delayed requests are carried out."""
        for due, carry_out in sorted(self.late, key=lambda each: each[0]):
            if due <= moment:
                self.now = max(self.now, due)
                self._expire()
                carry_out()
        self.late = [each for each in self.late if each[0] > moment]
        self.now = max(self.now, moment)
        self._expire()

    def restart(self, downtime: timedelta) -> None:
        """Restart the server. It loses the tasks that close windows, so the hourly sweep (at :05) closes them."""
        self.down_until = self.now + downtime
        for window in self.active.values():
            window.swept_late = True

    def start(self, ident: str, mode: str, seconds: int, actor: tuple[str, ...]) -> bool:
        """Start a window; return False if the integration has one, including an overdue one."""
        if ident in self.active:
            return False
        window = Window(ident, mode, self.now, self.now + timedelta(seconds=seconds), actor)
        self.active[ident] = window
        self.history.append(window)
        return True

    def stop(self, ident: str, actor: tuple[str, ...]) -> None:
        """Stop the window, if there is one."""
        if window := self.active.pop(ident, None):
            window.ended = self.now, actor

    def document(self, ident: str) -> dict[str, Any]:
        """Return the integration as JSON of the API."""
        window = self.active.get(ident)
        return {
            "id": ident,
            "name": f"service {ident[1]}",
            "type": "webhook",
            "maintenance_mode": window.mode if window else None,
            "maintenance_started_at": _iso(window.start) if window else None,
            "maintenance_end_at": _iso(window.end) if window else None,
        }

    def _expire(self) -> None:
        for ident, window in list(self.active.items()):
            swept = window.end.replace(minute=5, second=0, microsecond=0)
            swept += timedelta(hours=1) if swept < window.end else timedelta()
            over = swept if window.swept_late else window.end
            if over <= self.now >= self.down_until:
                window.ended = over, ("expiry",)
                del self.active[ident]


def _iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


# Faults of changes, per thousand changes.
FAULTS = {
    "killed before": 30,
    "killed after": 30,
    "killed, carried out late": 10,
    "lost before": 30,
    "lost after": 30,
    "refused": 10,
    "500 before": 20,
    "504, carried out late": 20,
    "somebody was quicker": 20,
}


@dataclass
class Wire:
    """A host's connection to the server; replaces the transport.

    Attributes:
        actor: sender of the requests.
        counts: number of occurrences of each fault.
    """

    world: World
    host: Host
    actor: tuple[str, ...]
    counts: dict[str, int]
    patient: bool = True

    def __post_init__(self) -> None:
        self.clock = ServerClock(lambda _: None)

    def read(self, path: str, params: object = None) -> Response:
        """Respond to `GET integrations/ID/`."""
        sent = self.host.now()
        self.world.pass_(self.world.chance.uniform(0.02, 0.4))
        if self.world.now < self.world.down_until:
            self.world.pass_(self.world.chance.choice([0, 0, 20]))
            raise Unavailable("no answer")
        self._observe(sent)
        return Response(200, self.world.document(path.split("/")[1]))

    def change(self, method: str, path: str, body: Any = None) -> Response:
        """Carry out `POST integrations/ID/maintenance_start|stop`, or play a fault."""
        world, chance = self.world, self.world.chance
        _, ident, verb = path.strip("/").split("/")
        content = body() if callable(body) else body
        fault = self._fault()
        sent = self.host.now()
        if world.now < world.down_until or fault == "refused":
            raise Unavailable("cannot reach the server")
        if fault == "killed before":
            raise Killed
        world.pass_(chance.uniform(0.02, 0.4))
        if fault == "lost before":
            raise OutcomeUnknown("the response was lost")
        if fault == "500 before":
            raise OutcomeUnknown("database is locked", http_status=500)
        if fault == "somebody was quicker" and verb == "maintenance_start":
            world.start(ident, content["mode"], content["duration"], (self.actor[0], "another host"))
        if fault in {"504, carried out late", "killed, carried out late"}:
            due = world.now + timedelta(seconds=chance.uniform(1, 20))
            world.late.append((due, lambda: self._carry_out(ident, verb, content) and None))
            raise Killed if "killed" in fault else OutcomeUnknown("gateway timeout", http_status=504)
        done = self._carry_out(ident, verb, content)
        if fault == "killed after":
            raise Killed
        if fault == "lost after":
            raise OutcomeUnknown("the response was lost")
        self._observe(sent)
        if not done:
            detail = json.dumps({"detail": "Already on maintenance"}).encode()
            raise error_from_response(400, "application/json", detail, request=f"{method} {path}")
        return Response(200, world.document(ident))

    def _carry_out(self, ident: str, verb: str, content: Any) -> bool:
        if verb == "maintenance_stop":
            self.world.stop(ident, self.actor)
            return True
        return self.world.start(ident, content["mode"], content["duration"], self.actor)

    def _fault(self) -> str | None:
        number = self.world.chance.uniform(0, 1000)
        for fault, share in FAULTS.items():
            number -= share
            if number < 0:
                self.counts[fault] = self.counts.get(fault, 0) + 1
                return fault
        return None

    def _observe(self, sent: datetime) -> None:
        date = format_datetime(self.world.now.replace(microsecond=0), usegmt=True)
        self.world.pass_(self.world.chance.uniform(0.01, 0.2))
        self.clock.observe({"date": date}, sent, self.host.now())


@dataclass
class Host:
    """A machine with its own clock and state folder.

    Attributes:
        ahead: offset of its clock from the server's.
        asleep_until: time until which it runs nothing.
    """

    name: str
    world: World
    state: Path
    counts: dict[str, int]
    ahead: timedelta = timedelta()
    asleep_until: datetime = NEVER

    def now(self) -> datetime:
        """Return the time of its clock."""
        return self.world.now + self.ahead

    def connect(self, what: str) -> OnCall:
        """Connect to the server as a new process does."""
        wire = Wire(self.world, self, (what, self.name), self.counts)
        return OnCall(wire, Dialect.OSS, profile=PLACE)  # type: ignore[arg-type]

    def journal(self) -> Journal:
        """Open its journal."""
        return CachedJournal(self.state)


class CachedJournal(Journal):
    """A journal that is parsed only if it has changed. A year has too many runs to parse it in each."""

    parsed: ClassVar[dict[Path, tuple[object, list[Entry]]]] = {}

    def entries(self, warn: Callable[[str], None], since: datetime | None = None) -> list[Entry]:
        """Return all events."""
        state = [(status.st_ino, status.st_size) for status in (path.stat() for path in self._folder.glob("*.jsonl*"))]
        known, entries = self.parsed.get(self._folder, (None, []))
        if known != state:
            entries = super().entries(warn)
            self.parsed[self._folder] = state, entries
        return entries


@contextmanager
def simulated(world: World, clock: Callable[[], datetime]) -> Iterator[None]:
    """Replace the clock by a simulated one, and run parallel work sequentially."""

    def each(function: Callable[[Any], Any], items: Any, *_: object) -> Iterator[tuple[int, Any]]:
        for index, item in enumerate(items):
            yield index, function(item)

    replaced: list[tuple[Any, str, Any]] = [(parallel, "_each", each)]
    for name, module in list(sys.modules.items()):
        if name.startswith("oncallctl.") and getattr(module, "now", None) is times.now:
            replaced.append((module, "now", clock))
    from oncallctl.api import lost_responses

    class Sleep:
        sleep = staticmethod(world.pass_)

    replaced.append((lost_responses, "time", Sleep))
    originals = [(module, name, getattr(module, name)) for module, name, _ in replaced]
    for module, name, value in replaced:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in originals:
            setattr(module, name, value)
