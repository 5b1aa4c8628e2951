"""Rows of shift swaps: the beneficiary is relieved by the benefactor who takes the swap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


def status_of(swap: sqlite3.Row, now: float) -> str:
    """Return the status: "taken", "open", or "past_due" if the swap has begun without a benefactor."""
    if swap["benefactor_id"] is not None:
        return "taken"
    return "past_due" if now > swap["swap_start"] else "open"


def effective_swaps(db: sqlite3.Connection, schedule_id: str, now: float) -> list[sqlite3.Row]:
    """Return the taken and open swaps of a schedule, in the order in which they apply."""
    query = "SELECT * FROM shift_swaps WHERE schedule_id = ? ORDER BY created_at, position"
    return [swap for swap in db.execute(query, (schedule_id,)) if status_of(swap, now) != "past_due"]
