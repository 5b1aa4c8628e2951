"""Output in each format."""

import csv
import io
import json
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo

import pytest

from oncallctl.config.settings import Format, Settings
from oncallctl.errors import InvalidInput
from oncallctl.output.render import Secrets, limited, render

ROWS = [
    {"id": "C1", "name": "[prod] api", "route": {"id": "R1"}, "until": "2026-11-21T09:00:00Z", "link": "http://x/s/"},
    {"id": "C2", "name": "a\tb\nc\x1b[31m", "route": None, "until": None, "link": None, "on": True, "n": -5},
]
Out = Callable[..., str]
COLUMNS = {"ID": "id", "NAME": "name", "UNTIL": "until"}


def written(capsys: pytest.CaptureFixture[str], settings: Settings, value: object = ROWS, **options: object) -> str:
    render(settings, value, COLUMNS, **options)  # type: ignore[arg-type]
    captured = capsys.readouterr()
    assert captured.err == ""
    return captured.out


@pytest.fixture
def out(capsys: pytest.CaptureFixture[str]) -> Out:
    return lambda output="table", value=ROWS, **options: written(
        capsys, Settings(output=Format(output), **options), value
    )


def test_json_of_a_list_is_an_array_and_of_an_object_an_object(out: Out) -> None:
    assert [row["id"] for row in json.loads(out("json"))] == ["C1", "C2"]
    assert json.loads(out("json", ROWS[0]))["id"] == "C1"
    assert json.loads(out("json", [])) == []


def test_jsonl_prints_one_object_per_line(out: Out) -> None:
    lines = out("jsonl").splitlines()
    assert [json.loads(line)["name"] for line in lines] == [row["name"] for row in ROWS]


def test_id_prints_one_id_per_line(out: Out) -> None:
    assert out("id") == "C1\nC2\n"


def test_piped_table_is_tab_separated_and_complete(out: Out) -> None:
    lines = out().splitlines()
    assert lines[0].split("\t") == ["ID", "NAME", "UNTIL"]
    assert lines[1].split("\t") == ["C1", "[prod] api", "2026-11-21T09:00:00Z"]


def test_piped_cell_with_tabs_and_line_breaks_stays_one_cell(out: Out) -> None:
    lines = out().splitlines()
    assert len(lines) == 3
    assert lines[2].split("\t") == ["C2", "a\\tb\\nc\\x1b[31m", ""]


def test_table_with_no_header_omits_the_header_line(out: Out) -> None:
    assert len(out(header=False).splitlines()) == 2
    assert out("csv", header=False).startswith("C1")


def test_columns_select_nested_fields(out: Out) -> None:
    lines = out(columns=["id", "route.id"]).splitlines()
    assert [line.split("\t") for line in lines] == [["id", "route.id"], ["C1", "R1"], ["C2", ""]]


def test_field_of_any_kind_is_written_as_text(out: Out) -> None:
    lines = out(value=ROWS[1:], columns=["on", "n", "route", "route.id"]).splitlines()
    assert lines[1].split("\t") == ["true", "-5", "", ""]
    lines = out(value=ROWS[:1], columns=["route", "route.id"]).splitlines()
    assert lines[1].split("\t") == ['{"id": "R1"}', "R1"]


def test_unknown_column_raises_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidInput) as refused:
        render(Settings(columns=["nmae"]), ROWS, COLUMNS)
    assert "name" in str(refused.value.hint)


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=cmd|"/c calc"!A1',
    "\uff1d1+1",
    "\uff0b1",
    "\uff0d1",
    "\uff20A1",
]
SPACES = ["", " ", "\u00a0", "\u202f", "\u3000\u00a0"]


@pytest.mark.promise("data")
def test_cell_that_a_spreadsheet_would_execute_is_text_in_csv_and_in_a_piped_table(out: Out) -> None:
    for name in [f"{space}{formula}" for formula in FORMULAS for space in SPACES]:
        value = [{"id": "C1", "name": name, "until": None}]
        (_, row) = csv.reader(io.StringIO(out("csv", value)))
        (_, line) = out("table", value).splitlines()
        for cell in (row[1], line.split("\t")[1]):
            assert cell.lstrip()[0] not in "=+-@\uff1d\uff0b\uff0d\uff20\t\r", name
            assert cell.endswith(name.strip()[-1]), name


@pytest.mark.parametrize("output", ["csv", "table"])
def test_header_that_a_spreadsheet_would_execute_is_text(capsys: pytest.CaptureFixture[str], output: str) -> None:
    render(Settings(output=Format(output), columns=["=1"]), [{"=1": 1}], COLUMNS)
    assert capsys.readouterr().out.startswith("'=1\n")


def test_time_in_a_pipe_is_to_the_second_and_in_utc_unless_a_zone_is_given(out: Out) -> None:
    for output in ["csv", "table"]:
        for text, zone, shown in [
            ("2026-11-21T05:58:49.122606Z", None, "2026-11-21T05:58:49Z"),
            ("2026-11-21T05:58:49+00:00", None, "2026-11-21T05:58:49Z"),
            ("2026-11-21T07:58:49.5+02:00", None, "2026-11-21T05:58:49Z"),
            ("2026-11-21T05:58:49.122606Z", "Asia/Kolkata", "2026-11-21T11:28:49+05:30"),
            ("2026-11-21T05:58:49Z", "UTC", "2026-11-21T05:58:49Z"),
            ("2026-11-21T05:58:49", None, "2026-11-21T05:58:49"),
            ("0001-01-01T00:00:00+14:00", None, "0001-01-01T00:00:00+14:00"),
            ("since 2026-11-21T05:58:49.1Z", None, "since 2026-11-21T05:58:49.1Z"),
        ]:
            tz = zone and ZoneInfo(zone)
            written = out(output, [{"id": "C1", "name": "n", "until": text}], tz=tz)
            assert re.split(r"[,\t\n]", written)[-2] == shown, (output, text)


@pytest.mark.parametrize("number", ["+12025550101", "+49 30 1234567"])
@pytest.mark.parametrize("output", ["csv", "table"])
def test_phone_number_stays_as_it_is(out: Out, output: str, number: str) -> None:
    text = out(output, [{"id": "C1", "name": number, "until": None}])
    assert number in re.split(r"[,\t\n]", text)


def test_csv_reads_back_with_its_commas_and_quotes(out: Out) -> None:
    name = 'a,"b" [c]'
    rows = list(csv.reader(io.StringIO(out("csv", [{"id": "C1", "name": name, "until": None}]))))
    assert rows == [["ID", "NAME", "UNTIL"], ["C1", name, ""]]


@pytest.mark.promise("links-let-anyone-raise-alerts")
@pytest.mark.parametrize(
    ("output", "secrets", "shown"),
    [
        ("json", Secrets.HIDDEN, False),
        ("json", Secrets.IN_JSON, True),
        ("jsonl", Secrets.IN_JSON, True),
        ("csv", Secrets.IN_JSON, False),
        ("table", Secrets.IN_JSON, False),
        ("csv", Secrets.SHOWN, True),
        ("table", Secrets.SHOWN, True),
    ],
)
def test_secrets_are_masked_by_format(
    capsys: pytest.CaptureFixture[str], output: str, secrets: Secrets, *, shown: bool
) -> None:
    text = written(capsys, Settings(output=Format(output), columns=["link"]), ROWS[:1], secrets=secrets)
    assert ("http://x/s/" in text) is shown


def test_quiet_writes_nothing_and_reads_all_rows(out: Out) -> None:
    seen = []

    def rows() -> object:
        for row in ROWS:
            seen.append(row["id"])
            yield row

    assert out("jsonl", rows(), quiet=True) == ""
    assert seen == ["C1", "C2"]


def test_limit_that_omits_rows_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(limited(Settings(), ROWS, 1)) == ROWS[:1]
    assert "omit --limit" in capsys.readouterr().err
    assert list(limited(Settings(), ROWS, 2)) == ROWS
    assert list(limited(Settings(), ROWS, None)) == ROWS
    assert capsys.readouterr().err == ""
