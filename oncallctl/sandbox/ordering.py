"""Positions of rows in an order: steps of a chain, routes of an integration, notification rules of a user.

Positions may have gaps: a step that was created at 99 stays there (escalation_policies/create_position_99).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.responses import detail
from oncallctl.sandbox.rows import update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

LAST_POSITION: Final = -1
MAX_POSITION: Final = 2**31 - 1


def last(siblings: Sequence[sqlite3.Row]) -> int:
    """Return the position after all siblings, where a new row starts."""
    return max((row["position"] for row in siblings), default=-1) + 1


def move(db: sqlite3.Connection, table: str, row_id: str, position: int, siblings: Sequence[sqlite3.Row]) -> None:
    """Move a row to a position, and shift the rows between its old and its new position by one.

    Args:
        db: a connection in a transaction.
        table: the table of the rows.
        row_id: the row to move.
        position: the new position; -1 is the last one in use.
        siblings: all rows of the order, including the row.

    Raises:
        HttpError: 400 for a position out of range.
    """
    if position == LAST_POSITION:
        position = last(siblings) - 1
    if not 0 <= position <= MAX_POSITION:
        raise detail("Invalid value for position field")
    (before,) = (row["position"] for row in siblings if row["id"] == row_id)
    for row in siblings:
        if before < row["position"] <= position:
            update(db, table, row["id"], {"position": row["position"] - 1})
        elif position <= row["position"] < before:
            update(db, table, row["id"], {"position": row["position"] + 1})
    update(db, table, row_id, {"position": position})
