"""The client for scripts without an event loop: the same nouns and verbs, each waits for its end.

    with BlockingClient() as client:
        for unit in client.services.status(project="shop")["services"]:
            print(unit["name"], unit["state"])
        with client.events.subscribe(project="shop") as events:
            print(next(events))

An event loop of its own runs in a thread beside; nothing else of the program is touched by it.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar

from anyio.from_thread import BlockingPortal, start_blocking_portal

from harness.protocol import Endpoint

from .client import Client, connect

if TYPE_CHECKING:
    from .remote import Remote

__all__ = ["BlockingClient"]

T = TypeVar("T")


class BlockingClient:
    """A connected client, for as long as the context is open; see `Client` for what it has.

    Verbs return what those of `Client` return. What is an async context there is a context here,
    and what is iterated over there is iterated over here. An interrupt cancels the call.

    Args:
        endpoint: whose daemon; None: the user's own, as the environment names it. One on another
            machine is a `Remote`.
        start: start it in the background when it does not run.
        reconnect: go on with the next daemon when this one has gone, as `connect` does.
        plugins: as for `connect`.
        idle_end_s: as for `connect`.

    Raises:
        HarnessError: on entering, as `connect` does.
    """

    def __init__(
        self,
        endpoint: Endpoint | Remote | None = None,
        *,
        start: bool = True,
        reconnect: bool = False,
        plugins: Sequence[str] = (),
        idle_end_s: float | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._start = start
        self._reconnect = reconnect
        self._plugins = plugins
        self._idle_end_s = idle_end_s
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            opening = connect(
                self._endpoint,
                start=self._start,
                reconnect=self._reconnect,
                plugins=self._plugins,
                idle_end_s=self._idle_end_s,
            )
            self._client: Client = stack.enter_context(
                self._portal.wrap_async_context_manager(opening)
            )
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def begin(self, call: Callable[[Client], Awaitable[T]]) -> Future[T]:
        """Do something with the async client beside this thread; cancelling the future ends it.

        Whoever leaves the context must have cancelled it, or it is waited for.
        """
        return self._portal.start_task_soon(call, self._client)

    def run(self, call: Callable[[Client], Awaitable[T]]) -> T:
        """Do something with the async client, and wait for it."""
        return _run(self._portal, partial(call, self._client))

    @property
    def hello(self) -> dict[str, Any]:
        """Protocol, version and pid of the daemon."""
        return self._client.hello

    def __getattr__(self, name: str) -> _Noun:
        if name.startswith("_") or not hasattr(self._client, name):
            raise AttributeError(f"a client has no {name!r}")
        return _Noun(self._portal, getattr(self._client, name))


class _Noun:
    """A noun of the client; its verbs wait."""

    def __init__(self, portal: BlockingPortal, noun: Any) -> None:
        self._portal = portal
        self._noun = noun

    def __getattr__(self, name: str) -> Callable[..., Any]:
        verb = getattr(self._noun, name)
        if inspect.iscoroutinefunction(verb):

            def call(*args: Any, **kwargs: Any) -> Any:
                return _run(self._portal, partial(verb, *args, **kwargs))

            return call

        def enter(*args: Any, **kwargs: Any) -> _Context:
            return _Context(self._portal, verb(*args, **kwargs))

        return enter


class _Context:
    """An async context, entered and left from this thread."""

    def __init__(self, portal: BlockingPortal, context: Any) -> None:
        self._portal = portal
        self._context = portal.wrap_async_context_manager(context)

    def __enter__(self) -> _Stream:
        return _Stream(self._portal, self._context.__enter__())

    def __exit__(self, *error: Any) -> bool | None:
        return self._context.__exit__(*error)


class _Stream:
    """What is iterated over, with the other methods that it has."""

    def __init__(self, portal: BlockingPortal, stream: Any) -> None:
        self._portal = portal
        self._stream = stream

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return _run(self._portal, self._stream.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._stream, name)
        if not inspect.iscoroutinefunction(found):
            return found
        return lambda *args, **kwargs: _run(self._portal, partial(found, *args, **kwargs))


def _run(portal: BlockingPortal, call: Callable[[], Awaitable[T]]) -> T:
    future = portal.start_task_soon(call)
    try:
        return future.result()
    except BaseException:
        future.cancel()  # an interrupt of this thread ends the call
        raise
