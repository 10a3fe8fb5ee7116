"""A connection that outlives the daemon: when one has gone the next is reached, or started.

What only reads is asked again. What changes something is not: nobody knows how far it came. Events
go on from the last one that was seen, and output that is followed from its last byte, so that
nothing is missed and nothing comes twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, ClassVar, Self

import anyio
from anyio.abc import TaskGroup

from harness.errors import DaemonUnavailable
from harness.protocol import METHODS, MessageStream

from .connection import CALL_TIMEOUT_S, Connection, Listener
from .positions import EventPosition, LogPosition, Position
from .subscription import Subscription

__all__ = ["LastingConnection"]

_ATTEMPTS = 3


class LastingConnection(Connection):
    """A connection in place of which another one comes.

    Args:
        group: where connections are read from.
        reach: opens a stream to the daemon, and may start it.
        greet: makes a new connection known to the daemon; returns its answer.
    """

    lasts: ClassVar[bool] = True

    def __init__(
        self,
        group: TaskGroup,
        reach: Callable[[], Awaitable[MessageStream]],
        greet: Callable[[Connection], Awaitable[dict[str, Any]]],
    ) -> None:
        self._group = group
        self._reach = reach
        self._greet = greet
        self._current: Connection | None = None
        self._connecting = anyio.Lock()
        self.hello: dict[str, Any] = {}

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = CALL_TIMEOUT_S,
        on_result: Callable[[Any], None] | None = None,
        on_late: Callable[[Any], None] | None = None,
    ) -> Any:
        """Call a method; see `Connection.call`. A call that only reads is made again, if need be.

        Raises:
            HarnessError: what the daemon answered with.
            DaemonUnavailable: it cannot be reached, or has gone while it was changing something.
        """
        only_reads = method in METHODS and not METHODS[method].changes
        attempts_left = _ATTEMPTS if only_reads else 1
        while True:
            attempts_left -= 1
            connection = await self.reached()
            try:
                return await connection.call(
                    method, params, timeout_s=timeout_s, on_result=on_result, on_late=on_late
                )
            except DaemonUnavailable:
                if not attempts_left or not connection.is_closed:
                    raise

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Call a method without wanting an answer."""
        await (await self.reached()).notify(method, params)

    @contextmanager
    def listening(self, name: str, listener: Listener) -> Iterator[None]:
        """Have the notifications of a name, of the connection that there is now."""
        if self._current is None:
            raise DaemonUnavailable("cannot go on: the connection was closed")
        with self._current.listening(name, listener):
            yield

    @asynccontextmanager
    async def subscribe(
        self, method: str, params: Mapping[str, Any], *, window: int
    ) -> AsyncIterator[Subscription]:
        """Subscribe; events and output that is followed go on over the daemon's end."""
        if (position := await self._position(method, params)) is None:
            async with (await self.reached()).subscribe(method, params, window=window) as found:
                yield found
            return
        async with _Lasting(self, method, position, window) as lasting:
            yield lasting

    async def _position(self, method: str, params: Mapping[str, Any]) -> Position | None:
        """Return where a subscription begins; None for one that ends with the connection."""
        if method == "events.subscribe":
            after = params.get("after")
            if after is None:
                after = (await self.call("daemon.status"))["last_event"]
            return EventPosition({**params, "after": after})
        if method == "logs.read" and params.get("follow"):
            return LogPosition(params)
        return None

    async def reached(self) -> Connection:
        """Return a connection that is open, a new one if need be."""
        async with self._connecting:
            if self._current is None or self._current.is_closed:
                if self._current is not None:
                    await self._current.aclose()
                    self._current = None
                connection = Connection(await self._reach())
                self._group.start_soon(connection.run)
                try:
                    self.hello = await self._greet(connection)
                except BaseException:
                    await connection.aclose()
                    raise
                self._current = connection
            return self._current

    @property
    def is_closed(self) -> bool:
        """Another connection would have to be made first."""
        return self._current is None or self._current.is_closed

    async def wait_closed(self) -> None:
        """Return once the daemon has closed the connection that there is now."""
        await (await self.reached()).wait_closed()

    async def aclose(self) -> None:
        """Close the connection; no other one follows."""
        if self._current is not None:
            await self._current.aclose()


class _Lasting(Subscription):
    """A subscription that goes on where it was when the connection is another one."""

    def __init__(
        self, owner: LastingConnection, method: str, position: Position, window: int
    ) -> None:
        self._owner = owner
        self._method = method
        self._position = position
        self._size = window
        self._stack = AsyncExitStack()
        self._connection: Connection | None = None
        self._inner: Subscription | None = None

    async def __aenter__(self) -> Self:
        self._connection = await self._owner.reached()
        self._inner = await self._resume(self._connection)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def __anext__(self) -> tuple[str, Mapping[str, Any]]:
        """Return the next (method, params).

        Raises:
            DaemonUnavailable: none can be reached, or each that could has gone at once.
        """
        attempts_left = _ATTEMPTS
        while True:
            if self._connection is None:
                self._connection = await self._owner.reached()
            try:
                if self._inner is None:
                    attempts_left -= 1
                    self._inner = await self._resume(self._connection)
                method, params = await anext(self._inner)
            except DaemonUnavailable:
                await self._stack.aclose()
                is_closed = self._connection.is_closed
                self._connection = self._inner = None
                if not attempts_left or not is_closed:
                    raise
            else:
                if (item := self._position.take(method, params)) is not None:
                    return item

    async def _resume(self, connection: Connection) -> Subscription:
        self._stack = AsyncExitStack()
        return await self._stack.enter_async_context(
            connection.subscribe(self._method, self._position.params(), window=self._size)
        )
