"""A whole stack, as the files say it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .secret import SecretSpec
from .unit import UnitSpec
from .workflow_document import WorkflowDocument

__all__ = ["Settings", "StackSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Stack-wide settings.

    Attributes:
        log_level: of the daemon's own messages about this project.
        log_max_bytes: bytes of output kept on disk for each stream of each unit.
        inherit_env: True: units inherit the client's environment; False: nothing of it; a tuple:
            these names of it.
        parallelism: units started at the same moment at most; None is no limit.
    """

    log_level: str = "info"
    log_max_bytes: int = 64 * 1024 * 1024
    inherit_env: bool | tuple[str, ...] = True
    parallelism: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSpec:
    """Everything one project is made of.

    Attributes:
        name: project name: lower case letters, digits, `-` and `_`.
        files: absolute paths of the files it was read from, the main ones first.
        base_dir: absolute directory of the first file.
        units: by name, services first, each in file order; only those of the active profiles.
        secrets: by name.
        variables: name → value for `${NAME}`, lower in rank than the environment.
        settings: stack-wide settings.
        inactive: name of a unit that is not among `units` → the profiles it belongs to.
        workflows: by name, in file order.
    """

    name: str
    files: tuple[str, ...]
    base_dir: str
    units: Mapping[str, UnitSpec]
    description: str | None = None
    secrets: Mapping[str, SecretSpec] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    inactive: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    workflows: Mapping[str, WorkflowDocument] = field(default_factory=dict)
