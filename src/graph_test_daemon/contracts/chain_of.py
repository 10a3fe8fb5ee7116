"""Which chain a task is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graph_test_daemon.chain import Chain
from graph_test_daemon.errors import PeerUnclear
from harness.actions import Task

__all__ = ["chain_of", "url_of_chain"]


def url_of_chain(task: Task, name: str | None) -> str:
    """Return where the chain of a task listens.

    Args:
        task: the task.
        name: of the chain's service; None: the only one of type `anvil`.

    Raises:
        PeerUnclear: there is none, or there are several.
        UnknownService: there is none of that name.
    """
    if name is not None:
        return task.service(name).url()
    chains = task.peers("anvil")
    if len(chains) == 1:
        return chains[0].url()
    names = ", ".join(chain.name for chain in chains)
    raise PeerUnclear(
        f'cannot find the chain of "{task.name}": '
        + ("no service has the type anvil" if not chains else f"there are {names}"),
        hint="name the chain's service in config.chain",
    )


@asynccontextmanager
async def chain_of(task: Task, name: str | None) -> AsyncIterator[Chain]:
    """Open the chain of a task; see `url_of_chain`."""
    chain = Chain(url_of_chain(task, name))
    try:
        yield chain
    finally:
        await chain.aclose()
