"""The rota on a terminal, at 80 and 140 columns, with colour and without."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta, tzinfo

import pytest
from hypothesis import given, settings, strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from oncallctl.rota.drawing import picture
from oncallctl.rota.drawing.grid import FREE, Grid
from oncallctl.rota.drawing.lanes import in_utc, lanes
from oncallctl.rota.shifts import Rota, Shift, Span
from tests.unit.rota import samples
from tests.unit.rota.samples import (
    BERLIN,
    DAY,
    HOUR,
    MIDNIGHT,
    NOW,
    ROTAS,
    ZONES,
    rota,
    snapshot,
)

AUTUMN = datetime(2026, 10, 23, 22, tzinfo=UTC)  # the midnight before Saturday 24 October in Berlin
SPRING = datetime(2026, 3, 27, 23, tzinfo=UTC)  # that before Saturday 28 March
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e]")
FILLED = set("█▌▐▒◆◇")

PICTURES: dict[str, Callable[[], tuple[list[Rota], datetime]]] = {
    "week": lambda: ([samples.thirds(), samples.weekly(), samples.together(), samples.empty()], NOW),
    "month": lambda: ([samples.thirds(30), samples.weekly(30)], NOW),
    "autumn": lambda: ([samples.nights(AUTUMN)], AUTUMN + 26.6 * HOUR),
    "spring": lambda: ([samples.nights(SPRING)], SPRING + 80 * HOUR),
    "day": lambda: ([rota("today", MIDNIGHT, 1, [(-7, 16, ["ALICE"], None), (9, 0.1, ["BOB"], None)])], NOW - DAY),
    "hostile": lambda: ([samples.hostile()], NOW),
}


def drawn(rotas: Sequence[Rota], *, now: datetime = NOW, tz: tzinfo | None = BERLIN, width: int = 80) -> list[str]:
    return [line.plain for line in picture.draw(rotas, now=now, tz=tz, width=width)]


def printed(lines: Sequence[Text], width: int, *, color: bool) -> str:
    screen = io.StringIO()
    console = Console(
        file=screen,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        legacy_windows=False,
        no_color=not color,
        highlight=False,
        emoji=False,
        markup=False,
        _environ={},
    )
    for line in lines:
        console.print(line, no_wrap=True, overflow="ignore", crop=False)
    return screen.getvalue()


def lane(lines: Sequence[str], name: str) -> str:
    return next(line for line in lines if line.startswith(f"{name} "))


def below(lines: Sequence[str], lead: str) -> str:
    return next(line.strip() for line in lines if line.startswith(f"  {lead}"))


class TestLooks:
    @pytest.mark.parametrize("width", [80, 140])
    @pytest.mark.parametrize("name", PICTURES)
    def test_it_looks_as_it_did_when_somebody_looked(self, name: str, width: int) -> None:
        rotas, now = PICTURES[name]()
        lines = picture.draw(rotas, now=now, tz=BERLIN, width=width)
        snapshot(f"{name}-{width}.txt", printed(lines, width, color=False))
        snapshot(f"{name}-{width}.ansi", printed(lines, width, color=True))

    def test_it_fits_forty_columns(self) -> None:
        lines = picture.draw([samples.thirds(), samples.together()], now=NOW, tz=BERLIN, width=40)
        snapshot("week-40.txt", printed(lines, 40, color=False))

    def test_a_screen_of_ascii_gets_ascii(self) -> None:
        lines = picture.draw([samples.thirds()], now=NOW, tz=BERLIN, width=80, plain=True)
        snapshot("week-80-plain.txt", "".join(f"{line.plain}\n" for line in lines))
        assert all(line.plain.isascii() for line in lines)

    @pytest.mark.parametrize("tz", [None, UTC, BERLIN])
    def test_colour_only_repeats_what_the_characters_say(self, tz: tzinfo | None) -> None:
        lines = picture.draw([samples.thirds(), samples.hostile()], now=NOW, tz=tz, width=100)
        assert Text.from_ansi(printed(lines, 100, color=True)).plain.strip("\n") == printed(
            lines, 100, color=False
        ).strip("\n")


class TestLanes:
    def test_who_is_on_call_now_comes_first_and_nobody_last(self) -> None:
        names = [each.name for each in lanes(in_utc(samples.thirds()), NOW)]
        assert names == ["dave", "carol", "alice", "bob", "nobody"]

    def test_now_is_marked_in_the_lane_of_who_is_on_call_and_through_those_of_the_others(self) -> None:
        lines = drawn([samples.together()], now=NOW + 3 * HOUR)
        cell = next(line for line in lines if "▼" in line).index("▼")
        assert [lane(lines, name)[cell] for name in ("bob", "carol", "alice")] == ["◆", "┃", "┃"]

    def test_there_is_no_mark_where_now_is_not_in_the_span(self) -> None:
        text = "\n".join(drawn([samples.thirds()], now=MIDNIGHT - HOUR))
        assert not set("▼◆◇┃") & set(text)

    def test_an_override_has_a_glyph_of_its_own_and_only_where_the_server_tells(self) -> None:
        told, untold = (
            drawn([rota("r", MIDNIGHT, 7, [(0, 168, ["A"], True if tells else None)])]) for tells in (True, False)
        )
        assert "▒" in lane(told, "a")
        assert "▒ override" in told[-1]
        assert "▒" not in "\n".join(untold)

    def test_a_minute_on_call_is_seen(self) -> None:
        lines = drawn([rota("r", MIDNIGHT, 30, [(0, 720, ["A"], False), (300, 1 / 60, ["B"], None)])], width=40)
        assert FILLED & set(lane(lines, "b"))

    def test_a_minute_of_nobody_is_seen_and_said(self) -> None:
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 30, ["A"], None), (30 + 1 / 60, 200, ["A"], None)])])
        assert lane(lines, "nobody").count("╳") == 1  # noqa: RUF001
        assert below(lines, "gaps") == "gaps    Sun 22 06:00 – 06:01 (1m)"  # noqa: RUF001

    def test_a_schedule_without_shifts_says_so(self) -> None:
        assert drawn([samples.empty()])[1:] == ["nobody on call in these 7 days"]

    def test_lanes_of_several_schedules_are_aligned(self) -> None:
        lines = drawn([samples.together(), samples.weekly()])
        assert len({line.index("Sat 21") for line in lines if "Sun 22  " in line and "Sat 21" in line}) == 1

    def test_two_people_of_the_same_name_are_told_apart(self) -> None:
        names = {"U1": "sam", "U2": "sam"}
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 9, ["U1"], None), (9, 200, ["U2"], None)], names)])
        assert below(lines, "Sat 21") == "Sat 21  09:00 sam (U1) → sam (U2)"


class TestDays:
    @pytest.mark.parametrize(("start", "hours"), [(AUTUMN, 25), (SPRING, 23)])
    def test_a_day_of_another_length_begins_and_ends_in_the_right_cell(self, start: datetime, hours: int) -> None:
        lines = drawn([samples.nights(start)], now=start, width=80)
        days = next(line for line in lines if "Mon" in line and "Tue" in line)
        cell = HOUR * 24 / 9
        columns = {name: days.index(name) - days.index("Sat") for name in ("Sun", "Mon", "Tue")}
        ends = {"Sun": 24 * HOUR, "Mon": (24 + hours) * HOUR, "Tue": (48 + hours) * HOUR}
        assert columns == {name: end // cell for name, end in ends.items()}
        assert below(lines, "Mon").endswith("09:00 alice → bob")
        assert f"has {hours} hours" in "\n".join(lines)

    def test_a_time_that_comes_twice_tells_which_it_is(self) -> None:
        said = below(drawn([samples.nights(AUTUMN)], now=AUTUMN), "Sun 25")
        assert said.startswith("Sun 25  02:30 (CEST) bob → bob + carol   02:30 (CET) bob + carol → bob")

    def test_without_a_zone_it_is_that_of_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        try:
            local = drawn([samples.nights(AUTUMN)], now=AUTUMN, tz=None)
        finally:
            monkeypatch.undo()
            time.tzset()
        named = drawn([samples.nights(AUTUMN)], now=AUTUMN)
        assert local[1:] == named[1:]
        assert local[0].endswith("Sat 24 – Fri 30 Oct 2026, CEST/CET")  # noqa: RUF001

    def test_times_in_a_zone_with_dst_are_subtracted_as_instants(self) -> None:
        spring = samples.nights(SPRING)
        zoned = Rota(
            spring.schedule,
            Span(*(end.astimezone(BERLIN) for end in (spring.span.start, spring.span.end))),
            tuple(
                Shift(Span(each.span.start.astimezone(BERLIN), each.span.end.astimezone(BERLIN)), each.users)
                for each in spring.shifts
            ),
            spring.usernames,
        )
        assert drawn([zoned], now=SPRING) == drawn([spring], now=SPRING)

    @pytest.mark.parametrize("days", [1, 2, 3, 7, 10, 14, 20, 28, 31, 60, 90])
    @pytest.mark.parametrize("width", [40, 80, 140])
    def test_days_or_weeks_are_named_however_many_there_are(self, days: int, width: int) -> None:
        lines = drawn([samples.weekly(days)], now=MIDNIGHT, width=width)
        row = lines[lines.index(next(line for line in lines if "▼" in line)) - 1]
        assert len(row.split()) >= min(days, 3)


class TestHandOvers:
    def test_those_who_stay_are_not_named_where_others_change(self) -> None:
        shifts = [(0, 168, ["C"], None), (0, 9, ["A"], None), (9, 200, ["B"], None)]
        assert below(drawn([rota("r", MIDNIGHT, 7, shifts)]), "Sat 21") == "Sat 21  09:00 a → b"

    def test_nobody_is_named_on_either_side_of_a_gap(self) -> None:
        lines = drawn([samples.thirds()])
        assert below(lines, "Mon 23").endswith("17:00 bob → nobody")
        assert below(lines, "Tue 24").startswith("Tue 24  01:00 nobody → alice")

    def test_what_is_left_out_is_counted(self) -> None:
        shifts = [(turn, 1, [f"P{turn % 2}"], None) for turn in range(250)]
        lines = drawn([rota("r", MIDNIGHT, 10, shifts)])
        assert sum(line.count("→") for line in lines) == picture.MOST
        assert "and 39 more hand-overs; with -o json all are there" in "\n".join(lines)

    def test_gaps_that_are_left_out_are_counted(self) -> None:
        shifts = [(turn, 0.5, ["A"], None) for turn in range(240)]
        assert "and 40 more gaps; with -o json all are there" in "\n".join(drawn([rota("r", MIDNIGHT, 10, shifts)]))

    def test_names_stand_whole_below_the_lanes(self) -> None:
        name = "x" * 300
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 9, ["U1"], None)], {"U1": name})])
        assert "x" * 15 + "…" in lines[3]
        assert "".join(line.strip() for line in lines[6:]).count("x") == len(name)


class TestAnyRota:
    @settings(deadline=None, max_examples=50)
    @given(made=ROTAS, tz=ZONES, width=st.integers(40, 200), ahead=st.integers(-50, 1200))
    def test_no_line_is_wider_than_the_screen_and_every_lane_is_filled(
        self, made: Rota, tz: tzinfo | None, width: int, ahead: int
    ) -> None:
        lines = drawn([made], now=made.span.start + ahead * HOUR, tz=tz, width=width)
        assert max(map(cell_len, lines)) <= width
        for user in {user for shift in made.shifts for user in shift.users}:
            assert FILLED & set(lane(lines, user.lower()))
        assert ("╳" in "".join(lines) or "◆" in "".join(lines)) or not made.gaps() or not made.shifts  # noqa: RUF001

    @settings(deadline=None, max_examples=40)
    @given(names=st.lists(st.text(max_size=60), min_size=1, max_size=4), width=st.integers(40, 120))
    def test_any_name_keeps_to_its_line(self, names: list[str], width: int) -> None:
        users = {f"U{index}": name for index, name in enumerate(names)}
        shifts = [(20 * index, 20, [user], index == 1) for index, user in enumerate(users)]
        lines = drawn([rota(names[0], MIDNIGHT, 7, shifts, users)], width=width)
        assert max(map(cell_len, lines)) <= width
        assert not CONTROL.search("".join(lines))

    @settings(deadline=None, max_examples=50)
    @given(made=ROTAS, room=st.integers(10, 200))
    def test_a_cell_that_is_wholly_covered_is_in_a_lane_and_not_in_that_of_nobody(self, made: Rota, room: int) -> None:
        made = in_utc(made)
        grid = Grid.within(made.span, room)
        assert grid.width <= room
        gaps = made.gaps()
        every = lanes(made, made.span.start)
        rows = [(each.user, grid.fill(each.bars)) for each in every]
        for cell in range(grid.width):
            begin = made.span.start + cell * grid.period / grid.per
            whole = Span(begin, min(begin + grid.period / grid.per, made.span.end))
            nobody = any(row[cell] != (FREE, FREE) for user, row in rows if user is None)
            somebody = any(row[cell] != (FREE, FREE) for user, row in rows if user is not None)
            if not any(gap.touches(whole) for gap in gaps):
                assert somebody
                assert not nobody
            elif any(gap.start <= whole.start and gap.end >= whole.end for gap in gaps):
                assert nobody
                assert not somebody

    @settings(deadline=None, max_examples=40)
    @given(made=ROTAS, minutes=st.integers(0, 60 * 24 * 45))
    def test_at_any_time_either_people_or_nobody_are_on_call(self, made: Rota, minutes: int) -> None:
        at = made.span.start + timedelta(minutes=minutes)
        if at < made.span.end:
            holding = {each.user for each in lanes(in_utc(made), at) if each.holds(at)}
            assert holding
            assert None not in holding or len(holding) == 1
