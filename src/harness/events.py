"""The event bus: facts are numbered and stored, then handed to whoever subscribed.

A subscription gets stored events from the number it resumes at, then live ones, without a hole or a
double between them. A subscriber that does not keep up gets one `gap` event in place of what it
missed; it never delays the publisher.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import anyio

from harness.clock import Clock
from harness.errors import StorageError
from harness.model import Event, EventKind
from harness.storage import Store

__all__ = ["EventBus", "Subscription"]

logger = logging.getLogger(__name__)

_REPLAY_PAGE = 500


class EventBus:
    """Publishes facts to a store and to subscriptions; used from one event loop only."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._subscriptions: set[Subscription] = set()
        self._last_number = store.last_number

    @property
    def last_number(self) -> int:
        """The number of the newest event."""
        return self._last_number

    def publish(
        self,
        kind: EventKind,
        *,
        project: str | None = None,
        unit: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Event:
        """Number, store and deliver a fact; return it.

        When the store cannot take it (a full disk) the fact is delivered all the same, under the
        next number, and the loss is logged.
        """
        self._last_number += 1
        event = Event(
            number=self._last_number,
            at=self._clock.now(),
            kind=kind,
            project=project,
            unit=unit,
            data=data or {},
        )
        try:
            self._store.append(event)
        except StorageError as error:
            logger.error("Cannot store event %s: %s", kind, error)
        for subscription in self._subscriptions:
            subscription.offer(event)
        return event

    @contextmanager
    def subscribe(
        self, *, after: int | None = None, project: str | None = None, queue_length: int = 10_000
    ) -> Iterator[Subscription]:
        """Subscribe while the context is open.

        Args:
            after: deliver stored events with higher numbers first; None: only what comes from now
                on.
            project: only events of this project; None: all.
            queue_length: how far the subscriber may fall behind before it gets a gap.
        """
        subscription = Subscription(
            store=self._store,
            after=self._last_number if after is None else after,
            live_from=self._last_number,
            project=project,
            queue_length=queue_length,
        )
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)


class Subscription:
    """An ordered, resumable iteration over events; made by `EventBus.subscribe`."""

    def __init__(
        self, *, store: Store, after: int, live_from: int, project: str | None, queue_length: int
    ) -> None:
        self._store = store
        self._after = after
        self._live_from = live_from
        self._project = project
        self._queue: deque[Event] = deque()
        self._queue_length = queue_length
        self._arrived = anyio.Event()
        self._dropped: tuple[int, Event] | None = None
        self._stored: Iterator[Event] | None = self._replay()

    def offer(self, event: Event) -> None:
        """Take a live event if it is wanted; called by the bus."""
        if self._project is not None and event.project != self._project:
            return
        if self._dropped is not None or len(self._queue) >= self._queue_length:
            first = self._dropped[0] if self._dropped else event.number
            self._dropped = (first, event)
        else:
            self._queue.append(event)
        self._arrived.set()

    @property
    def is_drained(self) -> bool:
        """Whether the next event is one that has not happened yet."""
        return self._stored is None and not self._queue and self._dropped is None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """Return the next event: stored ones first, then live ones as they come."""
        if self._stored is not None:
            stored = next(self._stored, None)
            if stored is not None:
                return stored
            self._stored = None
        while True:
            if self._queue:
                return self._queue.popleft()
            if self._dropped is not None:
                (first, last), self._dropped = self._dropped, None
                return self._gap(first, last.number, last)
            self._arrived = anyio.Event()
            await self._arrived.wait()

    def _replay(self) -> Iterator[Event]:
        """Yield stored events up to the moment of subscribing; a trimmed start becomes a gap."""
        first = self._store.first_number
        if self._after + 1 < first <= self._live_from + 1 and self._after < self._live_from:
            page = self._store.events(after=self._after, limit=1)
            if page:
                yield self._gap(self._after + 1, first - 1, page[0])
        after = self._after
        while after < self._live_from:
            page = self._store.events(after=after, limit=_REPLAY_PAGE, project=self._project)
            for event in page:
                if event.number > self._live_from:
                    return
                yield event
            if not page:
                return
            after = page[-1].number

    def _gap(self, first: int, last: int, sample: Event) -> Event:
        return Event(
            number=last,
            at=sample.at,
            kind=EventKind.GAP,
            project=self._project,
            data={"first": first, "last": last},
        )
