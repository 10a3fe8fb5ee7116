"""How one unit looks: its state in the words of `status`, its place, its addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .moments import age, elapsed_s
from .tables import Cell

__all__ = [
    "addresses",
    "is_meant_to_run",
    "is_wanting",
    "progress_word",
    "state_cell",
    "status_row",
]

Unit = Mapping[str, Any]

_STYLES = {
    "running": "good",
    "completed": "good",
    "ready": "good",
    "done": "good",
    "failed": "bad",
    "backoff": "bad",
    "unknown": "bad",
    "stopped": "dim",
    "exited": "dim",
}


def status_row(unit: Unit, *, advice: Callable[[str], str] = str) -> list[str | Cell | None]:
    """Return name, state, health, up time, pid, restarts, endpoints, message of a unit.

    `advice` makes commands in the message fit to be pasted.
    """
    running = unit["state"] in ("running", "stopping")
    task = unit["kind"] == "task"
    started_at = unit["started_at"]
    health = None if unit["health"] == "none" else unit["health"]
    container = unit["container"]
    return [
        unit["name"],
        state_cell(unit),
        Cell(health, "bad" if health == "unhealthy" else None) if health else None,
        age(elapsed_s(started_at)) if running and started_at else None,
        str(unit["pid"]) if unit["pid"] else container[:12] if container else None,
        None if task else str(unit["restarts"]),
        (addresses(unit) or None) if unit["state"] == "running" else None,
        _message(unit, advice),
    ]


def state_cell(unit: Unit) -> Cell:
    """Return the state as `status` shows it: a task that succeeded is completed."""
    state = unit["state"]
    if unit["kind"] == "task" and state == "exited":
        state = "completed"
    return Cell(state, _STYLES.get(state, "busy"))


def progress_word(unit: Unit) -> Cell:
    """Return the state as `up` shows it: ready, done, waiting, or what else it does."""
    word = state_cell(unit).text
    if word == "completed":
        word = "done"
    elif word == "running" and unit["kind"] == "service":
        word = "ready" if unit["ready"] else "waiting"
    elif word == "pending":
        word = "waiting"
    return Cell(word, _STYLES.get(word, "busy"))


def addresses(unit: Unit, *, names: bool = True) -> str:
    """Return where the unit can be reached."""
    endpoints = unit["endpoints"].items()
    return ", ".join(
        f"{name} {endpoint['url']}" if names else endpoint["url"] for name, endpoint in endpoints
    )


def is_wanting(unit: Unit) -> bool:
    """Tell whether something that should run does not, or not well.

    A service that was not stopped on purpose should be ready; a task should not have failed, and
    may be still to come.
    """
    if not is_meant_to_run(unit):
        return False
    if unit["kind"] == "task":
        return unit["state"] in ("failed", "backoff", "unknown")
    return not unit["ready"]


def is_meant_to_run(unit: Unit) -> bool:
    """Tell whether a unit was not stopped on purpose."""
    return unit.get("goal") != "down"


def _message(unit: Unit, advice: Callable[[str], str]) -> str | None:
    """Return why it is in this state, on one line; nothing when all is well."""
    if unit["ready"]:
        return None
    next_try_at, message = unit.get("next_try_at"), unit["message"]
    parts = [f"next try in {age(-elapsed_s(next_try_at))}"] if next_try_at else []
    if message:
        more = advice(f" (harness why {unit['name']})") if is_meant_to_run(unit) else ""
        parts.append(" ".join(message.split()) + more)
    return "; ".join(parts) or None
