"""Rotas for pictures, made by hand or by hypothesis, and the pictures as they were when somebody looked at them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from oncallctl.api.resources.schedules import Schedule
from oncallctl.rota.shifts import Rota, Shift, Span

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 11, 20, 23, tzinfo=UTC)  # Saturday 21 November in Berlin
NOW = MIDNIGHT + 37 * HOUR + timedelta(minutes=12)
HOSTILE = "\x1b[31mroot\x1b]0;x\x07\nadmin\u202e [red]x[/red] <script>&\ufffe\ud800"


def snapshot(name: str, drawn: str) -> None:
    """Compare a picture with the one in `snapshots`.

    After an intended change, write them anew with ``REWRITE_SNAPSHOTS=1 pytest tests/unit/rota`` and look at each:
    `cat` shows the colors of an ``.ansi``, a browser an ``.svg``.
    """
    path = Path(__file__).parent / "snapshots" / name
    if "REWRITE_SNAPSHOTS" in os.environ:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(drawn.encode())
    assert path.read_bytes().decode() == drawn


def rota(
    name: str,
    start: datetime,
    days: float,
    shifts: Sequence[tuple[float, float, Sequence[str], bool | None]],
    usernames: Mapping[str, str] | None = None,
) -> Rota:
    """Make a rota of shifts that are given as hours from its start, hours, users, and whether it is an override."""
    schedule = Schedule.read({"id": "SBM7DV7BKFUYU", "name": name, "time_zone": "Europe/Berlin"})
    made = [
        Shift(Span(start + begin * HOUR, start + (begin + hours) * HOUR), tuple(users), override)
        for begin, hours, users, override in shifts
    ]
    known = {user: user.lower() for shift in made for user in shift.users}
    span = Span(start, start + days * DAY)
    shown = sorted((shift for shift in made if shift.span.touches(span)), key=lambda shift: shift.span)
    return Rota(schedule, span, tuple(shown), usernames if usernames is not None else known)


def thirds(days: int = 7, **usernames: str) -> Rota:
    """Three people for eight hours each, an override of two, and two gaps."""
    people = ("ALICE", "BOB", "CAROL")
    shifts = [
        (1 + 8 * turn, 8, (people[turn % 3],), False) for turn in range(-1, 3 * days + 1) if turn not in {4, 8, 15}
    ]
    shifts += [(33, 3, ("BOB",), False), (36, 2, ("DAVE",), True), (38, 3, ("BOB",), False)]
    return rota("platform-primary", MIDNIGHT, days, shifts, usernames or None)


def weekly(days: int = 7) -> Rota:
    """A person a week, from Tuesday to Tuesday; one has a long name."""
    turns = ("ANNA-MARIA.SCHNEIDER-HOFFMANN", "BOB", "CAROL")
    shifts = [(-87 + 168 * turn, 168, (turns[turn % 3],), None) for turn in range(days // 7 + 2)]
    return rota("platform-secondary", MIDNIGHT, days, shifts)


def together() -> Rota:
    """One of two for a day, and two more beside them for a few hours of it."""
    shifts = [(9 + 24 * day, 24, (("ALICE", "BOB")[day % 2],), None) for day in range(-1, 7)]
    shifts += [(8 + 24 * day, 4, ("CAROL", "日本太郎"), None) for day in range(7)]
    return rota("follow the sun", MIDNIGHT, 7, shifts)


def nights(start: datetime, days: int = 7) -> Rota:
    """A day each, from nine until nine by the clocks of Berlin, from a midnight there on; a third has an hour more."""
    first = start.astimezone(BERLIN)
    nines = [(first.replace(hour=9) + day * DAY).astimezone(UTC) for day in range(-1, days + 1)]
    shifts = [
        ((begin - start) / HOUR, (end - begin) / HOUR, (("ALICE", "BOB")[day % 2],), False)
        for day, (begin, end) in enumerate(pairwise(nines))
    ]
    shifts.append((26.5, 1, ("CAROL",), False))
    end = first.replace(hour=0) + days * DAY
    return rota("berlin", start, (end.astimezone(UTC) - start) / DAY, shifts)


def empty() -> Rota:
    return rota("forgotten", MIDNIGHT, 7, [])


def hostile() -> Rota:
    shifts = [(0, 20, ("U1",), True), (22, 100, ("U2",), False), (122, 46, ("U3",), False)]
    return rota(HOSTILE, MIDNIGHT, 7, shifts, {"U1": HOSTILE, "U2": "nobody", "U3": "nobody"})


HOURS = st.floats(-50, 50 * 24, allow_nan=False).map(lambda hours: round(hours * 60) / 60)
SHIFTS = st.lists(
    st.tuples(
        HOURS,
        st.integers(1, 14 * 24 * 60).map(lambda minutes: minutes / 60),
        st.lists(st.sampled_from(["P0", "P1", "P2", "P3", "P4"]), min_size=1, max_size=3),
        st.sampled_from([True, False, None]),
    ),
    max_size=30,
)
STARTS = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # as asked for
ROTAS = st.builds(lambda start, days, shifts: rota("r", start, days, shifts), STARTS, st.integers(1, 45), SHIFTS)
ZONES = st.sampled_from([None, UTC, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Kathmandu")])
