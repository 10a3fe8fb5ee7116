"""All rows, in the order of the table."""

from . import (
    actions,
    adoption,
    audience,
    chain,
    command_line,
    daemon_size,
    fidelity,
    follow,
    graph,
    output,
    pytest_stacks,
    revival,
    start_stop,
)
from .base import Context, Line, Row, Value

__all__ = ["ROWS", "Context", "Line", "Row", "Value"]

ROWS: tuple[Row, ...] = (
    *start_stop.ROWS,
    *chain.ROWS,
    *revival.ROWS,
    *command_line.ROWS,
    *output.ROWS,
    *follow.ROWS,
    *daemon_size.ROWS,
    *adoption.ROWS,
    *actions.ROWS,
    *pytest_stacks.ROWS,
    *audience.ROWS,
    *fidelity.ROWS,
    *graph.ROWS,
)
