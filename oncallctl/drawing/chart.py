"""The content of a timeline, for all drawings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rich.text import Text

from oncallctl.times import Span

RED = "red"  # the color of warnings in texts below the lanes


class Kind(IntEnum):
    """Appearance of a segment. If segments of a lane overlap, the one of the greatest kind is on top."""

    REGULAR = 1
    SPECIAL = 2
    ALARM = 3


Labels = Mapping[Kind, str]


@dataclass(frozen=True)
class Segment:
    """A time span in a lane. The part outside the chart's span is not drawn."""

    span: Span
    kind: Kind = Kind.REGULAR


@dataclass(frozen=True)
class Lane:
    """A row of segments with a name.

    Attributes:
        key: determines the color, which is the same in all charts of a drawing; None is red.
        name: text from the server, escaped with `oncallctl.text.caption`.
    """

    key: str | None
    name: str
    segments: tuple[Segment, ...]

    def at(self, instant: datetime) -> Segment | None:
        """Return the topmost segment at an instant, or None."""
        return max(
            (segment for segment in self.segments if segment.span.contains(instant)),
            key=lambda segment: segment.kind,
            default=None,
        )


@dataclass(frozen=True)
class Listing:
    """A list below the lanes, with a label before the first item.

    Attributes:
        lead: the label.
        pieces: the items, escaped. One is wrapped only if it is longer than a line.
        is_alarm: True to show the label as a warning.
    """

    lead: str
    pieces: Sequence[Text]
    is_alarm: bool = False


@dataclass(frozen=True)
class Chart:
    """A timeline with one span.

    Attributes:
        title: escaped text.
        span: the time to draw, not empty.
        lanes: from top to bottom; each segment overlaps the span.
        labels: the meaning of each kind of segment in use.
        lists: the lists below the lanes.
        empty: the sentence that replaces an empty list of lanes.
    """

    title: str
    span: Span
    lanes: Sequence[Lane]
    labels: Labels
    lists: Sequence[Listing] = ()
    empty: str = "nothing"


def color_indexes(charts: Iterable[Chart], count: int) -> dict[str, int]:
    """Return the index of a color for the key of each lane, the same in every chart."""
    keys = sorted({lane.key for chart in charts for lane in chart.lanes if lane.key is not None})
    return {key: index % count for index, key in enumerate(keys)}


def all_labels(charts: Iterable[Chart]) -> Labels:
    """Return the meaning of each kind of segment in these charts, for a legend."""
    return {kind: label for chart in charts for kind, label in chart.labels.items()}
