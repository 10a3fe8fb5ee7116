"""What stack a fixture is of: a file, or a mapping that becomes one."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from harness.client import make_source

__all__ = ["Isolation", "StackDefinition", "as_yaml", "unique_project"]

Isolation = Literal["none", "snapshot"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

_OTHER = re.compile(r"[^a-z0-9_-]+")
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class StackDefinition:
    """Where a stack comes from and how it is brought up.

    Attributes:
        stack: path of a stack file, one file after the other laid over it, or what would stand in
            one; empty: the usual names in `directory`, or above it.
        directory: where relative paths start.
        profiles: active profiles.
        env: on top of the environment of the test run; variables of the stack file are among it.
        units: those to bring up, with what they depend on; empty: all.
        timeout_s: for bringing it up.
        isolation: `snapshot` gives every test the stack as it was when it had come up.
    """

    stack: Sequence[str | os.PathLike[str]] | Mapping[str, Any] = ()
    directory: Path
    profiles: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    units: Sequence[str] = ()
    timeout_s: float = 120.0
    isolation: Isolation = "none"

    @property
    def label(self) -> str:
        """Return what its projects are named after."""
        if isinstance(self.stack, Mapping):
            return str(self.stack.get("name") or "stack")
        if not self.stack:
            return self.directory.name
        path = Path(self.stack[0])
        return (self.directory / path).parent.name if path.stem == "harness" else path.stem

    def source(self, project: str, make_directory: Callable[[str], Path]) -> dict[str, Any]:
        """Return what a request to bring it up carries.

        Args:
            project: its name.
            make_directory: makes one of that name, for the file of a mapping.
        """
        directory, files = self.directory, self.stack
        if isinstance(files, Mapping):
            directory = make_directory(project)
            path = directory / "harness.yaml"
            path.write_text(as_yaml(files), "utf-8")
            files = [path]
        return make_source(
            files=[os.fspath(file) for file in files],
            project=project,
            profiles=self.profiles,
            directory=str(directory),
            env={**os.environ, **self.env},
        )


def as_yaml(stack: Mapping[str, Any]) -> str:
    """Return what a stack file would have; paths may be objects.

    Raises:
        TypeError: something in it cannot stand in a file.
    """
    try:
        text = json.dumps(stack, indent=2, ensure_ascii=False, default=_written)  # JSON is YAML
    except TypeError as error:
        raise TypeError(str(error)) from None  # without the frames of json
    return f"{text}\n"


def _written(value: object) -> str:
    if isinstance(value, os.PathLike):
        return str(os.fspath(value))
    raise TypeError(f"a stack cannot hold {value!r}: it is no text, number, list or mapping")


def unique_project(label: str, *, worker: str, number: int) -> str:
    """Return a name that no other test process on this machine gives its projects."""
    text = _OTHER.sub("-", label.lower()).strip("-_")[:_LONGEST_NAME] or "stack"
    return f"{text}-{worker}-{os.getpid()}-{number}"
