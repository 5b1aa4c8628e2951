"""A year of `apply` in zones that change their clocks in different ways, with a server and a clock in memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
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

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    found, mistakes = load(text)
    assert mistakes == []
    return found


class Walker:
    """A host that applies a file at one minute after the other; its clock may be ahead of the server's."""

    def __init__(self, world: World, file: list[WindowRule], ahead: timedelta = timedelta()) -> None:
        self.world, self.file, self.ahead = world, file, ahead
        oncall = OnCall(world, Dialect.CLOUD, profile=PLACE)  # type: ignore[arg-type]
        self.desk = WindowService(oncall, Memory(), Author(), pytest.fail)

    def at(self, moment: datetime) -> None:
        self.world.now = moment
        if rules := near(self.file, moment + self.ahead):
            apply(self.desk, rules, lambda _: None, dry_run=False).raise_failures()


def changes_of(zone: ZoneInfo) -> list[date]:
    """The days on which the clocks change."""
    days = [date(2026, 1, 1) + timedelta(days=number) for number in range(365)]
    noons = [datetime.combine(day, time(12), tzinfo=zone) for day in days]
    return [later.date() for noon, later in pairwise(noons) if noon.utcoffset() != later.utcoffset()]


def steps(zone: ZoneInfo) -> Iterator[datetime]:
    """The moments of a year: every five minutes of the hour in which windows begin, and every hour of the day."""
    moment = BEGIN
    while moment < END:
        if moment.minute == 0 or moment.astimezone(zone).hour == 2:
            yield moment
        moment += 5 * MINUTE


@lru_cache
def expected(zone: ZoneInfo, clock: time) -> list[datetime]:
    """The first minute of each day on which the clocks show this time, or a later one where they skip it."""
    found: dict[date, datetime] = {}
    moment = BEGIN
    while moment < END:
        local = moment.astimezone(zone)
        if local.time() >= clock:
            found.setdefault(local.date(), moment)
        moment += 5 * MINUTE
    first = BEGIN.astimezone(zone).date()
    if BEGIN.astimezone(zone).time() > clock:
        found.pop(first, None)  # it was before the year
    return list(found.values())


@pytest.mark.parametrize("name", ZONES)
def test_each_occurrence_of_a_year_is_opened_once_and_for_its_length(world: World, name: str) -> None:
    zone, file = ZoneInfo(name), rules(name, duration="65m")
    walker = Walker(world, file)
    for moment in steps(zone):
        walker.at(moment)
    starts = [start for start in expected(zone, time(2, 10)) if start > BEGIN]
    opened = [each for each in world.opened if each[0] >= starts[0]]
    assert opened == [(start, 65 * 60) for start in starts]
    planned = timeline.plan(file, BEGIN, 365, None)
    assert [each.occurrence.start for each in planned if each.occurrence.start > BEGIN] == starts
    assert len(starts) in {364, 365}
    assert bool(changes_of(zone)) == (name not in {"Asia/Kathmandu", "UTC"})


@pytest.mark.parametrize("name", ZONES)
def test_an_interval_is_opened_each_time_around_every_change_of_the_clocks(world: World, name: str) -> None:
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
def test_a_machine_that_slept_opens_what_remains(world: World, name: str) -> None:
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


def test_what_a_person_ended_early_stays_ended_until_the_next_occurrence(world: World) -> None:
    zone = ZoneInfo("Europe/Berlin")
    walker = Walker(world, rules("Europe/Berlin"))
    starts = [start for start in expected(zone, time(2, 10)) if start > BEGIN]
    for start in starts:
        walker.at(start)
        world.end_early()
        for minutes in range(1, 180, 20):
            walker.at(start + minutes * MINUTE)
    assert [begun for begun, _ in world.opened] == starts


def test_the_days_to_skip_are_those_of_the_zone(world: World) -> None:
    """In New York it is still the 24th when in UTC it is Christmas."""
    walker = Walker(world, rules("America/New_York", "0 20 * * *", "1h", "skip = [2026-12-24]"))
    for day in (23, 24, 25):
        walker.at(datetime(2026, 12, day + 1, 1, 0, tzinfo=UTC))
    assert [begun.day for begun, _ in world.opened] == [24, 26]


@pytest.mark.parametrize("minutes", [-3, 3])
def test_two_hosts_whose_clocks_differ_by_minutes_open_each_occurrence_once(world: World, minutes: int) -> None:
    file = rules("Europe/Berlin")
    right, wrong = Walker(world, file), Walker(world, file, timedelta(minutes=minutes))
    begin = datetime(2026, 6, 1, tzinfo=UTC)
    for minute in range(2 * 24 * 60):
        wrong.at(begin + minute * MINUTE)
        right.at(begin + minute * MINUTE + timedelta(seconds=30))
    assert [(each.hour, each.minute, seconds) for each, seconds in world.opened] == [(0, 10, 3 * 3600)] * 2


def test_the_start_belongs_to_an_occurrence_and_the_end_does_not() -> None:
    file = rules("UTC", "0 2 * * *", "50s")
    start = BEGIN + timedelta(hours=2)
    moments = [start - timedelta(seconds=1), start, start + timedelta(seconds=49), start + timedelta(seconds=50)]
    assert [len(due(file, moment)) for moment in moments] == [0, 1, 1, 0]


def test_nothing_is_asked_of_the_server_while_nothing_is_due(world: World) -> None:
    walker = Walker(world, rules("UTC", "0 2 * * *", "30m"))
    for minute in range(156, 24 * 60 + 115):
        walker.at(BEGIN + minute * MINUTE)
    assert world.requests == 0
    walker.at(BEGIN + timedelta(days=1, hours=2))
    assert world.requests > 0


def test_one_that_begins_before_its_last_one_ends_waits_for_it(world: World) -> None:
    """The server holds one window on an integration at a time; the time is covered all the same."""
    file = rules("UTC", "0 * * * *", "90m")
    walker = Walker(world, file)
    walker.desk = WindowService(walker.desk.oncall, walker.desk.journal, Author(), lambda _: None)
    covered = 0
    for minute in range(24 * 60):
        walker.at(BEGIN + minute * MINUTE)
        covered += world.integration()["maintenance_mode"] is not None
    assert covered == 24 * 60
    assert len(world.opened) == 24
