"""The order of rows that stand in one: the steps of a chain, the routes of an integration.

Positions need not follow one another: what was put at 99 stays there (escalation_policies/create_position_99).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oncallctl.sandbox.answers import detail
from oncallctl.sandbox.rows import update

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

TO_THE_END: Final = -1
LAST: Final = 2**31 - 1


def after(neighbours: Sequence[sqlite3.Row]) -> int:
    """Say the position behind all others, which is where a new row is put before it is moved."""
    return max((row["position"] for row in neighbours), default=-1) + 1


def move(db: sqlite3.Connection, table: str, row_id: str, position: int, neighbours: Sequence[sqlite3.Row]) -> None:
    """Move a row, and those between its old and its new position by one.

    Args:
        db: a connection inside a transaction.
        table: where the rows are.
        row_id: the row to move.
        position: where to; -1 is the last position that is taken.
        neighbours: all rows of its order, itself among them.

    Raises:
        Refusal: 400 for a position that cannot be.
    """
    if position == TO_THE_END:
        position = after(neighbours) - 1
    if not 0 <= position <= LAST:
        raise detail("Invalid value for position field")
    (before,) = (row["position"] for row in neighbours if row["id"] == row_id)
    for row in neighbours:
        if before < row["position"] <= position:
            update(db, table, row["id"], {"position": row["position"] - 1})
        elif position <= row["position"] < before:
            update(db, table, row["id"], {"position": row["position"] + 1})
    update(db, table, row_id, {"position": position})
