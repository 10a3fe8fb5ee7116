"""What steps of a scenario leave behind, before it has run: named, typed, given to later steps."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, ClassVar, Generic, TypeVar

from graph_test_daemon.graph_node import check_name

__all__ = [
    "Allocation",
    "Contract",
    "File",
    "Handle",
    "Ref",
    "Result",
    "Subgraph",
    "refs_in",
    "step_name",
]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Ref(Generic[T_co]):
    """A value that is known when the scenario has got there; its text is `${…}`.

    Attributes:
        step: name of the step that leaves it.
        keys: where it is in that step's outputs.
    """

    step: str
    keys: tuple[str | int, ...] = ()

    __iter__: ClassVar[None] = None  # else `__getitem__` would make it a sequence with no end

    def __str__(self) -> str:
        return f"${{steps.{self.step}.outputs{''.join(map(_access, self.keys))}}}"

    def __getitem__(self, key: str | int) -> Ref[Any]:
        """Return what is in it under a key, or at a place."""
        return Ref(self.step, (*self.keys, key))


def _access(key: str | int) -> str:
    if isinstance(key, str) and re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key):
        return f".{key}"
    return f"[{key}]" if isinstance(key, int) else '["{}"]'.format(key.replace('"', '\\"'))


@dataclass(frozen=True, slots=True)
class File:
    """A path in a document.

    Attributes:
        path: as it was given; relative ones are of the stack file's folder in a document, and of
            the Python file's where the scenario is run from Python.
    """

    path: str


def step_name(text: str) -> str:
    """Return a text as steps may be called."""
    name = re.sub(r"[^A-Za-z0-9_]+", "_", text).strip("_")
    return name if name[:1].isalpha() else f"step_{name}"


class Handle(ABC):
    """What a step leaves; it may be of one step of a scenario only.

    Attributes:
        values_are: how its values are written, in words.
    """

    __slots__ = ()

    values_are: ClassVar[str]

    @property
    @abstractmethod
    def step(self) -> str:
        """The name of the step."""


@dataclass(frozen=True, slots=True)
class Result(Handle):
    """The result of any step that can be given one: `to=`."""

    name: str

    values_are = "`.value`, or a part of it as `[…]`"
    __iter__: ClassVar[None] = None  # else `__getitem__` would make it a sequence with no end

    @property
    def step(self) -> str:
        """The name of the step."""
        return step_name(self.name)

    @property
    def value(self) -> Ref[Any]:
        """All of it."""
        return Ref(self.step)

    def __getitem__(self, key: str | int) -> Ref[Any]:
        """Return a part of it."""
        return Ref(self.step, (key,))


@dataclass(frozen=True, slots=True)
class Subgraph(Handle):
    """A subgraph, by the directory of its sources.

    Attributes:
        path: the directory.
        name: that it is deployed under.
        values: of the placeholders in its manifest.
    """

    path: str | PurePath
    name: str
    values: Mapping[str, str | int | Ref[str] | Ref[int]] = field(default_factory=dict, hash=False)

    values_are = "`.deployment` or `.subgraph_id`"

    def __post_init__(self) -> None:
        """Raise InvalidSubgraphName where graph-node takes no such name."""
        check_name(self.name)

    @property
    def step(self) -> str:
        """The name of the step that deploys it."""
        return step_name(self.name)

    @property
    def deployment(self) -> Ref[str]:
        """The id of its deployment, `Qm…`."""
        return Ref(self.step, ("deployment",))

    @property
    def subgraph_id(self) -> Ref[str]:
        """Of what was published on the contracts."""
        return Ref(self.step, ("subgraph_id",))


@dataclass(frozen=True, slots=True)
class Contract(Handle):
    """A contract, by the file of a compiler that has its ABI.

    Attributes:
        artifact: the file; with code where the contract is to be deployed.
        name: that tells it from others; the file's unless given.
        at: its address, where it is there already.
    """

    artifact: str | PurePath
    name: str | None = None
    at: str | Ref[str] | None = None

    values_are = "`.address` or `.block`"

    @property
    def step(self) -> str:
        """The name of the step that deploys it."""
        return step_name(self.name or PurePath(self.artifact).stem)

    @property
    def address(self) -> str | Ref[str]:
        """Its address."""
        return Ref(self.step, ("address",)) if self.at is None else self.at

    @property
    def block(self) -> Ref[int]:
        """Height of the block that it is in since."""
        return Ref(self.step, ("block",))


@dataclass(frozen=True, slots=True)
class Allocation(Handle):
    """An allocation that the scenario opens."""

    name: str = "allocation"

    values_are = "`.id`"

    @property
    def step(self) -> str:
        """The name of the step that opens it."""
        return step_name(self.name)

    @property
    def id(self) -> Ref[str]:
        """Its id, an address."""
        return Ref(self.step, ("allocation",))


def refs_in(value: Any) -> list[Ref[Any] | Handle]:
    """Return all references in a value, at whatever depth, and handles that stand for one."""
    match value:
        case Ref() | Handle():
            return [value]
        case Mapping():
            return [ref for item in value.values() for ref in refs_in(item)]
        case str() | bytes():
            return []
        case Sequence():
            return [ref for item in value for ref in refs_in(item)]
        case _:
            return []
