"""On-call results computed for a self-hosted engine equal those of Cloud at every change of a week."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from oncallctl.api import lookup
from oncallctl.api.lookup import Named
from oncallctl.config.connect import connect
from oncallctl.config.settings import Settings
from oncallctl.rota.on_call import on_call
from oncallctl.rota.resolved import OnCallQuery, When
from tests.serving import Serving
from tests.unit.rota.making import (
    ALICE,
    BOB,
    CAROL,
    DAILY,
    DAVE,
    EMPTY_TEAM,
    HEIDI,
    Maker,
    notify,
    notify_people,
)

# Times at which the people on call change. The clocks of Berlin go back on Sunday the 25th.
CHANGES = [
    datetime(2026, 10, 23, 7, tzinfo=UTC),
    datetime(2026, 10, 24, 8, 15, tzinfo=UTC),  # an override begins
    datetime(2026, 10, 24, 10, 15, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # the clocks go back
    datetime(2026, 10, 25, 8, tzinfo=UTC),  # 09:00 in winter
    datetime(2026, 10, 25, 20, tzinfo=UTC),  # a gap begins
    datetime(2026, 10, 26, 5, 30, tzinfo=UTC),
    datetime(2026, 10, 26, 8, tzinfo=UTC),
]
MOMENTS = [change + timedelta(seconds=seconds) for change in CHANGES for seconds in (-1, 0)]
BEGIN = datetime(2026, 10, 21, 22, tzinfo=UTC)

Documents = dict[str, list[dict[str, Any]]]
Fetch = Callable[..., Documents]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Serving]]:
    """Yield both servers over one database: a rota with rotations, an override, gaps and people named by steps."""
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
def fetch(servers: dict[str, Serving], monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Return a function that fetches the on-call documents of both servers, without fields that only Cloud has."""

    def fetch(query: OnCallQuery, moment: datetime, *, all_teams: bool = False) -> Documents:
        stopped = SimpleNamespace(time=moment.timestamp, monotonic=time.monotonic)
        monkeypatch.setattr("tests.serving.time", stopped)
        monkeypatch.setattr("oncallctl.rota.on_call.now", lambda: moment)
        documents: Documents = {}
        for dialect, server in servers.items():
            monkeypatch.setenv("ONCALLCTL_URL", server.url)
            monkeypatch.setenv("ONCALLCTL_TOKEN", server.token)
            monkeypatch.setenv("ONCALLCTL_API", dialect)
            with connect(Settings()) as oncall:
                teams = lookup.teams(oncall, None) if all_teams else [Named(EMPTY_TEAM, "empty-team")]
                results = on_call(oncall, teams, query)
            documents[dialect] = [comparable(each.document) for each in results]
        return documents

    return fetch


def comparable(document: dict[str, Any]) -> dict[str, Any]:
    unknown = {"phone_number", "phone_number_status"}
    users = [{key: value for key, value in user.items() if key not in unknown} for user in document["users"]]
    return {**document, "users": users}


@pytest.mark.parametrize("when", When)
def test_people_on_call_around_every_change_are_the_same_on_both_servers(fetch: Fetch, when: When) -> None:
    different = set()
    for moment in MOMENTS:
        documents = fetch(OnCallQuery(when), moment)
        assert documents["oss"] == documents["cloud"], moment
        different.add(str(documents["cloud"][0]["shifts"]))
    assert len(different) >= len(CHANGES) - 1  # not the same shifts all week


@pytest.mark.parametrize("when", [When.NEXT, When.PREVIOUS])
def test_days_limit_the_search_in_the_same_way_on_both_servers(fetch: Fetch, when: When) -> None:
    for moment in MOMENTS[::5]:
        documents = fetch(OnCallQuery(when, days=1), moment)
        assert documents["oss"] == documents["cloud"], moment


def test_people_on_call_at_another_time_are_those_of_that_moment(fetch: Fetch) -> None:
    for moment in MOMENTS[::6]:
        then = fetch(OnCallQuery(), moment)["cloud"]
        assert fetch(OnCallQuery(at=moment), BEGIN) == {"cloud": then, "oss": then}


def test_people_on_call_for_all_teams_are_the_same_on_both_servers(fetch: Fetch) -> None:
    documents = fetch(OnCallQuery(), CHANGES[0], all_teams=True)
    assert documents["oss"] == documents["cloud"]
    assert len(documents["cloud"]) == 4
