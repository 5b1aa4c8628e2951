"""Tables that fit the terminal."""

import io
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from oncallctl.config.settings import Settings
from oncallctl.output.columns import Columns
from oncallctl.output.table import layout

COLUMNS = {"ID": "id", "STATE": "state", "NAME": "name", "TEAM": "team", "NOTES": "notes"}
ROW = {
    "id": "C5BPMMTY9FMXJ",
    "state": "acknowledged",
    "name": "checkout in the old data center",
    "team": "platform engineering",
    "notes": "moves to the new cluster in spring",
}
NO_COLOR = Settings(color=False)


def shown(
    monkeypatch: pytest.MonkeyPatch,
    rows: Sequence[dict[str, Any]],
    width: int,
    settings: Settings = NO_COLOR,
    columns: Columns = COLUMNS,
) -> list[str]:
    """Return the lines of a table on a terminal of this width, without the spaces at their ends."""
    monkeypatch.setenv("COLUMNS", str(width))
    screen = Console(file=io.StringIO(), width=1000)
    screen.print(layout(settings, rows, columns))
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]  # type: ignore[attr-defined]


def test_wide_terminal_shows_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    header, row = shown(monkeypatch, [ROW], 150)
    assert header.split() == list(COLUMNS)
    assert all(value in row for value in ROW.values())


def test_narrow_terminal_truncates_columns_that_identify_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _, row = shown(monkeypatch, [ROW], 100)
    assert ROW["name"] in row
    assert ROW["notes"] not in row
    assert len(row) <= 100


def test_narrower_terminal_hides_them_with_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    header, row = shown(monkeypatch, [ROW], 66)
    assert header.split() == ["ID", "STATE", "NAME", "…"]
    assert ROW["name"] in row
    assert len(row) <= 66


def test_terminal_of_40_cells_keeps_ids_and_states(monkeypatch: pytest.MonkeyPatch) -> None:
    header, row = shown(monkeypatch, [ROW], 40)
    assert row.startswith("C5BPMMTY9FMXJ  acknowledged  checkou…")
    assert len(header) <= 40


def test_long_name_of_one_row_leaves_room_for_the_columns_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    _, row, long = shown(monkeypatch, [ROW, {**ROW, "name": "x" * 5000}], 120)
    assert "platform" in row
    assert len(long) <= 120


def test_url_is_complete_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"https://grafana.example.com/{'a' * 80}"
    _, row = shown(monkeypatch, [{**ROW, "notes": url}], 80)
    assert url in row


def test_chosen_columns_are_never_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ["id", "name", "team", "notes"]
    settings = Settings(color=False, columns=chosen)
    header, row = shown(monkeypatch, [ROW], 60, settings, {each: each for each in chosen})
    assert header.split() == chosen
    assert len(row) <= 60


@pytest.mark.parametrize(
    ("outcomes", "headers"),
    [
        (["done", "done"], ["NAME"]),
        (["done", "failed"], ["NAME", "OUTCOME"]),
        (["failed", "failed"], ["NAME", "OUTCOME"]),
    ],
)
def test_constant_outcome_is_hidden_unless_it_is_a_failure(
    monkeypatch: pytest.MonkeyPatch, outcomes: list[str], headers: list[str]
) -> None:
    rows = [{"name": "a", "outcome": each} for each in outcomes]
    header, *_ = shown(monkeypatch, rows, 80, columns={"NAME": "name", "OUTCOME": "outcome"})
    assert header.split() == headers


@pytest.mark.parametrize(
    ("width", "expected"),
    [("100", "Thu 26 Nov 00:00 (in 20h 30m)"), ("60", "Thu 26 Nov 00:00"), ("30", "Thu 26 Nov 00:00")],
)
def test_times_of_a_calendar_are_dates_and_relative_times_are_dropped_first(
    width: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setattr("oncallctl.output.table.now", lambda: datetime(2026, 11, 25, 3, 30, tzinfo=UTC))
    rows = [{"a": "2026-11-26T00:00:00Z", "b": "2027-01-02T08:00:00+00:00", "c": "x" * 20}]
    made = layout(Settings(tz=ZoneInfo("UTC")), rows, {"FROM": "a", "UNTIL": "b", "WHO": "c"}, calendar=True)
    cells = [str(next(iter(column.cells))) for column in made.columns]
    assert cells[0] == expected
    if width == "100":
        assert cells[1].startswith("Sat 2 Jan 2027 08:00 (in 38d")
