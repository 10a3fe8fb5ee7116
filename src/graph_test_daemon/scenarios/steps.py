"""Steps of a scenario, and the workflow that they become: names are given at the end.

A scenario is put together from others, so what has no name of its own is named when all is there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from harness.workflows import Action, Parallel, Piece, Restart, Retry, Sequence, Task, Wait

from .errors import ScenarioInvalid
from .references import File, Handle, Ref, refs_in, step_name

__all__ = ["Built", "Place", "Step", "built", "here", "leaves"]

_PACKAGE = str(Path(__file__).parent)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of Python code."""

    file: str
    line: int

    def __str__(self) -> str:
        file = PurePath(self.file)
        cwd = Path.cwd()
        return f"{file.relative_to(cwd) if file.is_relative_to(cwd) else file}:{self.line}"


def here() -> Place:
    """Return the line that called into this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return Place(frame.f_code.co_filename, frame.f_lineno)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    Attributes:
        verb: action, restart, wait, task or parallel.
        label: what it is named after where it has no name of its own.
        place: the line that has added it.
        name: that its handle gives it.
        target: the action, the task or the services.
        options: parameters of the action, or what else there is to say; may hold references.
        branches: of `parallel`, each with its steps in order.
    """

    verb: str
    label: str
    place: Place
    name: str | None = None
    target: tuple[str, ...] = ()
    options: Mapping[str, Any]
    branches: tuple[tuple[Step, ...], ...] = ()
    timeout: float | str | None = None
    retry: Retry | int | None = None


@dataclass(frozen=True, slots=True)
class Built:
    """The pieces of a workflow, and where each step is from, by its name."""

    pieces: tuple[Piece, ...]
    places: Mapping[str, Place]


def leaves(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Go through all steps that do something, those of branches, too."""
    for step in steps:
        if not step.branches:
            yield step
        for branch in step.branches:
            yield from leaves(branch)


def built(steps: tuple[Step, ...], *, absolute: bool) -> Built:
    """Make the pieces of a workflow.

    Args:
        steps: in order.
        absolute: relative paths are made absolute, from the folder of the file that has the step.

    Raises:
        ScenarioInvalid: a step uses what no step before it leaves, or a handle for a value.
    """
    _check(steps, set())
    taken = {step.name for step in leaves(steps) if step.name is not None}
    places: dict[str, Place] = {}
    pieces = _Builder(taken, places, absolute=absolute).pieces(steps)
    return Built(pieces, places)


def _check(steps: tuple[Step, ...], known: set[str]) -> set[str]:
    """Check what steps refer to; return the names that are known after them.

    Branches run side by side: none may use what another one leaves.
    """
    for step in steps:
        for ref in refs_in(step.options):
            if isinstance(ref, Handle):
                raise ScenarioInvalid(
                    f'cannot use all of "{ref.step}" in "{step.label}" ({step.place}): a handle '
                    "is no value",
                    hint=f"give one of its values: {ref.values_are}",
                )
            if ref.step not in known:
                raise ScenarioInvalid(
                    f'cannot use {ref} in "{step.label}" ({step.place}): no step before it is '
                    f'called "{ref.step}"',
                    hint="put the step that leaves it before",
                )
        known = known.union(*(_check(branch, known) for branch in step.branches))
        known |= {step.name} if step.name is not None else set()
    return known


class _Builder:
    """Makes pieces, and remembers the names that are taken."""

    def __init__(self, taken: set[str], places: dict[str, Place], *, absolute: bool) -> None:
        self._taken = taken
        self._places = places
        self._absolute = absolute

    def pieces(self, steps: tuple[Step, ...]) -> tuple[Piece, ...]:
        return tuple(map(self._piece, steps))

    def _piece(self, step: Step) -> Piece:
        name = step.name or self._free(step_name(step.label))
        self._places[name] = step.place
        common: dict[str, Any] = {"name": name, "timeout": step.timeout, "retry": step.retry}
        options = self._plain(step.options, step.place)
        match step.verb:
            case "parallel":
                inner = [self._branch(branch) for branch in step.branches]
                return Parallel(inner, **options, **common)
            case "restart":
                return Restart(*step.target, **common)
            case "task":
                return Task(step.target[0], **options, **common)
            case "wait":
                return Wait(step.target[0], **options, **common)
            case _:
                return Action(step.target[0], options, **common)

    def _branch(self, steps: tuple[Step, ...]) -> Piece:
        pieces = self.pieces(steps)
        return pieces[0] if len(pieces) == 1 else Sequence(pieces)

    def _free(self, label: str) -> str:
        name, number = label, 1
        while name in self._taken:
            number += 1
            name = f"{label}_{number}"
        self._taken.add(name)
        return name

    def _plain(self, value: Any, place: Place) -> Any:
        """Return a value as a document has it."""
        match value:
            case Ref():
                return str(value)
            case File(path):
                return str(Path(place.file).parent / path) if self._absolute else path
            case PurePath():
                return str(value)
            case Mapping():
                return {key: self._plain(item, place) for key, item in value.items()}
            case list() | tuple():
                return [self._plain(item, place) for item in value]
            case _:
                return value
