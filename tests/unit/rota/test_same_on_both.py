"""A self-hosted engine is answered for as Cloud answers: the same rota, the same document, all through a week."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Run, Runner
from tests.serving import Serving
from tests.unit.rota.making import (
    ALICE,
    BOB,
    CAROL,
    DAILY,
    DAVE,
    HEIDI,
    Maker,
    notify,
    notify_people,
)

# The clocks of Berlin go back on Sunday the 25th.
BEGIN = datetime(2026, 10, 21, 22, tzinfo=UTC)
HANDOVERS = [
    datetime(2026, 10, 23, 7, tzinfo=UTC),
    datetime(2026, 10, 24, 7, tzinfo=UTC),
    datetime(2026, 10, 25, 8, tzinfo=UTC),  # nine o'clock in winter
    datetime(2026, 10, 26, 8, tzinfo=UTC),
    datetime(2026, 10, 24, 8, 15, tzinfo=UTC),  # an override begins
    datetime(2026, 10, 24, 10, 15, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # the clocks change
    datetime(2026, 10, 25, 20, tzinfo=UTC),  # a gap begins
    datetime(2026, 10, 26, 5, 30, tzinfo=UTC),
]
MOMENTS = [
    *(BEGIN + timedelta(hours=12, minutes=13) * step for step in range(14)),
    *(moment + timedelta(seconds=away) for moment in HANDOVERS for away in (-1, 0, 1)),
]


pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Serving]]:
    """Both servers over one database, with a rota that has everything in it."""
    database: Path = tmp_path_factory.mktemp("rota") / "oncall.sqlite3"
    with (
        Serving(database, "cloud", rate_limit=10**9) as cloud,
        Serving(database, "oss", rate_limit=10**9) as oss,
    ):
        make = Maker(oss)
        days = make.shift(
            **DAILY,
            start="2026-10-01T09:00:00",
            duration=13 * 3600,
            time_zone="Europe/Berlin",
            rolling_users=[[ALICE], [BOB, CAROL]],
        )
        nights = make.shift(
            type="recurrent_event",
            frequency="weekly",
            week_start="MO",
            interval=1,
            by_day=["MO", "TU", "WE", "TH", "FR", "SA"],
            start="2026-09-28T22:00:00",
            duration=11 * 3600,
            time_zone="Europe/Berlin",
            users=[DAVE],
        )
        override = make.shift(type="override", start="2026-10-24T10:15:00", duration=7200, users=[HEIDI])
        weekly = make.shift(
            type="rolling_users",
            frequency="weekly",
            week_start="MO",
            start_rotation_from_user_index=0,
            start="2026-09-28T05:30:00",
            duration=6 * 86_400,
            time_zone="UTC",
            rolling_users=[[CAROL], [DAVE]],
        )
        primary = make.schedule("primary", days, nights, override, time_zone="Europe/Berlin")
        second = make.schedule("second", weekly)
        make.chain(
            notify(primary),
            {"type": "wait", "duration": 300},
            notify_people(HEIDI, ALICE),
            notify(second),
            {"type": "notify_person_next_each_time", "persons_to_notify_next_each_time": [BOB]},
        )
        yield {"cloud": cloud, "oss": oss}


@pytest.fixture
def ask(servers: dict[str, Serving], run: Runner, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put the same question to both servers, at a moment."""

    def ask(line: str, moment: datetime) -> dict[str, Run]:
        stopped = SimpleNamespace(time=moment.timestamp, monotonic=time.monotonic)
        monkeypatch.setattr("tests.serving.time", stopped)
        monkeypatch.setattr("oncallctl.rota.on_call.now", lambda: moment)
        return {
            dialect: run(line, ONCALLCTL_URL=server.url, ONCALLCTL_TOKEN=server.token, ONCALLCTL_API=dialect)
            for dialect, server in servers.items()
        }

    return ask


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    """The document without the two fields that only Cloud can know."""
    unknown = {"phone_number", "phone_number_status"}
    users = [{key: value for key, value in user.items() if key not in unknown} for user in document["users"]]
    return {**document, "users": users}


@pytest.mark.parametrize("verb", ["who-is-on-call", "next", "previous"])
def test_every_moment_of_a_week_is_answered_alike(ask: Any, verb: str) -> None:
    different = set()
    for moment in MOMENTS:
        cloud, oss = (done.json for done in ask(f"teams {verb} empty-team -o json", moment).values())
        assert comparable(oss) == comparable(cloud), moment
        different.add(str(cloud["shifts"]))
    assert len(different) > 10  # the week had something in it


@pytest.mark.parametrize("verb", ["next", "previous"])
def test_so_is_how_far_away_it_looks(ask: Any, verb: str) -> None:
    for moment in MOMENTS[::5]:
        cloud, oss = (done.json for done in ask(f"teams {verb} empty-team --days 1 -o json", moment).values())
        assert comparable(oss) == comparable(cloud), moment


def test_another_time_is_answered_as_that_time_itself(ask: Any) -> None:
    for moment in MOMENTS[::6]:
        then = ask("teams who-is-on-call empty-team -o json", moment)["cloud"].json
        asked = ask(f"teams who-is-on-call empty-team --at {moment:%Y-%m-%dT%H:%M:%SZ} -o json", BEGIN)
        assert asked["cloud"].json == then
        assert comparable(asked["oss"].json) == comparable(then)


def test_a_whole_organisation_is_answered_alike(ask: Any) -> None:
    answers = ask("teams who-is-on-call -o json", HANDOVERS[0])
    assert [comparable(each) for each in answers["oss"].json] == [comparable(each) for each in answers["cloud"].json]
