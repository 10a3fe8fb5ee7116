"""What became of the units of an operation right after it: its end, and what is shown, must agree.

A service without a check is ready once it exists, and may be gone a moment later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["as_it_is_now"]


def as_it_is_now(
    operation: Mapping[str, Any], units: Iterable[Mapping[str, Any]]
) -> Mapping[str, Any]:
    """Return an operation that is done as failed, if a unit that was ready then is not now.

    Args:
        operation: as the daemon tells it.
        units: rows of `status`, a moment later.
    """
    rows = {unit["name"]: unit for unit in units}
    gone = {
        result["unit"]: _cause(rows[result["unit"]])
        for result in operation["results"]
        if result["outcome"] == "ready" and _is_gone(rows.get(result["unit"]))
    }
    if operation["state"] != "done" or not gone:
        return operation
    lines = [f'"{name}": {cause}' for name, cause in gone.items()]
    count = f"{len(lines)} units:\n  "
    text = lines[0] if len(lines) == 1 else count + "\n  ".join(lines)
    error = {
        "kind": "operation-failed",
        "message": f"cannot {operation['verb']} {text}",
        "hint": f"harness why {next(iter(gone))}",
        "details": {"failed": list(gone)},
    }
    results = [
        {**result, "outcome": "failed", "message": gone[result["unit"]]}
        if result["unit"] in gone
        else result
        for result in operation["results"]
    ]
    return {**operation, "state": "failed", "error": error, "results": results}


def _is_gone(unit: Mapping[str, Any] | None) -> bool:
    if unit is None or unit["ready"]:
        return False
    return not (unit["state"] == "exited" and unit["exit_code"] == 0)


def _cause(unit: Mapping[str, Any]) -> str:
    return f"it was ready, and is {unit['state']} now: {unit['message'] or 'its checks fail'}"
