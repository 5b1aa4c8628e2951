"""Elements of an SVG: shapes, text, and colors that follow the viewer's light or dark theme."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple
from xml.etree import ElementTree as ET

from rich.cells import cell_len

from oncallctl.text import visible

ADVANCE = 0.58  # estimated width of a sans-serif character, relative to its size
_NOT_XML = re.compile("[\ufffe\uffff]")  # characters that XML forbids and `visible` keeps


class Color(NamedTuple):
    """A color in the light and in the dark theme; `name` is used in CSS class names."""

    name: str
    light: str
    dark: str


INK = Color("ink", "#1f2328", "#e6edf3")


@dataclass(frozen=True)
class TextStyle:
    """The style of a text; `from_end` aligns the end of the text with its position, instead of the start."""

    size: int
    color: Color | str = INK
    bold: bool = False
    from_end: bool = False


def add(parent: ET.Element, tag: str, text: str | None = None, /, **attributes: float | str | Color) -> ET.Element:
    """Add an element; ``stroke_width=2`` is the attribute ``stroke-width``. Its text is escaped for XML.

    A `Color` sets the light value and a class, for which `dark_theme` sets the dark value. Programs without support for
    style sheets thus draw the light theme.
    """
    element = ET.SubElement(parent, tag)
    classes = []
    for key, value in attributes.items():
        name = key.replace("_", "-")
        if isinstance(value, Color):
            classes.append(_class(name, value))
            element.set(name, value.light)
        else:
            element.set(name, _number(value))
    if classes:
        element.set("class", " ".join(classes))
    if text is not None:
        element.text = _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", visible(text))
    return element


def dark_theme(*colors: Color) -> str:
    """Return the style sheet with the dark values of colors. No escaping is needed: the server sends none of it."""
    rules = "".join(f".{_class(use, each)}{{{use}:{each.dark}}}" for each in colors for use in ("fill", "stroke"))
    return f"@media (prefers-color-scheme:dark){{{rules}}}"


def write(parent: ET.Element, at: tuple[float, float], text: str, style: TextStyle) -> ET.Element:
    """Add a line of text; `at` is the start of its baseline, or the end if `style.from_end` is True."""
    element = add(parent, "text", text, x=at[0], y=at[1], font_size=style.size, fill=style.color)
    if style.bold:
        element.set("font-weight", "600")
    if style.from_end:
        element.set("text-anchor", "end")
    return element


def path(*steps: str | float) -> str:
    """Return the attribute ``d`` of a path."""
    return " ".join(_number(step) for step in steps)


def width(text: str, size: int) -> float:
    """Return the estimated width of a text, in pixels."""
    return cell_len(text) * size * ADVANCE


def _class(attribute: str, color: Color) -> str:
    """Return a CSS class name. The prefix prevents conflicts with a page that embeds the SVG."""
    return f"oncallctl-{attribute}-{color.name}"


def _number(value: float | str) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
