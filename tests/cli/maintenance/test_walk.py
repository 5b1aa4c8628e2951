"""A year of `apply` in zones with different clock changes, with a server and a clock in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from oncallctl.api.client import Dialect, OnCall
from oncallctl.api.transport import Response
from oncallctl.config.profiles import Profile
from oncallctl.maintenance.file import timeline
from oncallctl.maintenance.file.apply import apply, due, near
from oncallctl.maintenance.file.rules import WindowRule
from oncallctl.maintenance.file.schema import load
from oncallctl.maintenance.journal import DONE, Author, Entry, Journal
from oncallctl.maintenance.windows.change import WindowService

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC"]
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
PLACE = Profile("memory", "http://sandbox.invalid")


@dataclass
class World:
    """A clock, and a server with one integration that ends its windows on time; it stands in for the transport."""

    now: datetime = BEGIN
    window: tuple[datetime, int] | None = None
    opened: list[tuple[datetime, int]] = field(default_factory=list)
    requests: int = 0

    @property
    def clock(self) -> SimpleNamespace:
        return SimpleNamespace(now=lambda: self.now, is_known=True)

    def read(self, path: str, params: object = None) -> Response:
        self.requests += 1
        assert path == "integrations/CAAAAAAAAAAAA/"
        return Response(200, self.integration())

    def change(self, method: str, path: str, body: Any = None) -> Response:
        self.requests += 1
        assert path == "integrations/CAAAAAAAAAAAA/maintenance_start"
        assert self.integration()["maintenance_mode"] is None
        self.window = (self.now, (body() if callable(body) else body)["duration"])
        self.opened.append(self.window)
        return Response(200, self.integration())

    def integration(self) -> dict[str, Any]:
        if self.window and self.window[0] + timedelta(seconds=self.window[1]) <= self.now:
            self.window = None
        begun, seconds = self.window or (None, 0)
        return {
            "id": "CAAAAAAAAAAAA",
            "name": "api",
            "type": "webhook",
            "maintenance_mode": "silence_escalations" if begun else None,
            "maintenance_started_at": begun.isoformat() if begun else None,
            "maintenance_end_at": (begun + timedelta(seconds=seconds)).isoformat() if begun else None,
        }

    def end_early(self) -> None:
        self.window = None


class Memory(Journal):
    """A journal that is not written to a disk."""

    def __init__(self) -> None:
        self.lines: list[Entry] = []

    def record(self, event: Any, place: Any, integration: Any, author: Author, **more: Any) -> None:
        document = {
            "time": more["at"].isoformat(),
            "event": event.value,
            "cause": more.get("cause"),
            "profile": place.name,
            "server": place.host,
            "host": "host",
            "user": "user",
            "run": author.run,
            "window": author.window,
            "integration": {"id": integration.id, "name": integration.name},
            "mode": integration.maintenance_mode,
            "started_at": integration.raw["maintenance_started_at"],
            "ends_at": integration.raw["maintenance_end_at"],
            "reason": author.reason,
            "outcome": more.get("outcome", DONE),
        }
        self.lines.append(Entry.read(json.dumps(document)))
        del self.lines[:-50]

    def entries(self, warn: object, since: datetime | None = None) -> list[Entry]:
        return list(self.lines)


@pytest.fixture
def world() -> World:
    return World()


def rules(zone: str, cron: str = "10 2 * * *", duration: str = "3h", more: str = "") -> list[WindowRule]:
    text = (
        f'[[window]]\nname = "w"\nintegrations = ["CAAAAAAAAAAAA"]\ntimezone = "{zone}"\n'
        f'cron = "{cron}"\nduration = "{duration}"\n{more}'
    )
    seen, mistakes = load(text)
    assert mistakes == []
    return seen


class Walker:
    """A host that applies a file at one minute after the other; its clock may be ahead of the server's."""

    def __init__(self, world: World, file: list[WindowRule], ahead: timedelta = timedelta()) -> None:
        self.world, self.file, self.ahead = world, file, ahead
        oncall = OnCall(world, Dialect.CLOUD, profile=PLACE)  # type: ignore[arg-type]  # the world stands in for the transport
        self.service = WindowService(oncall, Memory(), Author(), pytest.fail)

    def at(self, moment: datetime) -> None:
        self.world.now = moment
        if rules := near(self.file, moment + self.ahead):
            apply(self.service, rules, lambda _: None, dry_run=False).raise_failures()


def changes_of(zone: ZoneInfo) -> list[date]:
    """The days on which the clocks change."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    noons = [datetime.combine(day, time(12), tzinfo=zone) for day in days]
    return [later.date() for noon, later in pairwise(noons) if noon.utcoffset() != later.utcoffset()]


@lru_cache
def expected(zone: ZoneInfo, clock: time) -> list[datetime]:
    """The first minute of each day on which the clocks show this time, or a later one if they skip it."""
    seen = []
    for day in (date(2026, 1, 1) + timedelta(days=number) for number in range(366)):
        instant = datetime.combine(day, clock, tzinfo=zone).astimezone(UTC)
        while (earlier := (instant - 5 * MINUTE).astimezone(zone)).date() == day and earlier.time() >= clock:
            instant -= 5 * MINUTE  # of a skipped time, Python's reading is later than the first minute that exists
        seen.append(instant)
    return [instant for instant in seen if BEGIN <= instant < END]


def steps(starts: list[datetime]) -> list[datetime]:
    """The moments of a year: shortly before, at and after each start and each end, and every three hours."""
    around = {start + minutes * MINUTE for start in starts for minutes in (-5, 0, 5, 60, 65, 70)}
    return sorted(around | {BEGIN + number * timedelta(hours=3) for number in range(365 * 8)})


@pytest.mark.parametrize("name", ZONES)
def test_occurrences_of_a_year_are_started_once_and_for_their_duration(world: World, name: str) -> None:
    zone, file = ZoneInfo(name), rules(name, duration="65m")
    walker = Walker(world, file)
    starts = [start for start in expected(zone, time(2, 10)) if start > BEGIN]
    for moment in steps(starts):
        walker.at(moment)
    opened = [each for each in world.opened if each[0] >= starts[0]]
    assert opened == [(start, 65 * 60) for start in starts]
    planned = timeline.plan(file, BEGIN, 365, None)
    assert [each.occurrence.start for each in planned if each.occurrence.start > BEGIN] == starts
    assert len(starts) in {364, 365}
    assert bool(changes_of(zone)) == (name not in {"Asia/Kathmandu", "UTC"})


@pytest.mark.parametrize("name", ZONES)
def test_wildcard_schedule_around_a_clock_change_starts_every_time(world: World, name: str) -> None:
    zone, file = ZoneInfo(name), rules(name, "*/20 1-3 * * *", "7m")
    for day in changes_of(zone) or [date(2026, 6, 1)]:
        world.opened.clear()
        walker = Walker(world, file)
        begin = datetime.combine(day - timedelta(days=1), time(12), tzinfo=zone).astimezone(UTC)
        minutes = [begin + number * MINUTE for number in range(2 * 24 * 60)]
        for moment in minutes:
            walker.at(moment)
        walls = [moment.astimezone(zone) for moment in minutes]
        wanted = [wall.astimezone(UTC) for wall in walls if wall.minute % 20 == 0 and 1 <= wall.hour <= 3]
        assert world.opened == [(start, 420) for start in wanted]


@pytest.mark.parametrize("name", ZONES)
def test_occurrence_after_a_suspend_starts_for_the_remaining_time(world: World, name: str) -> None:
    zone, file = ZoneInfo(name), rules(name)
    walker = Walker(world, file)
    starts = [start for start in expected(zone, time(2, 10)) if start > BEGIN]
    slept = [number * 7 % 200 for number in range(len(starts))]
    for start, minutes in zip(starts, slept, strict=True):
        walker.at(start - MINUTE)
        walker.at(start + minutes * MINUTE)
        walker.at(start + timedelta(hours=3))
    assert world.opened == [
        (start + minutes * MINUTE, (180 - minutes) * 60)
        for start, minutes in zip(starts, slept, strict=True)
        if minutes < 180
    ]


def test_window_stopped_early_is_not_started_until_the_next_occurrence(world: World) -> None:
    zone = ZoneInfo("Europe/Berlin")
    walker = Walker(world, rules("Europe/Berlin"))
    starts = expected(zone, time(2, 10))[75:100]  # with a change of the clocks
    for start in starts:
        walker.at(start)
        world.end_early()
        for minutes in (1, 61, 121, 179):
            walker.at(start + minutes * MINUTE)
    assert [begun for begun, _ in world.opened] == starts


def test_skip_days_are_those_of_the_zone(world: World) -> None:
    """In New York it is still the 24th when UTC has the 25th."""
    walker = Walker(world, rules("America/New_York", "0 20 * * *", "1h", "skip = [2026-12-24]"))
    for day in (23, 24, 25):
        walker.at(datetime(2026, 12, day + 1, 1, 0, tzinfo=UTC))
    assert [begun.day for begun, _ in world.opened] == [24, 26]


@pytest.mark.parametrize("minutes", [-3, 3])
def test_two_hosts_with_different_clocks_start_each_occurrence_once(world: World, minutes: int) -> None:
    file = rules("Europe/Berlin")
    right, wrong = Walker(world, file), Walker(world, file, timedelta(minutes=minutes))
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    for minute in range(2 * 24 * 60):
        wrong.at(begin + minute * MINUTE)
        right.at(begin + minute * MINUTE + timedelta(seconds=30))
    assert [(each.hour, each.minute, seconds) for each, seconds in world.opened] == [(0, 10, 3 * 3600)] * 2


def test_occurrence_includes_its_start_and_excludes_its_end() -> None:
    file = rules("UTC", "0 2 * * *", "50s")
    start = BEGIN + timedelta(hours=2)
    moments = [start - timedelta(seconds=1), start, start + timedelta(seconds=49), start + timedelta(seconds=50)]
    assert [len(due(file, moment)) for moment in moments] == [0, 1, 1, 0]


def test_apply_while_nothing_is_due_sends_no_requests(world: World) -> None:
    walker = Walker(world, rules("UTC", "0 2 * * *", "30m"))
    for minute in range(156, 24 * 60 + 115):
        walker.at(BEGIN + minute * MINUTE)
    assert world.requests == 0
    walker.at(BEGIN + timedelta(days=1, hours=2))
    assert world.requests > 0


def test_overlapping_occurrences_of_a_window_follow_each_other(world: World) -> None:
    """The server holds one window on an integration at a time; the time is covered all the same."""
    file = rules("UTC", "0 * * * *", "90m")
    walker = Walker(world, file)
    walker.service = WindowService(walker.service.oncall, walker.service.journal, Author(), lambda _: None)
    covered = 0
    for minute in range(24 * 60):
        walker.at(BEGIN + minute * MINUTE)
        covered += world.integration()["maintenance_mode"] is not None
    assert covered == 24 * 60
    assert len(world.opened) == 24
