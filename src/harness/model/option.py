"""How the options of a unit's type refuse one: in words, and by its place."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["InvalidOption"]


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
