"""Elements of an SVG: shapes and text."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from rich.cells import cell_len

from oncallctl.text import visible

INK = "#1f2328"
ADVANCE = 0.58  # estimated width of a sans-serif character, relative to its size
_NOT_XML = re.compile("[\ufffe\uffff]")  # not removed by `visible`


def add(parent: ET.Element, tag: str, said: str | None = None, /, **attributes: float | str) -> ET.Element:
    """Add an element; ``stroke_width=2`` is the attribute ``stroke-width``. Its text is escaped for XML."""
    named = {name.replace("_", "-"): _number(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, named)
    if said is not None:
        element.text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(said))
    return element


def write(  # noqa: PLR0913  # the attributes of text
    parent: ET.Element,
    at: tuple[float, float],
    said: str,
    size: int,
    fill: str = INK,
    *,
    bold: bool = False,
    to_the_left: bool = False,
) -> ET.Element:
    """Add a line of text; `at` is its start, or its end with `to_the_left`, on the baseline."""
    text = add(parent, "text", said, x=at[0], y=at[1], font_size=size, fill=fill)
    if bold:
        text.set("font-weight", "600")
    if to_the_left:
        text.set("text-anchor", "end")
    return text


def path(*steps: str | float) -> str:
    """Return the data of a path."""
    return " ".join(_number(step) for step in steps)


def width(said: str, size: int) -> float:
    """Return the estimated width of a text, in pixels."""
    return cell_len(said) * size * ADVANCE


def _number(value: float | str) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
