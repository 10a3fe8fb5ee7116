"""A plugin for tests: observers that watch, fail, or never come back."""

from __future__ import annotations

import anyio

from harness.plugins import Observer, Transition, hookimpl

seen: list[Transition] = []


async def watch(transition: Transition) -> None:
    """Remember it."""
    seen.append(transition)


async def stumble(transition: Transition) -> None:
    """Fail."""
    raise ValueError(f"no room for {transition.unit}")


class Stuck:
    """An object may be one, too."""

    async def __call__(self, transition: Transition) -> None:
        """Never come back."""
        await anyio.sleep_forever()


@hookimpl
def harness_transitions() -> list[Observer]:
    """Bring them."""
    return [watch, stumble, Stuck()]
