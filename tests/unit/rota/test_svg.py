"""The rota as an SVG."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings, strategies as st

from oncallctl.rota.drawing import svg
from oncallctl.rota.shifts import Rota
from tests.unit.rota import samples
from tests.unit.rota.samples import BERLIN, HOUR, MIDNIGHT, NOW, ROTAS, ZONES, rota, snapshot

SVG = "{http://www.w3.org/2000/svg}"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ufffe\uffff]")


def document(*rotas: Rota, now: datetime = NOW, tz: tzinfo | None = BERLIN, title: str = "On call") -> ET.Element:
    drawn = svg.draw(rotas, now=now, tz=tz, title=title)
    assert not CONTROL.search(drawn)
    assert "<script" not in drawn
    assert "href" not in drawn
    return ET.fromstring(drawn)


def texts(root: ET.Element, tag: str = "text") -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}{tag}")]


def test_it_looks_as_it_did_when_somebody_looked() -> None:
    rotas = [samples.thirds(), samples.weekly(), samples.together(), samples.empty()]
    snapshot("week.svg", svg.draw(rotas, now=NOW, tz=BERLIN, title="On call"))


def test_it_has_a_ground_of_its_own_behind_all_of_it() -> None:
    root = document(samples.thirds())
    paper = next(root.iterfind(f"{SVG}rect")).attrib
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert (paper["width"], paper["height"]) == (root.attrib["width"], root.attrib["height"])
    assert paper["fill"] == "#ffffff"


def test_each_bar_tells_who_and_from_when_until_when() -> None:
    told = texts(document(samples.thirds(), samples.weekly()), "title")
    assert "alice, Sat 21 Nov 01:00 – 09:00 (8h)" in told  # noqa: RUF001
    assert "dave, Sun 22 Nov 12:00 – 14:00 (2h), override" in told  # noqa: RUF001
    assert "nobody, Mon 23 Nov 17:00 – Tue 24 Nov 01:00 (8h)" in told  # noqa: RUF001
    assert "anna-maria.schneider-hoffmann, Tue 17 Nov 09:00 – Tue 24 Nov 09:00 (7d)" in told  # noqa: RUF001


def test_hand_overs_and_gaps_can_be_read_without_pointing() -> None:
    said = "\n".join(texts(document(samples.thirds())))
    assert "12:00 bob → dave (override)    14:00 dave → bob" in said
    assert "Mon 23 Nov 17:00 – Tue 24 Nov 01:00 (8h)" in said  # noqa: RUF001


def test_a_person_has_the_same_colour_in_every_schedule_and_whoever_is_on_call() -> None:
    def colours(root: ET.Element) -> set[str]:
        groups = [group for group in root.iter(f"{SVG}g") if (group[0].text or "").startswith("bob, ")]
        return {group[1].attrib["fill"] for group in groups}

    first = colours(document(samples.thirds(), samples.weekly()))
    assert len(first) == 1
    assert colours(document(samples.weekly(), samples.thirds(), now=NOW + 24 * HOUR)) == first


def test_a_schedule_without_shifts_says_so() -> None:
    assert "nobody on call in these 7 days" in texts(document(samples.empty()))


def test_what_is_left_out_is_counted() -> None:
    shifts = [(turn, 1, [f"P{turn % 2}"], None) for turn in range(250)]
    assert "and 139 more hand-overs" in texts(document(rota("r", MIDNIGHT, 10, shifts)))


def test_the_legend_explains_only_what_there_is() -> None:
    assert not {"override", "nobody"} & set(texts(document(samples.together())))
    assert {"override", "nobody", "on call"} <= set(texts(document(samples.thirds())))


def test_hostile_names_are_text_and_nothing_else() -> None:
    root = document(samples.hostile(), title=samples.HOSTILE)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "defs", "pattern", "rect", "path", "text", "g")
    }
    assert any("\\x1b[31mroot" in said for said in texts(root))


def test_no_rotas_are_a_picture_too() -> None:
    assert texts(document())[0] == "On call"


@pytest.mark.parametrize("days", [1, 7, 14, 30, 90])
def test_days_or_weeks_are_named_however_many_there_are(days: int) -> None:
    said = texts(document(samples.weekly(days)))
    assert sum(bool(re.fullmatch(r"[A-Z][a-z]{2} \d+( [A-Z][a-z]{2})?", each)) for each in said) >= min(days, 3)


@settings(deadline=None, max_examples=40)
@given(made=ROTAS, tz=ZONES, ahead=st.integers(-50, 1200))
def test_any_rota_is_a_document_with_its_bars_inside(made: Rota, tz: tzinfo | None, ahead: int) -> None:
    root = document(made, now=made.span.start + ahead * HOUR, tz=tz)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for box in (box for group in root.iter(f"{SVG}g") for box in group.iter(f"{SVG}rect")):
        x, y, across, high = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert across > 0
        assert x + across <= width
        assert y + high <= height


@settings(deadline=None, max_examples=40)
@given(names=st.lists(st.text(max_size=40), min_size=1, max_size=3), title=st.text(max_size=40))
def test_any_name_is_fit_for_xml(names: list[str], title: str) -> None:
    users = {f"U{index}": name for index, name in enumerate(names)}
    shifts = [(20 * index, 20, [user], index == 1) for index, user in enumerate(users)]
    document(rota(names[0], MIDNIGHT, 7, shifts, users), title=title)
