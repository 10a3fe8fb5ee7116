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

__all__ = ["Isolation", "StackDefinition", "unique_project"]

Isolation = Literal["none", "snapshot"]

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
            # JSON is YAML.
            directory = make_directory(project)
            path = directory / "harness.yaml"
            path.write_text(json.dumps(files, indent=2, ensure_ascii=False) + "\n", "utf-8")
            files = [path]
        return make_source(
            files=[os.fspath(file) for file in files],
            project=project,
            profiles=self.profiles,
            directory=str(directory),
            env={**os.environ, **self.env},
        )


def unique_project(label: str, *, worker: str, number: int) -> str:
    """Return a name that no other test process on this machine gives its projects."""
    text = _OTHER.sub("-", label.lower()).strip("-_")[:_LONGEST_NAME] or "stack"
    return f"{text}-{worker}-{os.getpid()}-{number}"
