"""Rows of tables, read by ID and written by column name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

# Names of tables and columns come from this package; values are always bound.


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    """Insert a row."""
    columns, values = ", ".join(row), ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", tuple(row.values()))  # noqa: S608 - see above


def update(db: sqlite3.Connection, table: str, row_id: str, changes: Mapping[str, object]) -> None:
    """Change columns of the row with an ID; do nothing if there are no changes."""
    if changes:
        columns = ", ".join(f"{name} = ?" for name in changes)
        db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*changes.values(), row_id))  # noqa: S608 - see above


def delete(db: sqlite3.Connection, table: str, row_id: str) -> None:
    """Delete the row with an ID."""
    db.execute(f"DELETE FROM {table} WHERE id = ?", (row_id,))  # noqa: S608 - see above


def by_id(db: sqlite3.Connection, table: str, row_id: object) -> sqlite3.Row | None:
    """Return the row with an ID, or None."""
    return first_where(db, table, "id", row_id)


def existing(db: sqlite3.Connection, table: str, row_id: str) -> sqlite3.Row:
    """Return a row that is known to exist.

    Raises:
        LookupError: there is no such row.
    """
    row = by_id(db, table, row_id)
    if row is None:
        raise LookupError(f"no {row_id} in {table}")
    return row


def first_where(db: sqlite3.Connection, table: str, column: str, value: object) -> sqlite3.Row | None:
    """Return the first row with a text in a column, or None."""
    query = f"SELECT * FROM {table} WHERE {column} = ?"  # noqa: S608 - see above
    try:
        row: sqlite3.Row | None = db.execute(query, (str(value),)).fetchone()
    except UnicodeEncodeError:
        # JSON can name half of a surrogate pair; no row has one.
        return None
    return row
