"""A value that nobody may see by accident."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MASK", "Secret", "SecretSpec"]

MASK = "********"


class Secret:
    """Holds a text; shows only a mask. Call `reveal` where the value is really needed."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretSpec:
    """Where a secret comes from.

    Exactly one of a file's path, an environment variable's name, and a command.

    Attributes:
        base_dir: where the command runs.
        timeout_s: how long it may take.
    """

    name: str
    file: str | None = None
    env: str | None = None
    command: tuple[str, ...] | None = None
    base_dir: str = ""
    timeout_s: float = 30.0
