"""The rota as SVG."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo
from xml.etree import ElementTree as ET

from hypothesis import given, settings, strategies as st

from oncallctl.drawing import svg
from oncallctl.rota.charts import chart
from oncallctl.rota.shifts import Rota
from tests.unit.rota import samples
from tests.unit.rota.samples import BERLIN, HOUR, MIDNIGHT, NOW, ROTAS, ZONES, rota, snapshot

DASH = "\N{EN DASH}"
SVG = "{http://www.w3.org/2000/svg}"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ufffe\uffff]")


def document(*rotas: Rota, now: datetime = NOW, tz: tzinfo | None = BERLIN, title: str = "On call") -> ET.Element:
    drawn = svg.draw([chart(each, now=now, tz=tz) for each in rotas], now=now, tz=tz, title=title)
    assert not CONTROL.search(drawn)
    assert "<script" not in drawn
    assert "href" not in drawn
    return ET.fromstring(drawn)


def texts(root: ET.Element, tag: str = "text") -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}{tag}")]


def test_rota_drawn_as_svg_matches_its_snapshot() -> None:
    rotas = [samples.thirds(), samples.weekly(), samples.together(), samples.empty()]
    snapshot(
        "week.svg", svg.draw([chart(each, now=NOW, tz=BERLIN) for each in rotas], now=NOW, tz=BERLIN, title="On call")
    )


def test_svg_has_a_background_of_its_size() -> None:
    root = document(samples.thirds())
    paper = next(root.iterfind(f"{SVG}rect")).attrib
    assert root.attrib["viewBox"] == f"0 0 {root.attrib['width']} {root.attrib['height']}"
    assert (paper["width"], paper["height"]) == (root.attrib["width"], root.attrib["height"])
    assert paper["fill"] == "#ffffff"


def test_segments_have_tooltips_with_name_and_times() -> None:
    assert {
        f"alice, Sat 21 Nov 01:00 {DASH} 09:00 (8h)",
        f"dave, Sun 22 Nov 12:00 {DASH} 14:00 (2h), override",
        f"nobody, Mon 23 Nov 17:00 {DASH} Tue 24 Nov 01:00 (8h)",
        f"anna-maria.schneider-hoffmann, Tue 17 Nov 09:00 {DASH} Tue 24 Nov 09:00 (7d)",
    } <= set(texts(document(samples.thirds(), samples.weekly()), "title"))


def test_handovers_and_gaps_are_listed_as_text() -> None:
    lines = texts(document(samples.thirds()))
    assert "12:00 bob → dave (override)    14:00 dave → bob" in lines
    assert any(f"Mon 23 17:00 {DASH} Tue 24 01:00 (8h)" in line for line in lines)


def test_person_in_several_schedules_has_one_color() -> None:
    def colors(root: ET.Element) -> set[str]:
        groups = [group for group in root.iter(f"{SVG}g") if (group[0].text or "").startswith("bob, ")]
        return {group[1].attrib["fill"] for group in groups}

    first = colors(document(samples.thirds(), samples.weekly()))
    assert len(first) == 1
    assert colors(document(samples.weekly(), samples.thirds(), now=NOW + 24 * HOUR)) == first


def test_schedule_without_shifts_is_one_sentence() -> None:
    assert "nobody on call in these 7 days" in texts(document(samples.empty()))


def test_handovers_beyond_the_limit_are_counted() -> None:
    shifts = [(1.1 * turn, 1.1, [f"P{turn % 2}"], None) for turn in range(250)]
    assert "and 118 more handovers; -o json lists all" in texts(document(rota("r", MIDNIGHT, 10, shifts)))


def test_svg_in_a_dark_theme_replaces_the_color_of_every_class() -> None:
    root = document(samples.thirds(), samples.empty())
    (style,) = texts(root, "style")
    media, _, rules = style.partition("{")
    assert media == "@media (prefers-color-scheme:dark)"
    dark = dict(re.findall(r"\.([\w-]+)\{(?:fill|stroke):(#[0-9a-f]{6})\}", rules))
    used = {name for element in root.iter() for name in element.attrib.get("class", "").split()}
    assert used <= dark.keys()
    assert (dark["oncallctl-fill-paper"], dark["oncallctl-fill-ink"]) == ("#0d1117", "#e6edf3")


def test_legend_has_only_the_kinds_in_use() -> None:
    assert not {"override", "nobody"} & set(texts(document(samples.together())))
    assert {"override", "nobody", "on call"} <= set(texts(document(samples.thirds())))


def test_hostile_names_add_no_elements() -> None:
    root = document(samples.hostile(), title=samples.HOSTILE)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} == {
        *("svg", "title", "style", "defs", "pattern", "rect", "path", "text", "g")
    }
    assert any("\\x1b[31mroot" in text for text in texts(root))


def test_svg_without_rotas_has_its_title() -> None:
    assert texts(document())[0] == "On call"


def test_axis_of_any_length_has_labels() -> None:
    for days in [1, 7, 14, 30, 90]:
        lines = texts(document(samples.weekly(days)))
        assert sum(bool(re.fullmatch(r"([A-Z][a-z]{2} )?\d+( [A-Z][a-z]{2})?", each)) for each in lines) >= min(
            days, 3
        ), days


@settings(deadline=None, max_examples=40)
@given(made=ROTAS, tz=ZONES, ahead=st.integers(-50, 1200))
def test_any_rota_is_a_document_that_contains_its_segments(made: Rota, tz: tzinfo | None, ahead: int) -> None:
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
def test_any_name_is_valid_xml(names: list[str], title: str) -> None:
    users = {f"U{index}": name for index, name in enumerate(names)}
    shifts = [(20 * index, 20, [user], index == 1) for index, user in enumerate(users)]
    document(rota(names[0], MIDNIGHT, 7, shifts, users), title=title)
