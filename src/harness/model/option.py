"""Options of types of others: how they refuse one, and what stands for those nobody knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["InvalidOption", "StoredOptions"]


class InvalidOption(ValueError):
    """An option has a value that cannot be; raised by the options themselves.

    Reading a stack file makes a problem of it, at the option's place. It is no `HarnessError`:
    a validator passes on only what is a `ValueError`.

    Attributes:
        path: the option, and steps into it.
        known: where the last step is a name that does not exist, those that do.
    """

    def __init__(
        self, message: str, *, path: tuple[str | int, ...], known: Sequence[str] = ()
    ) -> None:
        self.path = path
        self.known = tuple(known)
        super().__init__(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredOptions:
    """Options whose type is not there now, as they were stored: they are kept for when it is."""

    values: Mapping[str, Any]
