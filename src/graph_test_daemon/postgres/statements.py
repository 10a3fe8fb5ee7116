"""Statements on a connection that is there, with values as JSON has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .rows import Column, QueryResult, json_value

if TYPE_CHECKING:
    import psycopg

__all__ = ["executed", "queried"]


def queried(
    connection: psycopg.Connection, sql: str, parameters: Sequence[Any], limit: int
) -> QueryResult:
    """Run one statement, and return at most so many of its rows."""
    import psycopg

    cursor = psycopg.RawCursor(connection)
    # Prepared, the server refuses more than one statement, instead of running all for one's rows.
    cursor.execute(
        sql.encode(),
        [_parameter(value) for value in parameters] or None,
        prepare=";" in sql.rstrip("; \n"),
    )
    if cursor.description is None:
        return QueryResult(row_count=max(cursor.rowcount, 0), status=cursor.statusmessage or "")
    rows = cursor.fetchmany(limit) if limit > 0 else []
    return QueryResult(
        columns=tuple(
            Column(name=column.name, type=column.type_display) for column in cursor.description
        ),
        rows=tuple(tuple(json_value(value) for value in row) for row in rows),
        row_count=cursor.rowcount,
        truncated=cursor.rowcount > len(rows),
        status=cursor.statusmessage or "",
    )


def executed(connection: psycopg.Connection, script: str) -> list[str]:
    """Run a script, and return what the server says to each of its statements."""
    cursor = connection.execute(script.encode())
    done = [cursor.statusmessage or ""]
    while cursor.nextset():
        done.append(cursor.statusmessage or "")
    return [status for status in done if status]


def _parameter(value: Any) -> Any:
    """Return a value of JSON as PostgreSQL takes it: objects, and lists of them, are JSON there."""
    from psycopg.types.json import Jsonb

    is_json = isinstance(value, dict) or (
        isinstance(value, list) and any(isinstance(item, dict | list) for item in value)
    )
    return Jsonb(value) if is_json else value
