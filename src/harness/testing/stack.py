"""A running stack, for tests without an event loop; see `AsyncStack` for what each verb does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from harness.client import BlockingClient, Client, Endpoint, connect
from harness.errors import HarnessError

from .async_stack import WAIT_S, AsyncService, AsyncStack, Event, Executed, Target

__all__ = ["Service", "Stack", "asked", "readable"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Shared:
    """What a stack's fixture and the test run know of it beside.

    Attributes:
        endpoint: of its daemon.
        touch: called when a test uses it.
    """

    endpoint: Endpoint
    touch: Callable[[], None] = lambda: None


class Stack:
    """A project that is up; what it is asked for is answered before the call returns.

    An interrupt ends a call at once.
    """

    def __init__(
        self, client: BlockingClient, *, project: str, shared: Shared, mark: int = 0
    ) -> None:
        self.client = client
        self.project = project
        self.mark = mark
        self._shared = shared

    def __repr__(self) -> str:
        return f"<Stack {self.project}>"

    def __getitem__(self, name: str) -> Service:
        """Return one of its services or tasks; a wrong name is told at the first call."""
        return Service(self, name)

    @property
    def state_dir(self) -> str:
        """Return its daemon's state directory, for `HARNESS_STATE_DIR`."""
        return str(self._shared.endpoint.state_dir)

    @property
    def last_event(self) -> int:
        """Return the number of the newest event; give it to `wait_for_event` as `after`."""
        return asked(self.client, lambda client: client.daemon.status())["last_event"]

    def status(self) -> dict[str, dict[str, Any]]:
        """Return every unit's row of `harness status`, by name."""
        return self.run(lambda stack: stack.status())

    def action(self, name: str, /, **parameters: Any) -> Any:
        """Run an action, `service.action`, to its end; return its result."""
        return self.run(lambda stack: stack.action(name, **parameters))

    def wait_for(self, name: str, target: Target = "healthy", timeout_s: float = WAIT_S) -> None:
        """Return once a unit has reached the target; the error of a timeout says why it has not."""
        self.run(lambda stack: stack.wait_for(name, target, timeout_s))

    def wait_for_event(
        self,
        kind: str | None = None,
        *,
        unit: str | None = None,
        match: Callable[[Event], bool] | None = None,
        timeout_s: float = WAIT_S,
        after: int | None = None,
    ) -> Event:
        """Return the first event that fits, of those since the test began."""
        return self.run(
            lambda stack: stack.wait_for_event(
                kind, unit=unit, match=match, timeout_s=timeout_s, after=after
            )
        )

    def outputs(self, task: str) -> dict[str, Any]:
        """Return what a task that has completed has put out."""
        return self.run(lambda stack: stack.outputs(task))

    def why(self, name: str) -> str:
        """Return why a unit is as it is, in words."""
        return self.run(lambda stack: stack.why(name))

    def logs(
        self,
        *names: str,
        tail: int | None = None,
        since: str | None = None,
        grep: str | None = None,
    ) -> str:
        """Return the output of units, or of all."""
        return self.run(lambda stack: stack.logs(*names, tail=tail, since=since, grep=grep))

    def snapshot(self, name: str) -> None:
        """Take a snapshot of the whole stack."""
        self.run(lambda stack: stack.snapshot(name))

    def restore(self, name: str) -> None:
        """Make the stack as it was when the snapshot was taken."""
        self.run(lambda stack: stack.restore(name))

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[AsyncStack]:
        """Drive the stack from the test's own event loop, asyncio's or trio's, while it is open."""
        self._shared.touch()
        async with connect(self._shared.endpoint, start=False) as client:
            yield AsyncStack(client, project=self.project, mark=self.mark)

    def run(self, call: Callable[[AsyncStack], Awaitable[T]]) -> T:
        """Do something with the async stack, in the event loop of the test run's client."""
        self._shared.touch()

        async def body(client: Client) -> T:
            return await call(AsyncStack(client, project=self.project, mark=self.mark))

        return asked(self.client, body)


def asked(client: BlockingClient, call: Callable[[Client], Awaitable[T]]) -> T:
    """Do something with a client; what is wrong is told as a test's author reads it."""
    try:
        return client.run(call)
    except HarnessError as error:
        raise readable(error) from None


def readable(error: HarnessError) -> HarnessError:
    """Return an error as a test's author reads it: with its hint, without the frames below.

    These are of two event loops, and tell nothing about the test.
    """
    error.__traceback__ = None
    hint = f"hint: {error.hint}"
    if error.hint and hint not in getattr(error, "__notes__", ()):
        error.add_note(hint)
    return error


class Service:
    """One service or task of a stack."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self.name = name

    def __repr__(self) -> str:
        return f"<Service {self._stack.project}/{self.name}>"

    @property
    def state(self) -> str:
        """Return its state, such as `running`."""
        state: str = self.status()["state"]
        return state

    @property
    def health(self) -> str:
        """Return what its checks say: `none`, `starting`, `healthy` or `unhealthy`."""
        health: str = self.status()["health"]
        return health

    @property
    def pid(self) -> int | None:
        """Return the process id of its main process."""
        pid: int | None = self.status()["pid"]
        return pid

    def status(self) -> dict[str, Any]:
        """Return its row of `harness status`."""
        return self._run(lambda service: service.status())

    def endpoint(self, name: str | None = None) -> dict[str, Any]:
        """Return {host, port, url} of one of its ports; without a name, of the only one."""
        return self._run(lambda service: service.endpoint(name))

    def url(self, name: str | None = None) -> str:
        """Return the URL of one of its ports; where its scheme is not declared, `host:port`."""
        address = self.endpoint(name)
        return address["url"] or f"{address['host']}:{address['port']}"

    def port(self, name: str | None = None) -> int:
        """Return the number of one of its ports."""
        port: int = self.endpoint(name)["port"]
        return port

    def host(self, name: str | None = None) -> str:
        """Return the host of one of its ports."""
        host: str = self.endpoint(name)["host"]
        return host

    def logs(
        self, *, tail: int | None = None, since: str | None = None, grep: str | None = None
    ) -> str:
        """Return its output."""
        return self._run(lambda service: service.logs(tail=tail, since=since, grep=grep))

    def exec(
        self,
        *argv: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        timeout_s: float = WAIT_S,
    ) -> Executed:
        """Run a command beside it, with its environment, to the command's end."""
        return self._run(
            lambda service: service.exec(*argv, env=env, check=check, timeout_s=timeout_s)
        )

    def start(self) -> None:
        """Start it; return when it is ready."""
        self._run(lambda service: service.start())

    def stop(self) -> None:
        """Stop it; return when nothing of it is left."""
        self._run(lambda service: service.stop())

    def restart(self) -> None:
        """Stop and start it; return when it is ready again."""
        self._run(lambda service: service.restart())

    def kill(self, signal: str = "SIGKILL") -> None:
        """Send it a signal, as a crash would."""
        self._run(lambda service: service.kill(signal))

    def _run(self, call: Callable[[AsyncService], Awaitable[T]]) -> T:
        return self._stack.run(lambda stack: call(stack[self.name]))
