"""Writing rows whose columns are known by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

# Names of tables and columns come from this package; values are always bound.


def insert(db: sqlite3.Connection, table: str, row: Mapping[str, object]) -> None:
    """Insert a row."""
    columns, values = ", ".join(row), ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({values})", tuple(row.values()))  # noqa: S608


def update(db: sqlite3.Connection, table: str, row_id: str, changes: Mapping[str, object]) -> None:
    """Change columns of the row with an id; no columns is no change."""
    if changes:
        columns = ", ".join(f"{name} = ?" for name in changes)
        db.execute(f"UPDATE {table} SET {columns} WHERE id = ?", (*changes.values(), row_id))  # noqa: S608


def delete(db: sqlite3.Connection, table: str, row_id: str) -> None:
    """Delete the row with an id."""
    db.execute(f"DELETE FROM {table} WHERE id = ?", (row_id,))  # noqa: S608


def by_id(db: sqlite3.Connection, table: str, row_id: object) -> sqlite3.Row | None:
    """Read the row with an id, if there is one."""
    return where(db, table, "id", row_id)


def where(db: sqlite3.Connection, table: str, column: str, value: object) -> sqlite3.Row | None:
    """Read the first row with a text in a column, if there is one."""
    query = f"SELECT * FROM {table} WHERE {column} = ?"  # noqa: S608
    try:
        row: sqlite3.Row | None = db.execute(query, (str(value),)).fetchone()
    except UnicodeEncodeError:
        # Half of a surrogate pair can be named in JSON, and no row holds one.
        return None
    return row
