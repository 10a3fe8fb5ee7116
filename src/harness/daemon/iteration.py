"""Iterating over generators that may be left half-way."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

__all__ = ["iterating"]

T = TypeVar("T")


@asynccontextmanager
async def iterating(source: AsyncIterable[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Iterate over `source`; a generator is closed at the end, and not by the garbage collector."""
    iterator = aiter(source)
    try:
        yield iterator
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()
