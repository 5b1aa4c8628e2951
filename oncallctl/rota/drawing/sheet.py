"""Shapes and type of an SVG: numbers short, text harmless."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from rich.cells import cell_len

from oncallctl.text import visible

INK = "#1f2328"
ADVANCE = 0.58  # of the size: how wide a character of a sans-serif is, for want of its measures
_NOT_XML = re.compile("[\ufffe\uffff]")  # of what `visible` leaves


def add(parent: ET.Element, tag: str, said: str | None = None, /, **attributes: float | str) -> ET.Element:
    """Add an element; ``stroke_width=2`` is the attribute ``stroke-width``. Its text is made fit for XML."""
    named = {name.replace("_", "-"): _number(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, named)
    if said is not None:
        element.text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(said))
    return element


def write(  # noqa: PLR0913  # what type has
    parent: ET.Element,
    at: tuple[float, float],
    said: str,
    size: int,
    fill: str = INK,
    *,
    bold: bool = False,
    to_the_left: bool = False,
) -> ET.Element:
    """Write a line of text; `at` is where it begins, or ends, on its base line."""
    text = add(parent, "text", said, x=at[0], y=at[1], font_size=size, fill=fill)
    if bold:
        text.set("font-weight", "600")
    if to_the_left:
        text.set("text-anchor", "end")
    return text


def path(*steps: str | float) -> str:
    """The data of a path: letters and numbers."""
    return " ".join(_number(step) for step in steps)


def width(said: str, size: int) -> float:
    """How many pixels wide a text will be, nearly."""
    return cell_len(said) * size * ADVANCE


def _number(value: float | str) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
