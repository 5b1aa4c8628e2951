"""Walk through a year of `maintenance apply` on two hosts, and count what must not happen.

Exit status: 1 if a window was started twice for one occurrence, if one outlasts its occurrence, or if a stop by hand
was undone on its own host.
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
CLOSE = timedelta(seconds=60)  # as near as the end of a window has to be to that of its occurrence
APART = 180  # seconds that a host's clock is wrong at most
RARE = 15  # minutes between runs of `apply` when nothing begins, ends or happens

LONG = timedelta(minutes=30)
RUNS, STOPS = "runs", "stops"
# What people do during an occurrence, and how often in a thousand.
DEEDS = {"stop": 40, "stop of a longer window": 15, "end elsewhere": 10, "replacement": 10}


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
        """Let everything happen."""
        busy = self._plan()
        self._schedule_ticks(busy)
        with simulated(self.world, self._clock):
            while self.events:
                moment, _, deed = heappop(self.events)
                self.world.advance(moment)
                deed()
        self.world.advance(self.world.now + timedelta(days=1))

    def _clock(self) -> datetime:
        return self.current.now()

    def at(self, moment: datetime, deed: Callable[[], None]) -> None:
        """Let something happen then."""
        heappush(self.events, (moment, len(self.events) + self.chance.getrandbits(40), deed))

    def _plan(self) -> list[datetime]:
        """Draw what people, clocks and machines do; return the moments around which `apply` runs every minute."""
        chance, busy = self.chance, []
        for each in self.occurrences:
            busy += [each.start, each.end]
            for ident in each.rule.integrations:
                busy += self._draw_deed(each, ident)
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
        """Return a moment of the year, half of the time one at which a window starts or ends."""
        near_an_edge = self.chance.choice(self.occurrences)
        edge = self.chance.choice([near_an_edge.start, near_an_edge.end])
        anywhere = BEGIN + timedelta(minutes=self.chance.uniform(0, self.days * 1440))
        return self.chance.choice([edge + timedelta(seconds=self.chance.uniform(-200, 100)), anywhere])

    def _draw_deed(self, occurrence: Occurrence, ident: str) -> list[datetime]:
        chance = self.chance
        (deed,) = chance.choices([*DEEDS, None], [*DEEDS.values(), 1000 - sum(DEEDS.values())])
        if deed is None:
            return []
        length = occurrence.rule.duration
        moment = occurrence.start + length * chance.uniform(0.02, 0.95)
        host = chance.choice(self.hosts)
        if deed == "stop":
            self.at(moment, partial(self._stop, host, ident))
        elif deed == "end elsewhere":
            self.at(moment, partial(self.world.stop, ident, ("elsewhere",)))
        elif length >= LONG and deed == "replacement":
            wanted = WindowRequest("group_alerts", duration=timedelta(minutes=10))
            self.at(moment, partial(self._start, host, ident, wanted, IfActive.REPLACE))
            return [moment, moment + timedelta(minutes=10)]
        elif length >= LONG and deed == "stop of a longer window":
            before = occurrence.start - timedelta(minutes=chance.uniform(1, 20))
            wanted = WindowRequest("silence_escalations", duration=length + timedelta(hours=1))
            self.at(before, partial(self._start, chance.choice(self.hosts), ident, wanted, IfActive.KEEP))
            self.at(moment, partial(self._stop, host, ident))
        return [moment]

    def _schedule_ticks(self, busy: list[datetime]) -> None:
        """Let cron start `apply` on each host: every minute when something happens, seldom otherwise."""
        minutes = {round((moment - BEGIN) / MINUTE) + more for moment in busy for more in range(-3, 5)}
        minutes |= set(range(0, self.days * 1440, RARE))
        for minute in sorted(minutes):
            for host in self.hosts:
                self.at(BEGIN + minute * MINUTE, partial(self._wait_for_cron, host))

    def _wait_for_cron(self, host: Host) -> None:
        """Cron looks at the clock of its machine: it starts `apply` in the first second of its minutes."""
        rest = (-host.ahead.total_seconds()) % 60
        self.at(self.world.now + timedelta(seconds=rest + self.chance.uniform(0, 1)), partial(self._apply, host))

    def _desk(self, host: Host, what: str) -> WindowService:
        self.current = host
        return WindowService(host.connect(what), host.journal(), Author(), lambda _: None)

    def _apply(self, host: Host) -> None:
        self.current = host
        if self.world.now < host.asleep_until or not (rules := near(self.file, host.now())):
            return
        self.counts[RUNS] += 1
        with suppress(Killed):
            apply(self._desk(host, "apply"), rules, lambda _: None, dry_run=False)

    def _stop(self, host: Host, ident: str, attempts: int = 4) -> None:
        """Stop a window as `maintenance stop` does; who sees that it failed tries again."""
        self.counts[STOPS] += 1
        desk = self._desk(host, "stop")
        failed = False
        try:
            steps = plan.plan_stop([Target(ident, desk.oncall.integrations.get(ident))])
            failed = bool(change.carry_out(desk, steps, lambda: None).outcomes[0].error)
        except (OncallError, Killed):
            failed = True
        if failed and attempts > 1:
            later = self.world.now + timedelta(seconds=self.chance.uniform(5, 90))
            self.at(later, partial(self._stop, host, ident, attempts - 1))

    def _start(self, host: Host, ident: str, wanted: WindowRequest, if_active: IfActive) -> None:
        desk = self._desk(host, "start")
        with suppress(OncallError, Killed):
            targets = [Target(ident, desk.oncall.integrations.get(ident))]
            steps = plan.plan_start(desk.oncall, targets, wanted, if_active)
            change.carry_out(desk, steps, lambda: None)


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
        """Return the windows that were ended so."""
        return [each for each in self.year.world.history if each.ended and each.ended[1][: len(actor)] == actor]

    def undone(self) -> Counter[str]:
        """Count stops by hand after which `apply` started a window for the same occurrence, by host."""
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
        """Count windows that were followed by another one for the same occurrence, by what ended them."""
        pairs = [pair for group in self.opened.values() for pair in pairwise(group)]
        self.details += [f"twice: {pair}" for pair in pairs if pair[0].ended and pair[0].ended[1] == ("expiry",)]
        return Counter(first.ended[1][0] if first.ended else "expiry" for first, _ in pairs)

    def table(self) -> dict[str, int]:
        """Return everything that was counted; what must be zero is in capitals."""
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
