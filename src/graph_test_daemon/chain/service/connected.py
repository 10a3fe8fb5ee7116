"""What all groups of the chain's actions need: the chain, and a way to tell of its blocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from graph_test_daemon.chain.blocks import Block
from graph_test_daemon.chain.client import Chain
from graph_test_daemon.chain.errors import ChainRefused
from graph_test_daemon.chain.reading import bytes_of
from harness.actions import Call, ServiceType

from .events import BlockMined

__all__ = ["LATEST", "Connected", "block_at", "bytes_in", "teller"]

LATEST = "latest"


class Connected(ServiceType):
    """A service that is a chain."""

    @asynccontextmanager
    async def _chain(self) -> AsyncIterator[Chain]:
        # The address may be another one after a restart.
        chain = Chain(self.service.url())
        try:
            yield chain
        finally:
            with anyio.CancelScope(shield=True):
                await chain.aclose()


class _Teller:
    """Tells of blocks as they are mined, and how far it is where there are many."""

    def __init__(self, call: Call, total: int | None) -> None:
        self._call = call
        self._total = total
        self._done = 0

    async def __call__(self, newest: Block, count: int) -> None:
        self._done += count
        await self._call.emit(
            BlockMined(
                number=newest.number,
                hash=newest.hash,
                timestamp=newest.timestamp,
                count=count,
            )
        )
        if self._total is not None and self._total > count:
            await self._call.progress(
                f"at block {newest.number}", done=self._done, total=self._total
            )


def teller(call: Call, total: int | None = None) -> _Teller:
    """Return what tells of blocks as they are mined, of so many in all where that is known."""
    return _Teller(call, total)


def bytes_in(text: str) -> bytes:
    """Return what a parameter has in hexadecimal.

    Raises:
        ChainRefused: it is none.
    """
    try:
        return bytes_of(text)
    except ValueError as error:
        raise ChainRefused(f"cannot read {text[:40]!r} as hexadecimal: {error}") from error


def block_at(at: int | str) -> int | str:
    """Return a height as a number: the command line gives texts."""
    return int(at) if isinstance(at, str) and at.isdecimal() else at
