"""Has a daemon run a scenario, and reads what has become of its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio
from anyio import lowlevel

from harness.client import Client
from harness.errors import DaemonUnavailable, HarnessError

from .errors import ScenarioFailed, ScenarioInvalid
from .references import Ref
from .steps import Place, built

if TYPE_CHECKING:
    from harness.client import BlockingClient
    from harness.testing import Stack

    from .growing import Steps

__all__ = ["Ran", "run", "run_with"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

T = TypeVar("T")

_BEGIN_WITHIN_S = 30.0
_CANCEL_WITHIN_S = 90.0


class Ran:
    """A scenario that has come to its end.

    Attributes:
        id: of the run, for `harness workflow show`.
        trace: the record of each step.
    """

    def __init__(self, run: Mapping[str, Any]) -> None:
        self.id = str(run["id"])
        self.trace: tuple[Mapping[str, Any], ...] = tuple(run["trace"])
        self._outputs = {record["name"]: record["outputs"] for record in self.trace}

    def __getitem__(self, ref: Ref[T]) -> T:
        """Return the value of a reference, such as `ran[playground.address]`."""
        value: Any = self._outputs[ref.step]
        for key in ref.keys:
            value = value[key]
        return cast("T", value)  # what the step leaves is what its handle says


def run(scenario: Steps, on: Stack | BlockingClient, *, project: str | None) -> Ran:
    """Do it, and wait for it; see `Scenario.run`."""
    from harness.client import BlockingClient

    try:
        if isinstance(on, BlockingClient):
            if project is None:
                raise ScenarioInvalid(
                    f'cannot run scenario "{scenario.name}" with a client alone: name the project'
                )
            return on.run(partial(run_with, scenario, project=project))
        here = on.project if project is None else project
        return on.run(lambda stack: run_with(scenario, stack.client, project=here))
    except HarnessError as error:
        # The frames below are of two event loops, and tell nothing about the scenario.
        raise error.with_traceback(None) from None


async def run_with(scenario: Steps, client: Client, *, project: str) -> Ran:
    """Do it; what is cancelled is cancelled there, too, and compensated."""
    document = scenario.workflow(absolute=True).document()
    begun = await _begun(scenario.name, document, client, project)
    try:
        ended = await client.operations.wait(id=begun["id"])
    except anyio.get_cancelled_exc_class():
        # With the daemon gone there is nothing to cancel: the caller is cancelled all the same.
        with suppress(HarnessError), anyio.move_on_after(_CANCEL_WITHIN_S, shield=True):
            await client.operations.cancel(id=begun["id"])
            await client.operations.wait(id=begun["id"])
        raise
    found = await client.workflows.trace(run=begun["id"])
    if ended["state"] != "done":
        raise _failed(scenario, found, ended)
    return Ran(found)


async def _begun(
    name: str, document: Mapping[str, Any], client: Client, project: str
) -> Mapping[str, Any]:
    """Begin the run; not cancelled before its id is known, without which nobody could end it."""
    with anyio.move_on_after(_BEGIN_WITHIN_S, shield=True):
        return await client.workflows.run(workflow=name, document=document, project=project)
    await lowlevel.checkpoint()  # it may have been cancelled meanwhile
    raise DaemonUnavailable(
        f'cannot run scenario "{name}": no answer came within {_BEGIN_WITHIN_S:g} s'
    )


def _failed(scenario: Steps, run: Mapping[str, Any], ended: Mapping[str, Any]) -> ScenarioFailed:
    """Return why it failed: the step, its line, its own error, and what was done before."""
    places = built(scenario.steps, absolute=False).places
    error = run["error"] or ended["error"] or {"message": f"it was {ended['state']}"}
    path = error.get("step")
    record = next((one for one in run["trace"] if one["path"] == path), None)
    # Of a step in another one, its own line is the one to look at.
    step = next((part for part in reversed((path or "").split("/")) if part in places), None)
    own = None if record is None else record["error"]
    trace, remedy = f"harness workflow show {run['id']}", error.get("hint")
    return ScenarioFailed(
        scenario=scenario.name,
        cause=(own or error)["message"],
        step=step,
        place=None if step is None else str(places[step]),
        steps=list(_lines(run["trace"], places)),
        hint=f"{remedy}; `{trace}` shows its steps" if remedy else trace,
    )


def _lines(trace: list[Mapping[str, Any]], places: Mapping[str, Place]) -> Iterator[str]:
    """Tell what has become of each step."""
    for record in trace:
        place = places.get(record["name"])
        if place is not None:
            where = f"{PurePath(place.file).name}:{place.line}"
            yield f"  {record['state']:<9} {record['name']}  {where}"
