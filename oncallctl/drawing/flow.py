"""Line wrapping of text in pieces."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, set_cell_size
from rich.text import Text

APART = "   "


def flow(lead: Text, pieces: Iterable[Text], width: int) -> list[Text]:
    """Lay out pieces in lines. A piece is broken only if it does not fit on one line.

    Args:
        lead: the start of the first line; the other lines are indented by its width.
        pieces: the pieces, in order.
        width: the width of the screen, in cells.
    """
    hang = lead.cell_len
    lines = [lead.copy()]
    for piece in pieces:
        first, *rest = wrap(piece, width - hang)
        if lines[-1].cell_len == hang:
            lines[-1].append_text(first)
        elif not rest and lines[-1].cell_len + len(APART) + first.cell_len <= width:
            lines[-1].append(APART).append_text(first)
        else:
            lines.append(Text(" " * hang).append_text(first))
        lines += [Text(" " * hang).append_text(part) for part in rest]
    return lines


def wrap(text: Text, width: int) -> list[Text]:
    """Return a text in parts of at most `width` cells, broken between words if possible."""
    parts = []
    while text.cell_len > width:
        fits = max(1, len(chop_cells(text.plain, width)[0]))
        space = text.plain.rfind(" ", 1, fits + 1)
        parts.append(text[: space if space > 0 else fits])
        text = text[space + 1 if space > 0 else fits :]
    return [*parts, text]


def truncate(text: str, width: int) -> str:
    """Return a text truncated to at most `width` cells, with an ellipsis."""
    return text if cell_len(text) <= width else set_cell_size(text, width - 1).rstrip() + "…"
