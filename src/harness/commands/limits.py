"""Resource limits by name, and how a shell sets them (POSIX `ulimit` and its common additions)."""

from __future__ import annotations

from collections.abc import Mapping

from harness.model import InvalidOption

__all__ = ["LIMITS", "UNLIMITED", "check_limits", "limits_script"]

UNLIMITED = -1

# name → (flags of `ulimit` to try, bytes in one of its units). The flag for processes differs
# between shells; the first one that the shell knows is used.
_ULIMIT: Mapping[str, tuple[tuple[str, ...], int]] = {
    "as": (("v",), 1024),
    "core": (("c",), 512),
    "cpu": (("t",), 1),
    "data": (("d",), 1024),
    "fsize": (("f",), 512),
    "memlock": (("l",), 1024),
    "nofile": (("n",), 1),
    "nproc": (("u", "p"), 1),
    "stack": (("s",), 1024),
}

LIMITS: tuple[str, ...] = tuple(_ULIMIT)
"""Names of the limits, as in setrlimit(2): sizes in bytes, cpu in seconds, the others counts."""


def check_limits(limits: Mapping[str, int]) -> None:
    """Refuse unknown names and numbers below -1, which means unlimited.

    Raises:
        InvalidOption: with the name of the limit, in the option `limits`.
    """
    for name, value in limits.items():
        if name not in _ULIMIT:
            raise InvalidOption(f'unknown limit "{name}"', path=("limits", name), known=LIMITS)
        if value < UNLIMITED:
            raise InvalidOption(
                f'limit "{name}" cannot be {value}; -1 means unlimited', path=("limits", name)
            )


def limits_script(limits: Mapping[str, int]) -> str:
    """Return a shell command that sets the limits, soft and hard, and fails if it cannot."""
    parts = [_limit_script(name, value) for name, value in limits.items()]
    return " && ".join(parts) or ":"


def _limit_script(name: str, value: int) -> str:
    flags, unit = _ULIMIT[name]
    amount = "unlimited" if value == UNLIMITED else str(-(-value // unit))
    tries = " || ".join(f"ulimit -{flag} {amount} 2>/dev/null" for flag in flags)
    return f"{{ {tries}; }}"
