"""The composition root: builds every part of the daemon, wires them, and ends them in order."""

from __future__ import annotations

import logging
import os
import random
import shutil
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, nullcontext
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from harness import __version__
from harness.clock import SystemClock
from harness.commands import start_holder
from harness.errors import StorageError
from harness.events import EventBus
from harness.executors import TypedExecutor, option_types
from harness.health import CheckRunner
from harness.logs import LogNotice, LogsDropped, Watcher
from harness.model import EventKind
from harness.protocol import CheckedStack, Endpoint, ListenParams
from harness.storage import SqliteStore, Store
from harness.supervisor import OperationState, Stacks

from .access import Access
from .dispatcher import Dispatcher
from .extensions import Extensions
from .idle import IdleEnd
from .methods import all_handlers
from .observers import observing
from .server import Server
from .session import Limits
from .stack_reader import StackReader, prepare
from .start_lock import StartLock
from .wiring import Wiring

__all__ = ["serve_daemon", "supervision"]

logger = logging.getLogger(__name__)

_DRAIN_S = 10.0
_WARM_UP_AFTER_S = 0.1


async def serve_daemon(
    endpoint: Endpoint,
    *,
    ready: Callable[[], None] = lambda: None,
    limits: Limits | None = None,
    checked: CheckedStack | None = None,
    listen: ListenParams | None = None,
    mask_log: Callable[[Callable[[str], str]], None] = lambda _: None,
    plugins: Sequence[str] = (),
    takes_signals: bool = True,
    idle_end_s: float | None = None,
    on_ending: Callable[[], None] = lambda: None,
) -> None:
    """Be the daemon of a state directory until a signal or `daemon.stop` ends it.

    SIGTERM and SIGINT finish what is being changed, for ten seconds at most, and leave all
    services running; a second one ends that wait.

    Args:
        endpoint: names the state directory.
        ready: called once, when clients are served.
        limits: for each connection.
        checked: the stack that it was started for.
        listen: where clients of other machines are served; None: where the last daemon did.
        mask_log: told once what replaces the secrets of all projects in a text.
        plugins: that it is started with, `module` or `module:attribute`, beside installed ones.
        takes_signals: SIGTERM and SIGINT are for it, as they are where it is the whole program.
        idle_end_s: end, too, when for so long nobody has been connected and there was no project;
            and remove the state directory at the end, however it comes, unless something runs on.
        on_ending: called once what was being changed is finished; the rest is cancelled then.

    Raises:
        StorageError: the state directory cannot be used; nothing in it was changed.
        ListenFailed: nobody can listen there.
    """
    # Now: it is ready when the first service is to be started.
    start_holder()
    shutdown, hurry = anyio.Event(), anyio.Event()
    server = Server(Dispatcher({}), limits=limits, health=_health)
    is_wanted = True
    with StartLock(endpoint) as start_lock:
        signals = _signals(shutdown, hurry) if takes_signals else nullcontext()
        async with server.running(), signals:
            with _owned_store(endpoint) as store:
                async with supervision(
                    endpoint, store, server, shutdown, checked, listen, mask_log, plugins
                ) as stacks:
                    await server.listen(endpoint.socket_path)
                    start_lock.release()
                    ready()
                    logger.info("Serving %s as pid %d", endpoint, os.getpid())
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(_warm_up, stacks)
                        if idle_end_s is not None:
                            tasks.start_soon(_end_idle, idle_end_s, server, stacks, shutdown)
                        await shutdown.wait()
                        tasks.cancel_scope.cancel()
                    # Held to the end: a command that finds the socket gone waits for that.
                    start_lock.hold()
                    server.stop_listening()
                    await _drain(server, stacks, hurry)
                    on_ending()
                    is_wanted = idle_end_s is None or _runs_something(stacks)
            if not is_wanted:
                # Under the lock: the next daemon makes it anew.
                await to_thread.run_sync(
                    partial(shutil.rmtree, ignore_errors=True), endpoint.state_dir
                )
            # Only now: to a client the end of the connection is the end of the daemon.
            await server.close_sessions()
    logger.info("Ended")


@asynccontextmanager
async def supervision(
    endpoint: Endpoint,
    store: Store,
    server: Server,
    shutdown: anyio.Event,
    checked: CheckedStack | None = None,
    listen: ListenParams | None = None,
    mask_log: Callable[[Callable[[str], str]], None] = lambda _: None,
    plugins: Sequence[str] = (),
) -> AsyncIterator[Stacks]:
    """Build what looks after services, take over what an earlier daemon left, and answer calls."""
    clock = SystemClock()
    bus = EventBus(store=store, clock=clock)
    notices = _LogNotices()
    extensions = Extensions(lambda name: stacks.project(name), clock=clock, given=plugins)
    typed = TypedExecutor(extensions.begin_task)
    extensions.executors[typed.name] = typed
    async with Watcher(on_notice=notices.take) as watcher:
        stacks = Stacks(
            directory=endpoint.state_dir,
            store=store,
            bus=bus,
            clock=clock,
            executors=extensions.executors,
            watcher=watcher,
            checks=CheckRunner(extensions.health_checks),
            codec=extensions.codec,
            random=random.random,
            setups=extensions.setup_of,
            snapshotters=extensions.snapshots_of,
        )
        notices.stacks = stacks
        stacks.forget = partial(_forget_runs, store)
        async with extensions, typed, stacks, observing(bus, extensions):
            await extensions.prepare_for(stacks.records().values())
            await stacks.recover()
            access = Access(
                endpoint=endpoint, store=store, server=server, clock=clock, masked=stacks.masked
            )
            wiring = Wiring(
                stacks=stacks,
                bus=bus,
                store=store,
                clock=clock,
                reader=StackReader(option_types(), extensions, checked),
                extensions=extensions,
                access=access,
                endpoint=endpoint,
                version=__version__,
                started_at=clock.now(),
                began_s=clock.monotonic(),
                connections=lambda: server.connections,
                shutdown=shutdown,
            )
            server.dispatcher = Dispatcher(
                all_handlers(wiring), audit=access.audit, masked=stacks.masked
            )
            mask_log(stacks.masked)
            await access.begin(listen)
            bus.publish(EventKind.DAEMON_STARTED, data={"pid": os.getpid(), "version": __version__})
            yield stacks
            access.close()
            bus.publish(EventKind.DAEMON_STOPPED, data={"reason": "asked to end"})


def _forget_runs(store: Store, project: str) -> None:
    from harness.workflows import forget_runs

    forget_runs(store, project)


async def _end_idle(after_s: float, server: Server, stacks: Stacks, shutdown: anyio.Event) -> None:
    """End the daemon once nobody has wanted anything of it for so long."""
    idle = IdleEnd(
        after_s=after_s, is_idle=lambda: not server.connections and not stacks.projects()
    )
    server.on_left = stacks.on_removed = idle.look_again
    await idle.wait()
    logger.info("Nobody has been connected for %g s, and there is no project", after_s)
    shutdown.set()


def _runs_something(stacks: Stacks) -> bool:
    return any(unit.is_live for project in stacks.projects() for unit in project.units.values())


async def _warm_up(stacks: Stacks) -> None:
    """Load what a stack would wait for, while most daemons have nothing else to do.

    Not while services start, nor a moment before or after: the command has calls to make then.
    """
    await anyio.sleep(_WARM_UP_AFTER_S)
    if await _operations_end(stacks):
        await anyio.sleep(_WARM_UP_AFTER_S)
    try:
        await to_thread.run_sync(prepare, abandon_on_cancel=True)
    except Exception:
        # A guard: the request that needs it will say what is wrong, and nothing else is concerned.
        logger.exception("Cannot load what requests will need")


async def _drain(server: Server, stacks: Stacks, hurry: anyio.Event) -> None:
    """Wait for calls and operations that change something, until the deadline or a hurry."""

    async def finish() -> None:
        await server.drain()
        await _operations_end(stacks)
        waiting.cancel_scope.cancel()

    async def give_up() -> None:
        await hurry.wait()
        waiting.cancel_scope.cancel()

    with anyio.move_on_after(_DRAIN_S) as deadline:
        async with anyio.create_task_group() as waiting:
            waiting.start_soon(finish)
            waiting.start_soon(give_up)
    if deadline.cancelled_caught or hurry.is_set():
        logger.warning("Ending although something is still being changed; the next daemon goes on")


async def _operations_end(stacks: Stacks) -> bool:
    """Wait for the operations under way; return whether there were any."""
    running = [o for o in stacks.operations.list() if o.state is OperationState.RUNNING]
    for operation in running:
        await operation.ended.wait()
    return bool(running)


class _LogNotices:
    """Turns what the watcher tells about logs into events of the project."""

    def __init__(self) -> None:
        self.stacks: Stacks | None = None

    def take(self, notice: LogNotice) -> None:
        if not isinstance(notice, LogsDropped):
            logger.warning(
                "Cannot limit the %s of %s: %s", notice.stream, notice.unit, notice.cause
            )
            return
        projects = self.stacks.projects() if self.stacks is not None else []
        for project in projects:
            if notice.directory.is_relative_to(project.context.directory):
                project.log_notice(notice)


@contextmanager
def _owned_store(endpoint: Endpoint) -> Iterator[Store]:
    try:
        store = SqliteStore(endpoint.state_dir)
    except OSError as error:
        raise StorageError(
            f"cannot use the state directory {endpoint.state_dir}: {error.strerror or error}",
            hint="name another one with HARNESS_STATE_DIR",
        ) from error
    pid_path = endpoint.state_dir / "daemon.pid"
    try:
        with store:
            _write_private(pid_path, f"{os.getpid()}\n")
            yield store
            pid_path.unlink(missing_ok=True)
    except BaseException:
        pid_path.unlink(missing_ok=True)
        raise


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)


@asynccontextmanager
async def _signals(shutdown: anyio.Event, hurry: anyio.Event) -> AsyncIterator[None]:
    """Set `shutdown` at the first ending signal and `hurry` at the second, while open."""
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:

        async def watch() -> None:
            async for number in received:
                logger.info("Received %s", signal.Signals(number).name)
                if shutdown.is_set():
                    hurry.set()
                shutdown.set()

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            yield
            group.cancel_scope.cancel()


def _health() -> dict[str, object]:
    return {"status": "ok", "version": __version__, "pid": os.getpid()}
