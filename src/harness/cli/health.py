"""`harness health`: what the checks found last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click

from harness.explanations import probe_text

from .arguments import unit_names
from .commands import Command, async_command
from .moments import age
from .session import Session, pick
from .tables import Cell, table

__all__ = ["health"]


@click.command(cls=Command, examples=("health", "health web", "health web --check"))
@unit_names()
@click.option("--check", is_flag=True, help="Run each check of the named services once, now.")
@async_command
async def health(session: Session, *, units: tuple[str, ...], check: bool) -> None:
    """Show what the health checks found.

    One line a stage, with the result of its last try. Exits with 3 when a shown service is
    unhealthy, or has failed.
    """
    if check and not units:
        raise click.UsageError("--check needs the name of a service")
    async with session.connect() as client:
        project = await session.project(client)
        chosen = pick((await client.services.status(project=project))["services"], units)
        if units:
            look = client.health.check if check else client.health.list
            reports = [
                report
                for unit in chosen
                for report in await look(project=project, unit=unit["name"])
            ]
        else:
            reports = await client.health.list(project=project, unit=None)
    shown = {report["unit"] for report in reports}
    failed = [unit for unit in chosen if unit["state"] == "failed" and unit["name"] in shown]
    if session.out.json:
        session.out.document(reports)
    else:
        headers = ("SERVICE", "HEALTH", "STAGE", "REACHED", "LAST CHECK")
        session.out.lines(
            table(session.out, headers, (row for report in reports for row in _rows(report)))
        )
    for unit in failed:
        session.out.note(f"note: {unit['name']} has failed (harness why {unit['name']})")
    if failed or any(report["state"] == "unhealthy" for report in reports):
        raise click.exceptions.Exit(3)


def _rows(report: Mapping[str, Any]) -> Iterator[list[str | Cell | None]]:
    state = None if report["state"] == "none" else report["state"]
    liveness = report["liveness"]
    stages = [*report["stages"], *([{"name": "liveness", **liveness}] if liveness else [])]
    if not stages:
        yield [report["unit"], state, None, None, None]
    for stage in stages:
        # A liveness check has no moment to reach, and an adopted run's is not known.
        after_s = stage.get("reached_after_s")
        reached = f"after {age(after_s)}" if after_s is not None else None
        yield [report["unit"], state, _name(stage), reached, _last(stage)]


def _name(stage: Mapping[str, Any]) -> str | None:
    return stage.get("name") or stage.get("stage")


def _last(stage: Mapping[str, Any]) -> Cell | None:
    if not stage.get("message"):
        return None
    last = stage["last"][-1] if stage["last"] else {"ok": False}  # a log check that goes on reading
    text = stage["message"] if last["ok"] else probe_text(stage)
    if "latency_ms" in last:
        text += f" ({last['latency_ms']:.0f} ms)"
    return Cell(text, "good" if last["ok"] else "bad")
