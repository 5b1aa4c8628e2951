"""`make simulate`: simulates a year of `maintenance apply` on two hosts, and counts violations.

The exit status is 1 if a window was started twice for one occurrence, outlasted its occurrence, or was started again on
the host that stopped it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path

from oncallctl.batch import Target
from oncallctl.errors import OncallError
from oncallctl.maintenance import IfActive, journal
from oncallctl.maintenance.file.apply import apply, near
from oncallctl.maintenance.file.rules import Occurrence
from oncallctl.maintenance.file.schema import load
from oncallctl.maintenance.journal import Author
from oncallctl.maintenance.windows import change, plan
from oncallctl.maintenance.windows.change import WindowService
from oncallctl.maintenance.windows.model import WindowRequest
from tests.simulation.model import Host, Killed, Window, World, simulated

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CLOSE = timedelta(seconds=60)  # largest difference between the end of a window and of its occurrence
APART = 180  # largest error of a host's clock, in seconds
RARE = 15  # minutes between runs of `apply` while nothing happens

LONG = timedelta(minutes=30)
RUNS, STOPS = "runs", "stops"
# Actions of people during an occurrence, per thousand occurrences.
ACTIONS = {"stop": 40, "stop of a longer window": 15, "end elsewhere": 10, "replacement": 10}


@dataclass
class Year:
    """A simulated year."""

    days: int
    chance: random.Random
    state: Path
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.file, mistakes = load((Path(__file__).parent / "windows.toml").read_text(encoding="utf-8"))
        assert not mistakes, mistakes
        idents = sorted({ident for rule in self.file for ident in rule.integrations})
        self.end = BEGIN + timedelta(days=self.days)
        self.world = World(BEGIN - timedelta(hours=1), tuple(idents), self.chance)
        self.hosts = [Host(name, self.world, self.state / name, self.counts) for name in ("A", "B")]
        for host in self.hosts:
            host.state.mkdir()
        self.current = self.hosts[0]
        self.events: list[tuple[datetime, int, Callable[[], None]]] = []
        self.occurrences = [each for rule in self.file for each in rule.occurrences(BEGIN, self.end)]

    def run(self) -> None:
        """Run the simulation."""
        busy = self._plan()
        self._schedule_ticks(busy)
        with simulated(self.world, self._clock):
            while self.events:
                moment, _, action = heappop(self.events)
                self.world.advance(moment)
                action()
        self.world.advance(self.world.now + timedelta(days=1))

    def _clock(self) -> datetime:
        return self.current.now()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Schedule an action."""
        heappush(self.events, (moment, len(self.events) + self.chance.getrandbits(40), action))

    def _plan(self) -> list[datetime]:
        """Draw the actions of people, clocks and machines; return the times around which `apply` runs every minute."""
        chance, busy = self.chance, []
        for each in self.occurrences:
            busy += [each.start, each.end]
            for ident in each.rule.integrations:
                busy += self._draw_action(each, ident)
        for _ in range(self.days // 4):
            moment = self._any_moment()
            busy.append(moment)
            self.at(moment, partial(self.world.restart, timedelta(seconds=chance.uniform(5, 500))))
        for host in self.hosts:
            for day in range(0, self.days, 9):
                ahead = timedelta(seconds=chance.uniform(-APART, APART))
                self.at(BEGIN + timedelta(days=day), partial(setattr, host, "ahead", ahead))
            for _ in range(self.days // 9):
                moment = self._any_moment()
                until = moment + timedelta(minutes=chance.uniform(5, 300))
                self.at(moment, partial(setattr, host, "asleep_until", until))
                busy.append(until)
        return busy

    def _any_moment(self) -> datetime:
        """Return a time of the year; half of them are near the start or end of a window."""
        near_an_edge = self.chance.choice(self.occurrences)
        edge = self.chance.choice([near_an_edge.start, near_an_edge.end])
        anywhere = BEGIN + timedelta(minutes=self.chance.uniform(0, self.days * 1440))
        return self.chance.choice([edge + timedelta(seconds=self.chance.uniform(-200, 100)), anywhere])

    def _draw_action(self, occurrence: Occurrence, ident: str) -> list[datetime]:
        chance = self.chance
        (action,) = chance.choices([*ACTIONS, None], [*ACTIONS.values(), 1000 - sum(ACTIONS.values())])
        if action is None:
            return []
        length = occurrence.rule.duration
        moment = occurrence.start + length * chance.uniform(0.02, 0.95)
        host = chance.choice(self.hosts)
        if action == "stop":
            self.at(moment, partial(self._stop, host, ident))
        elif action == "end elsewhere":
            self.at(moment, partial(self.world.stop, ident, ("elsewhere",)))
        elif length >= LONG and action == "replacement":
            wanted = WindowRequest("group_alerts", duration=timedelta(minutes=10))
            self.at(moment, partial(self._start, host, ident, wanted, IfActive.REPLACE))
            return [moment, moment + timedelta(minutes=10)]
        elif length >= LONG and action == "stop of a longer window":
            before = occurrence.start - timedelta(minutes=chance.uniform(1, 20))
            wanted = WindowRequest("silence_escalations", duration=length + timedelta(hours=1))
            self.at(before, partial(self._start, chance.choice(self.hosts), ident, wanted, IfActive.KEEP))
            self.at(moment, partial(self._stop, host, ident))
        return [moment]

    def _schedule_ticks(self, busy: list[datetime]) -> None:
        """Schedule `apply` on each host: every minute around events, and every `RARE` minutes otherwise."""
        minutes = {round((moment - BEGIN) / MINUTE) + more for moment in busy for more in range(-3, 5)}
        minutes |= set(range(0, self.days * 1440, RARE))
        for minute in sorted(minutes):
            for host in self.hosts:
                self.at(BEGIN + minute * MINUTE, partial(self._wait_for_cron, host))

    def _wait_for_cron(self, host: Host) -> None:
        """Schedule `apply` for the first second of the next minute by the host's clock, as cron does."""
        rest = (-host.ahead.total_seconds()) % 60
        self.at(self.world.now + timedelta(seconds=rest + self.chance.uniform(0, 1)), partial(self._apply, host))

    def _service(self, host: Host, what: str) -> WindowService:
        self.current = host
        return WindowService(host.connect(what), host.journal(), Author(), lambda _: None)

    def _apply(self, host: Host) -> None:
        self.current = host
        if self.world.now < host.asleep_until or not (rules := near(self.file, host.now())):
            return
        self.counts[RUNS] += 1
        with suppress(Killed):
            apply(self._service(host, "apply"), rules, lambda _: None, dry_run=False)

    def _stop(self, host: Host, ident: str, attempts: int = 4) -> None:
        """Stop a window as `maintenance stop` does, and retry if it fails."""
        self.counts[STOPS] += 1
        service = self._service(host, "stop")
        failed = False
        try:
            steps = plan.plan_stop([Target(ident, service.oncall.integrations.get(ident))])
            failed = bool(change.carry_out(service, steps, lambda: None).outcomes[0].error)
        except (OncallError, Killed):
            failed = True
        if failed and attempts > 1:
            later = self.world.now + timedelta(seconds=self.chance.uniform(5, 90))
            self.at(later, partial(self._stop, host, ident, attempts - 1))

    def _start(self, host: Host, ident: str, wanted: WindowRequest, if_active: IfActive) -> None:
        service = self._service(host, "start")
        with suppress(OncallError, Killed):
            targets = [Target(ident, service.oncall.integrations.get(ident))]
            steps = plan.plan_start(service.oncall, targets, wanted, if_active)
            change.carry_out(service, steps, lambda: None)


@dataclass
class Findings:
    """What happened in a year.

    Attributes:
        opened: (occurrence, integration) -> the windows that `apply` started for it, in order.
        outlasting: windows of `apply` that end after their occurrence.
        details: sentences about what must not happen.
        early: those that end before it.
    """

    year: Year
    opened: dict[tuple[str, str], list[Window]] = field(default_factory=lambda: defaultdict(list))
    outlasting: int = 0
    early: int = 0
    details: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places: dict[str, list[Occurrence]] = defaultdict(list)
        for each in self.year.occurrences:
            for ident in each.rule.integrations:
                self.places[ident].append(each)
        for window in self.year.world.history:
            if window.actor[0] == "apply" and window.start >= BEGIN:
                self._assign(window)

    def _assign(self, window: Window) -> None:
        """Find the occurrence that a window is for: of those going on, the one with the nearest end."""
        going_on = [
            each
            for each in self.places[window.integration]
            if each.start - 2 * CLOSE <= window.start < each.end + 2 * CLOSE
        ]
        if not going_on:
            self.outlasting += 1
            self.details.append(f"outside of every occurrence: {window}")
            return
        best = min(going_on, key=lambda each: abs(each.end - window.end))
        self.outlasting += window.end > best.end + CLOSE
        self.early += window.end < best.end - CLOSE
        if abs(window.end - best.end) > CLOSE:
            self.details.append(f"another end than {best.key} ({best.end}): {window}")
        self.opened[best.key, window.integration].append(window)

    def ended_by(self, *actor: str) -> list[Window]:
        """Return the windows that an actor ended."""
        return [each for each in self.year.world.history if each.ended and each.ended[1][: len(actor)] == actor]

    def undone(self) -> Counter[str]:
        """Count manual stops after which `apply` started a window for the same occurrence, by host."""
        counts: Counter[str] = Counter()
        for stop in self.ended_by("stop"):
            assert stop.ended
            when, (_, host) = stop.ended
            for each in self.places[stop.integration]:
                if each.start <= when < each.end:
                    later = [window for window in self.opened[each.key, stop.integration] if window.start > when]
                    counts.update("same" if window.actor[1] == host else "other" for window in later)
        return counts

    def again(self) -> Counter[str]:
        """Count windows with a successor for the same occurrence, by the reason of their end."""
        pairs = [pair for group in self.opened.values() for pair in pairwise(group)]
        self.details += [f"twice: {pair}" for pair in pairs if pair[0].ended and pair[0].ended[1] == ("expiry",)]
        return Counter(first.ended[1][0] if first.ended else "expiry" for first, _ in pairs)

    def table(self) -> dict[str, int]:
        """Return all counts; those that must be zero have names in capitals."""
        counts, again, undone = self.year.counts, self.again(), self.undone()
        return {
            "occurrences, each on its integrations": sum(len(found) for found in self.places.values()),
            "of these, started by apply": sum(bool(group) for group in self.opened.values()),
            "runs of apply near an occurrence": counts.pop(RUNS),
            "maintenance stop commands": counts.pop(STOPS),
            "windows stopped by hand": len(self.ended_by("stop")),
            "windows ended elsewhere": len(self.ended_by("elsewhere")),
            "windows replaced": len(self.ended_by("start")),
            **{f"fault: {name}": count for name, count in sorted(counts.items())},
            "started again after an end elsewhere": again["elsewhere"],
            "started again after a replacement": again["start"],
            "stops by hand undone by the other host": undone["other"],
            "windows that end before their occurrence": self.early,
            "DOUBLED": again["expiry"],
            "LEFT OPEN BEYOND THE OCCURRENCE": self.outlasting,
            "STOPS BY HAND UNDONE ON THE SAME HOST": undone["same"],
        }


def main() -> int:
    """Simulate, print the table, and return the exit status."""
    parser = argparse.ArgumentParser(description="Simulate a year of `maintenance apply`.")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    journal.LARGEST = 4000  # bytes: rotate often, and keep what `apply` reads short
    with tempfile.TemporaryDirectory() as folder:
        year = Year(options.days, random.Random(options.seed), Path(folder))
        year.run()
        findings = Findings(year)
        found = findings.table()
    for sentence in findings.details:
        print(sentence, file=sys.stderr)
    for name, count in found.items():
        print(f"{name:45} {count:7}")
    return 1 if any(count for name, count in found.items() if name.isupper()) else 0


if __name__ == "__main__":
    sys.exit(main())
