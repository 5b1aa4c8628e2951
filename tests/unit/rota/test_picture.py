"""The rota in a terminal, at 80 and 140 columns, with and without color."""

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

from oncallctl.drawing import terminal
from oncallctl.drawing.grid import Grid
from oncallctl.drawing.local_time import LocalTime
from oncallctl.rota.charts import MOST, chart, lanes
from oncallctl.rota.handovers import handovers
from oncallctl.rota.regular_handovers import regular
from oncallctl.rota.shifts import Rota, Shift
from oncallctl.times import Span
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

AUTUMN = datetime(2026, 10, 23, 22, tzinfo=UTC)  # midnight in Berlin, Saturday 24 October
SPRING = datetime(2026, 3, 27, 23, tzinfo=UTC)  # midnight in Berlin, Saturday 28 March
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e]")
FILLED = set("█▌▐▒◆◇")
CROSS, DASH = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}", "\N{EN DASH}"

PICTURES: dict[str, Callable[[], tuple[list[Rota], datetime]]] = {
    "week": lambda: ([samples.thirds(), samples.weekly(), samples.together(), samples.empty()], NOW),
    "month": lambda: ([samples.thirds(30), samples.weekly(30)], NOW),
    "autumn": lambda: ([samples.nights(AUTUMN)], AUTUMN + 26.6 * HOUR),
    "spring": lambda: ([samples.nights(SPRING)], SPRING + 80 * HOUR),
    "day": lambda: ([rota("today", MIDNIGHT, 1, [(-7, 16, ["ALICE"], None), (9, 0.1, ["BOB"], None)])], NOW - DAY),
    "hostile": lambda: ([samples.hostile()], NOW),
}


def drawn(rotas: Sequence[Rota], *, now: datetime = NOW, tz: tzinfo | None = BERLIN, width: int = 80) -> list[str]:
    return [line.plain for line in draw(rotas, now=now, tz=tz, width=width)]


def draw(
    rotas: Sequence[Rota], *, now: datetime = NOW, tz: tzinfo | None = BERLIN, width: int = 80, plain: bool = False
) -> list[Text]:
    charts = [chart(each, now=now, tz=tz) for each in rotas]
    return terminal.draw(charts, now=now, tz=tz, width=width, plain=plain)


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
    """Return the first line of a list, with two spaces after its lead."""
    line = next(line.strip() for line in lines if line.startswith(f"  {lead}"))
    return re.sub("  +", "  ", line, count=1)


class TestSnapshots:
    @pytest.mark.parametrize("width", [80, 140])
    @pytest.mark.parametrize("name", PICTURES)
    def test_rota_drawn_on_a_terminal_matches_its_snapshot(self, name: str, width: int) -> None:
        rotas, now = PICTURES[name]()
        lines = draw(rotas, now=now, width=width)
        snapshot(f"{name}-{width}.txt", printed(lines, width, color=False))
        snapshot(f"{name}-{width}.ansi", printed(lines, width, color=True))

    def test_rota_drawn_at_40_columns_matches_its_snapshot(self) -> None:
        lines = draw([samples.thirds(), samples.together()], width=40)
        snapshot("week-40.txt", printed(lines, 40, color=False))

    def test_rota_on_an_ascii_terminal_has_only_ascii(self) -> None:
        lines = draw([samples.thirds()], plain=True)
        snapshot("week-80-plain.txt", "".join(f"{line.plain}\n" for line in lines))
        assert all(line.plain.isascii() for line in lines)

    @pytest.mark.parametrize("tz", [None, UTC, BERLIN])
    def test_rota_without_color_has_the_same_characters(self, tz: tzinfo | None) -> None:
        lines = draw([samples.thirds(), samples.hostile()], tz=tz, width=100)
        assert Text.from_ansi(printed(lines, 100, color=True)).plain.strip("\n") == printed(
            lines, 100, color=False
        ).strip("\n")


class TestLanes:
    def test_lanes_start_with_people_on_call_now_and_end_with_nobody(self) -> None:
        names = [each.name for each in lanes(samples.thirds(), NOW)]
        assert names == ["dave", "carol", "alice", "bob", "nobody"]

    def test_now_is_marked_in_all_lanes_and_differently_for_people_on_call(self) -> None:
        lines = drawn([samples.together()], now=NOW + 3 * HOUR)
        cell = next(line for line in lines if "▼" in line).index("▼")
        assert [lane(lines, name)[cell] for name in ("bob", "carol", "alice")] == ["◆", "┃", "┃"]

    def test_now_outside_the_span_is_not_marked(self) -> None:
        text = "\n".join(drawn([samples.thirds()], now=MIDNIGHT - HOUR))
        assert not set("▼◆◇┃") & set(text)

    def test_override_is_hatched_only_if_the_server_reports_it(self) -> None:
        reported, unreported = (
            drawn([rota("r", MIDNIGHT, 7, [(0, 168, ["A"], override)])]) for override in (True, None)
        )
        assert "▒" in lane(reported, "a")
        assert "▒ override" in reported[-1]
        assert "▒" not in "\n".join(unreported)

    def test_shift_of_a_minute_is_visible(self) -> None:
        lines = drawn([rota("r", MIDNIGHT, 30, [(0, 720, ["A"], False), (300, 1 / 60, ["B"], None)])], width=40)
        assert FILLED & set(lane(lines, "b"))

    def test_gap_of_a_minute_is_visible_and_listed(self) -> None:
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 30, ["A"], None), (30 + 1 / 60, 200, ["A"], None)])])
        assert lane(lines, "nobody").count(CROSS) == 1
        assert below(lines, "gaps") == f"gaps  Sun 22 06:00 {DASH} 06:01 (1m)"

    def test_schedule_without_shifts_is_one_sentence(self) -> None:
        assert drawn([samples.empty()])[1:] == ["nobody on call in these 7 days"]

    def test_lanes_of_several_schedules_are_aligned(self) -> None:
        lines = drawn([samples.together(), samples.weekly()])
        assert len({line.index("Sat 21") for line in lines if "Sun 22  " in line and "Sat 21" in line}) == 1

    def test_people_of_the_same_name_have_their_ids(self) -> None:
        names = {"U1": "sam", "U2": "sam"}
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 9, ["U1"], None), (9, 200, ["U2"], None)], names)])
        assert below(lines, "Sat 21") == "Sat 21  09:00 sam (U1) → sam (U2)"


class TestDays:
    @pytest.mark.parametrize(("start", "hours"), [(AUTUMN, 25), (SPRING, 23)])
    def test_day_of_23_or_25_hours_has_the_right_cells(self, start: datetime, hours: int) -> None:
        lines = drawn([samples.nights(start)], now=start, width=80)
        days = next(line for line in lines if "Mon" in line and "Tue" in line)
        cell = HOUR * 24 / 9
        columns = {name: days.index(name) - days.index("Sat") for name in ("Sun", "Mon", "Tue")}
        ends = {"Sun": 24 * HOUR, "Mon": (24 + hours) * HOUR, "Tue": (48 + hours) * HOUR}
        assert columns == {name: end // cell for name, end in ends.items()}
        assert below(lines, "every day") == "every day  09:00 alice → bob → alice → …"
        assert f"has {hours} hours" in "\n".join(lines)

    def test_repeated_time_has_its_zone(self) -> None:
        line = below(drawn([samples.nights(AUTUMN)], now=AUTUMN), "Sun 25")
        assert line.startswith("Sun 25  02:30 (CEST) bob → bob + carol   02:30 (CET) bob + carol → bob")

    def test_zone_by_default_is_that_of_the_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TZ", "Europe/Berlin")
        time.tzset()
        try:
            local = drawn([samples.nights(AUTUMN)], now=AUTUMN, tz=None)
        finally:
            monkeypatch.undo()
            time.tzset()
        named = drawn([samples.nights(AUTUMN)], now=AUTUMN)
        assert local[1:] == named[1:]
        assert local[0].endswith(f"Sat 24 {DASH} Fri 30 Oct 2026, CEST/CET")

    def test_times_in_a_zone_with_dst_are_drawn_like_those_in_utc(self) -> None:
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

    def test_axis_of_any_length_has_labels(self) -> None:
        for days in [1, 2, 3, 7, 10, 14, 20, 28, 31, 60, 90]:
            for width in [40, 80, 140]:
                lines = drawn([samples.weekly(days)], now=MIDNIGHT, width=width)
                row = lines[lines.index(next(line for line in lines if "▼" in line)) - 1]
                assert len(row.split()) >= min(days, 3), (days, width)


class TestHandovers:
    def test_handover_omits_people_who_stay(self) -> None:
        shifts = [(0, 168, ["C"], None), (0, 9, ["A"], None), (9, 200, ["B"], None)]
        assert below(drawn([rota("r", MIDNIGHT, 7, shifts)]), "Sat 21") == "Sat 21  09:00 a → b"

    def test_handover_at_a_gap_is_from_or_to_nobody(self) -> None:
        lines = drawn([samples.thirds()])
        assert below(lines, "Mon 23").endswith("17:00 bob → nobody")
        assert below(lines, "Tue 24").startswith("Tue 24  01:00 nobody → alice")

    def test_handovers_beyond_the_limit_are_counted(self) -> None:
        shifts = [(1.1 * turn, 1.1, [f"P{turn % 2}"], None) for turn in range(250)]
        lines = drawn([rota("r", MIDNIGHT, 10, shifts)])
        assert sum(line.count("→") for line in lines) == MOST
        assert "and 118 more handovers; -o json lists all" in "\n".join(lines)

    def test_handovers_of_every_day_are_one_line_with_the_exceptions(self) -> None:
        lines = drawn([samples.thirds(30)], width=140)
        assert below(lines, "every day").split("   ") == [
            "every day  01:00 carol → alice (not Tue 24 Nov, Thu 26 Nov)",
            "09:00 alice → bob (not Thu 26 Nov)",
            "17:00 bob → carol (not Mon 23 Nov)",
        ]
        assert below(lines, "Tue 24 Nov") == "Tue 24 Nov  01:00 nobody → alice"
        assert not [line for line in lines if line.startswith("  Wed")]

    @pytest.mark.parametrize(
        ("days", "line"),
        [
            (7, "Tue 24  09:00 anna → bob"),
            (14, "every Tue  09:00 anna → bob → carol"),
            (30, "every Tue  09:00 anna → bob → carol → anna → …"),
        ],
    )
    def test_handovers_of_a_weekday_are_one_line_from_two_weeks_on(self, days: int, line: str) -> None:
        shifts = [(-87 + 168 * turn, 168, (("ANNA", "BOB", "CAROL")[turn % 3],), None) for turn in range(6)]
        lines = drawn([rota("r", MIDNIGHT, days, shifts)])
        assert below(lines, line[:5]) == line
        assert sum("→" in each for each in lines) == 1

    def test_handovers_of_a_weekday_with_an_irregular_turn_are_listed(self) -> None:
        turns = ["A", "B", "A", "C", "A", "D", "B", "C", "D", "A", "C", "B"]
        shifts = [(-87 + 168 * turn, 168, (user,), None) for turn, user in enumerate(turns)]
        lines = drawn([rota("r", MIDNIGHT, 75, shifts)])
        assert "every" not in "\n".join(lines)
        assert sum("→" in line for line in lines) == 11

    @settings(deadline=None, max_examples=50)
    @given(made=ROTAS, tz=ZONES)
    def test_regular_handovers_of_any_rota_state_only_handovers_that_happen(
        self, made: Rota, tz: tzinfo | None
    ) -> None:
        changes = list(handovers(made))
        local = LocalTime(tz)
        for each in regular(changes, made.span, local):
            assert set(each.handovers) <= set(changes)
            assert {f"{local.at(change.at):%H:%M}" for change in each.handovers} == {each.clock}

    def test_gaps_beyond_the_limit_are_counted(self) -> None:
        shifts = [(turn, 0.5, ["A"], None) for turn in range(240)]
        assert "and 140 more gaps; -o json lists all" in "\n".join(drawn([rota("r", MIDNIGHT, 10, shifts)]))

    def test_long_name_is_complete_below_the_lanes(self) -> None:
        name = "x" * 300
        lines = drawn([rota("r", MIDNIGHT, 7, [(0, 9, ["U1"], None)], {"U1": name})])
        assert "x" * 15 + "…" in lines[3]
        assert "".join(line.strip() for line in lines[6:]).count("x") == len(name)


class TestAnyRota:
    @settings(deadline=None, max_examples=50)
    @given(made=ROTAS, tz=ZONES, width=st.integers(40, 200), ahead=st.integers(-50, 1200))
    def test_any_rota_fits_the_screen_and_fills_every_lane(
        self, made: Rota, tz: tzinfo | None, width: int, ahead: int
    ) -> None:
        lines = drawn([made], now=made.span.start + ahead * HOUR, tz=tz, width=width)
        assert max(map(cell_len, lines)) <= width
        for user in {user for shift in made.shifts for user in shift.users}:
            assert FILLED & set(lane(lines, user.lower()))
        assert {CROSS, "◆"} & set("".join(lines)) or not made.gaps() or not made.shifts

    @settings(deadline=None, max_examples=40)
    @given(names=st.lists(st.text(max_size=60), min_size=1, max_size=4), width=st.integers(40, 120))
    def test_any_name_fits_the_screen_without_control_characters(self, names: list[str], width: int) -> None:
        users = {f"U{index}": name for index, name in enumerate(names)}
        shifts = [(20 * index, 20, [user], index == 1) for index, user in enumerate(users)]
        lines = drawn([rota(names[0], MIDNIGHT, 7, shifts, users)], width=width)
        assert max(map(cell_len, lines)) <= width
        assert not CONTROL.search("".join(lines))

    @settings(deadline=None, max_examples=50)
    @given(made=ROTAS, room=st.integers(10, 200))
    def test_cell_that_is_covered_is_filled_for_people_and_not_for_nobody(self, made: Rota, room: int) -> None:
        grid = Grid.finest(made.span, room)
        assert grid.width <= room
        gaps = made.gaps()
        every = lanes(made, made.span.start)
        rows = [(each.key, grid.fill(each.segments)) for each in every]
        for cell in range(grid.width):
            begin = made.span.start + cell * grid.period / grid.cells_per_period
            interval = Span(begin, min(begin + grid.period / grid.cells_per_period, made.span.end))
            nobody = any(any(row[cell]) for key, row in rows if key is None)
            somebody = any(any(row[cell]) for key, row in rows if key is not None)
            if not any(gap.touches(interval) for gap in gaps):
                assert somebody
                assert not nobody
            elif any(gap.start <= interval.start and gap.end >= interval.end for gap in gaps):
                assert nobody
                assert not somebody

    @settings(deadline=None, max_examples=40)
    @given(made=ROTAS, minutes=st.integers(0, 60 * 24 * 45))
    def test_any_instant_belongs_to_people_or_to_nobody(self, made: Rota, minutes: int) -> None:
        at = made.span.start + timedelta(minutes=minutes)
        if at < made.span.end:
            holding = {each.key for each in lanes(made, at) if each.at(at)}
            assert holding
            assert None not in holding or len(holding) == 1
