"""Rows of a query, as JSON can hold them."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

__all__ = ["Column", "QueryResult", "json_value"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a result.

    Attributes:
        name: as the statement calls it; several may have the same.
        type: such as `int8`, `numeric(5,2)` or `text[]`.
    """

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryResult:
    """What a statement has returned.

    Attributes:
        columns: in order; none where the statement returns no rows.
        rows: a value for each column. Numbers of the type numeric are texts, bytes hexadecimal
            texts with 0x, points in time ISO texts.
        row_count: rows that were returned or changed, also those that are not shown.
        truncated: there are more rows than asked for.
        status: of the server, such as `SELECT 3`.
    """

    columns: Sequence[Column] = ()
    rows: Sequence[Sequence[Any]] = ()
    row_count: int = 0
    truncated: bool = False
    status: str = ""

    def records(self) -> list[Mapping[str, Any]]:
        """Return the rows as mappings by column name."""
        names = [column.name for column in self.columns]
        return [dict(zip(names, row, strict=True)) for row in self.rows]

    def value(self) -> Any:
        """Return the first value of the first row; None where there is no row."""
        return self.rows[0][0] if self.rows else None


def json_value(value: Any) -> Any:
    """Return a value of PostgreSQL as one of JSON; whatever has no like there becomes a text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else str(value)
        case Decimal():
            return format(value, "f") if value.is_finite() else str(value)
        case bytes() | bytearray() | memoryview():
            return f"0x{bytes(value).hex()}"
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case list() | tuple():
            return [json_value(item) for item in value]
        case dict():
            return {str(key): json_value(item) for key, item in value.items()}
        case _:
            return str(value)
