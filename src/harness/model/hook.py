"""Commands that run around a unit's start and stop."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Hook", "Hooks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """One command with its deadline; it runs where the unit runs, with the unit's environment."""

    argv: tuple[str, ...]
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """Hooks by moment; those of one moment run one after the other.

    A failed pre_start keeps the unit from starting, a failed post_start stops it again; a failed
    pre_stop or post_stop is reported, and the stop goes on.
    """

    pre_start: tuple[Hook, ...] = ()
    post_start: tuple[Hook, ...] = ()
    pre_stop: tuple[Hook, ...] = ()
    post_stop: tuple[Hook, ...] = ()
