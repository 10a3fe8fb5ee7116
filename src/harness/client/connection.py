"""One connection to a daemon: calls with answers, in any number at once, and subscriptions.

Knows the framing and the errors; methods are the nouns' business. Every open call and every
subscription ends with an error when the connection does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import anyio

from harness.errors import DaemonUnavailable, HarnessError, MalformedMessage, ProtocolError
from harness.protocol import (
    ErrorResponse,
    Notification,
    Request,
    Response,
    decode,
    encode,
    error_from_wire,
)

from .subscription import Subscription

if TYPE_CHECKING:
    from harness.protocol import MessageStream

__all__ = ["CALL_TIMEOUT_S", "Connection", "Listener"]

CALL_TIMEOUT_S = 60.0
"""How long a call may take that does not wait for anything by its nature."""

_SUBSCRIPTION_KEYS = ("subscription", "id")


class Listener(Protocol):
    """Takes notifications; a subscription is one."""

    def offer(self, method: str, params: Mapping[str, Any], size: int) -> None:
        """Take one, in the order in which they come."""

    def fail(self, reason: HarnessError) -> None:
        """Take note that no more will come."""


class _Call:
    """An open call."""

    __slots__ = ("answer", "done", "method", "on_result")

    def __init__(self, method: str, on_result: Callable[[Any], None] | None) -> None:
        self.method = method
        self.done = anyio.Event()
        self.answer: Any = None
        self.on_result = on_result


class Connection:
    """Calls methods over a stream; `run` must run beside it, which `opened` sees to.

    Attributes:
        lasts: another connection comes in its place when the daemon has gone.
    """

    lasts: ClassVar[bool] = False

    def __init__(self, stream: MessageStream) -> None:
        self._stream = stream
        self._sending = anyio.Lock()
        self._calls: dict[int | str, _Call] = {}
        self._late: dict[int | str, Callable[[Any], None]] = {}
        self._unwanted: list[str] = []
        self._subscriptions: dict[str, Listener] = {}
        self._next_id = 0
        self._closed: HarnessError | None = None
        self._ended = anyio.Event()

    async def call(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        timeout_s: float | None = CALL_TIMEOUT_S,
        on_result: Callable[[Any], None] | None = None,
        on_late: Callable[[Any], None] | None = None,
    ) -> Any:
        """Call a method and return its result.

        Args:
            method: name.
            params: by name; what is absent gets the daemon's default.
            timeout_s: for the answer; None: no limit.
            on_result: called with the result before any later message is looked at.
            on_late: called in its place when the call has been given up by then.

        Raises:
            HarnessError: what the daemon answered with, as the class of the same kind.
            DaemonUnavailable: the connection ended, or no answer came in time.
        """
        self._next_id += 1
        identifier = self._next_id
        call = _Call(method, on_result)
        self._calls[identifier] = call
        try:
            with anyio.fail_after(timeout_s):
                await self._send(encode(Request(identifier, method, params or {})))
                await call.done.wait()
        except TimeoutError:
            raise DaemonUnavailable(
                f"cannot get an answer to {method}: none came within {timeout_s:g} s"
            ) from None
        finally:
            del self._calls[identifier]
            if on_late is not None and not call.done.is_set():
                self._late[identifier] = on_late
        if isinstance(call.answer, HarnessError):
            raise call.answer
        return call.answer

    async def notify(self, method: str, params: Mapping[str, Any]) -> None:
        """Call a method without wanting an answer."""
        await self._send(encode(Notification(method, params)))

    @asynccontextmanager
    async def subscribe(
        self, method: str, params: Mapping[str, Any], *, window: int
    ) -> AsyncIterator[Subscription]:
        """Call a method that makes a subscription, which ends with the context.

        Args:
            method: name; its result names the subscription.
            params: by name.
            window: bytes that the daemon may send ahead of what is consumed.
        """
        subscription = Subscription(window=window, notify=self.notify)

        def register(result: Mapping[str, Any]) -> None:
            subscription.id = _subscription_id(result)
            self._subscriptions[subscription.id] = subscription

        def end(result: Mapping[str, Any]) -> None:
            self._unwanted.append(_subscription_id(result))

        try:
            await self.call(method, {**params, "window": window}, on_result=register, on_late=end)
            yield subscription
        finally:
            self._subscriptions.pop(subscription.id, None)
            if self._closed is None and subscription.id:
                # Shielded: an interrupted reader must not leave the daemon sending.
                with anyio.move_on_after(1, shield=True):
                    await self._cancel(subscription.id)

    @contextmanager
    def listening(self, name: str, listener: Listener) -> Iterator[None]:
        """Have the notifications of a name that this client chose, while the context is open."""
        self._subscriptions[name] = listener
        try:
            yield
        finally:
            self._subscriptions.pop(name, None)

    @property
    def is_closed(self) -> bool:
        """Nothing more can be asked over it."""
        return self._closed is not None

    async def wait_closed(self) -> None:
        """Return once the daemon has closed the connection."""
        await self._ended.wait()

    async def run(self) -> None:
        """Read messages until the connection ends, in whatever way; then fail what is open."""
        reason: HarnessError = _gone()
        try:
            while True:
                text = await self._stream.receive()
                self._take(decode(text), len(text))
                await self._cancel_unwanted()
        except anyio.EndOfStream:
            pass
        except MalformedMessage as error:
            reason = error
        finally:
            self._close(reason)

    async def aclose(self) -> None:
        """Close the connection."""
        self._close(DaemonUnavailable("cannot go on: the connection was closed"))
        with anyio.move_on_after(1, shield=True):
            await self._stream.aclose()
        self._stream.abort()

    async def _cancel(self, subscription: str) -> None:
        try:
            await self.call("subscriptions.cancel", {"subscription": subscription})
        except HarnessError:
            return  # It has ended by itself, or with the connection.

    async def _cancel_unwanted(self) -> None:
        """End subscriptions that nobody waited for any more when the daemon named them."""
        while self._unwanted:
            # When the connection has ended, so have they.
            with suppress(HarnessError):
                await self.notify("subscriptions.cancel", {"subscription": self._unwanted.pop()})

    async def _send(self, text: str) -> None:
        async with self._sending:
            if self._closed is not None:
                raise self._closed
            try:
                await self._stream.send(text)
            except anyio.BrokenResourceError:
                gone = _gone()
                self._close(gone)
                raise gone from None

    def _take(self, message: Request | Notification | Response | ErrorResponse, size: int) -> None:
        match message:
            case Response(identifier, result):
                self._take_result(identifier, result)
            case ErrorResponse(None, error):
                # The daemon could not read what was sent, and cannot tell which call it was.
                raise _as_malformed(error_from_wire(error))
            case ErrorResponse(identifier, error):
                self._late.pop(identifier or 0, None)
                if (call := self._calls.get(identifier or 0)) is not None:
                    call.answer = error_from_wire(error)
                    call.done.set()
            case Notification(method, params):
                name = _subscription_id(params)
                if (subscription := self._subscriptions.get(name)) is None:
                    return
                if method == "subscriptions.failed":
                    subscription.fail(error_from_wire(params["error"]))
                else:
                    subscription.offer(method, params, size)
            case Request():
                pass

    def _take_result(self, identifier: int | str, result: Any) -> None:
        if (call := self._calls.get(identifier)) is not None:
            call.answer = result
            if call.on_result is not None:
                call.on_result(result)
            call.done.set()
        elif (on_late := self._late.pop(identifier, None)) is not None:
            on_late(result)

    def _close(self, reason: HarnessError) -> None:
        if self._closed is not None:
            return
        self._closed = reason
        for call in self._calls.values():
            # An answer that came right before the end stays one.
            if not call.done.is_set():
                call.answer = reason
                call.done.set()
        for subscription in self._subscriptions.values():
            subscription.fail(reason)
        self._ended.set()


def _gone() -> DaemonUnavailable:
    return DaemonUnavailable(
        "cannot go on: the daemon closed the connection",
        hint="run the command again, which starts a daemon; one that dies leaves services running",
    )


def _subscription_id(document: Mapping[str, Any]) -> str:
    for key in _SUBSCRIPTION_KEYS:
        if key in document:
            return str(document[key])
    raise MalformedMessage("cannot read the message: it names no subscription")


def _as_malformed(error: HarnessError) -> MalformedMessage:
    """Return the daemon's complaint about a message it could not read; it ends the connection."""
    if isinstance(error, MalformedMessage):
        return error
    if isinstance(error, ProtocolError):
        return MalformedMessage(str(error), hint=error.hint, details=error.details)
    return MalformedMessage(f"cannot go on: {error}")
