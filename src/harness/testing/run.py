"""The stacks of one test process: one client, one lease a stack, and an end of all of them.

Without the process each lease ends by itself, the daemon takes the stacks down, and when nobody has
been connected for a moment it ends, too, and removes its state directory.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.client import BlockingClient, Client, Endpoint
from harness.errors import DaemonUnavailable, HarnessError, PluginBroken, ServiceNotFound

from .async_stack import finished
from .definition import StackDefinition, unique_project
from .stack import Shared, Stack, asked, readable

__all__ = ["IDLE_END_S", "LiveStack", "StackRun", "end_private_daemon"]

__tracebackhide__ = True  # to pytest: a test's author looks at the test

LEASE_S = 30.0
IDLE_END_S = 3.0
_BASE = "up"


@dataclass(slots=True, kw_only=True)
class LiveStack:
    """A stack and what is known of it.

    Attributes:
        beat: renews its lease.
        fixture: name of the one that gives it.
        users: ids of the tests that have used it.
        failed: whether one of them has failed.
        has_base: whether it came up, and was kept as it was then: there is what to go back to.
    """

    stack: Stack
    definition: StackDefinition
    beat: Future[None] | None = None
    fixture: str | None = None
    users: set[str] = field(default_factory=set)
    failed: bool = False
    has_base: bool = False


class StackRun:
    """Brings stacks up and takes them down.

    Args:
        endpoint: whose daemon.
        is_private: it is this test run's own, which ends with it.
        plugins: that it is started with, where it is private.
        worker: names this process among those of the run.
        make_directory: makes a directory for the file of a stack that has none.
        on_touch: called when a test uses a stack.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        is_private: bool,
        plugins: Sequence[str] = (),
        worker: str,
        make_directory: Callable[[str], Path],
        on_touch: Callable[[LiveStack], None],
    ) -> None:
        self.endpoint = endpoint
        self.is_private = is_private
        self.live: list[LiveStack] = []
        self._plugins = plugins
        self._worker = worker
        self._make_directory = make_directory
        self._on_touch = on_touch
        self._count = 0
        self._client: BlockingClient | None = None

    @property
    def client(self) -> BlockingClient:
        """Return the client; the first call connects it, and may start the daemon."""
        if self._client is None:
            client = BlockingClient(
                self.endpoint,
                reconnect=True,
                plugins=self._plugins,
                idle_end_s=IDLE_END_S if self.is_private else None,
            )
            try:
                self._client = self._connected(client)
            except HarnessError as error:
                raise readable(error) from None
        return self._client

    def _connected(self, client: BlockingClient) -> BlockingClient:
        """Enter a client; a plugin of this run that is broken is an error: tests would want it."""
        with ExitStack() as stack:
            stack.enter_context(client)
            for found in client.plugins.list() if self._plugins else ():
                if found["name"] in self._plugins and found["error"]:
                    raise PluginBroken(
                        name=found["name"], source="--harness-plugin", cause=found["error"]
                    )
            stack.pop_all()
        return client

    def prepare(self, definition: StackDefinition) -> LiveStack:
        """Name a stack; nothing happens yet."""
        self._count += 1
        project = unique_project(definition.label, worker=self._worker, number=self._count)
        shared = Shared(endpoint=self.endpoint)
        live = LiveStack(
            stack=Stack(self.client, project=project, shared=shared), definition=definition
        )
        shared.touch = lambda: self._on_touch(live)
        self.live.append(live)
        return live

    def bring_up(self, live: LiveStack) -> None:
        """Bring a stack up, with a lease from the first moment on.

        Raises:
            OperationFailed: it did not come up; the text says why.
            HarnessError: why it could not be begun.
        """
        definition, stack = live.definition, live.stack
        source = definition.source(stack.project, self._make_directory)
        begun = stack.run(
            lambda inner: inner.client.services.up(
                source=source,
                units=definition.units,
                timeout_s=definition.timeout_s,
                lease={"ttl_s": LEASE_S, "owner": f"pytest {self._worker} pid {os.getpid()}"},
            )
        )
        stack.mark = begun["after"]
        live.beat = self.client.begin(self._beat(stack.project))
        stack.run(lambda inner: finished(inner, begun))
        if definition.isolation == "snapshot":
            stack.snapshot(_BASE)
            live.has_base = True

    def restore(self, live: LiveStack) -> None:
        """Make a stack as it was when it had come up, also what a test has stopped."""
        live.stack.run(lambda inner: inner.change("start", live.definition.units))
        live.stack.restore(_BASE)

    def mark(self, stacks: Sequence[LiveStack]) -> None:
        """Let what happened until now be old to the test that is about to use these stacks."""
        if stacks:
            newest = stacks[0].stack.last_event
            for live in stacks:
                live.stack.mark = newest

    def take_down(self, live: LiveStack) -> None:
        """Take a stack down and forget it; nothing of it is left when this returns.

        Raises:
            OperationFailed: something is left.
        """
        self._let_go(live)
        # It never came up, or its lease was lost and the daemon has taken it down.
        project = live.stack.project
        with suppress(ServiceNotFound):
            begun = asked(
                self.client, lambda client: client.services.down(project=project, volumes=True)
            )
            ended = asked(self.client, lambda client: client.operations.wait(id=begun["id"]))
            if ended["error"] is not None:
                live.stack.run(lambda inner: finished(inner, begun))

    def keep(self, live: LiveStack) -> bool:
        """Leave a stack to whoever looks at it; return whether there is one."""
        self._let_go(live)
        try:
            self.client.leases.release(project=live.stack.project)
        except HarnessError:
            return False
        return True

    def close(self) -> None:
        """Disconnect; what is up still, because this run was interrupted, ends with its lease."""
        for live in self.live:
            if live.beat is not None:
                live.beat.cancel()
        client, self._client = self._client, None
        if client is not None:
            client.__exit__(None, None, None)

    def _let_go(self, live: LiveStack) -> None:
        if live.beat is not None:
            live.beat.cancel()
        if live in self.live:
            self.live.remove(live)

    def _beat(self, project: str) -> Callable[[Client], Any]:
        async def beat(client: Client) -> None:
            # What ends it is told to whoever uses the stack next.
            with suppress(HarnessError):
                await client.leases.keep_alive(project=project, ttl_s=LEASE_S)

        return beat


def end_private_daemon(state_dir: Path) -> None:
    """Take down what a test process has left that was killed, and end the run's own daemon.

    What is to be kept has no lease any more; with it the daemon goes on, and ends after it.
    """
    try:
        with BlockingClient(Endpoint(state_dir), start=False) as client:
            for lease in client.leases.list():
                with suppress(ServiceNotFound):
                    begun = client.services.down(project=lease["project"], volumes=True)
                    client.operations.wait(id=begun["id"])
            if not client.projects.list():
                client.daemon.stop()
    except DaemonUnavailable:
        return
