"""One run of the program.

Its options, its output, its way to a daemon, and the project it is about.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from .interrupts import LeavingNote
from .options import GlobalOptions
from .output import Output
from .program import HARNESS, Program

if TYPE_CHECKING:
    from harness.client import Begun, Client, KnownTypes, Remote
    from harness.errors import ServiceNotFound
    from harness.protocol import Endpoint

__all__ = ["Connector", "Session", "pick"]

_MAY_GO_ON = (
    "note: nothing was asked of the daemon; if it was being started, it may go on"
    " (harness daemon stop ends it)"
)

Connector = Callable[
    ["Session", bool, "Mapping[str, Any] | None"], "AbstractAsyncContextManager[Client]"
]


class Session:
    """What every command body gets as its first argument.

    Args:
        connector: opens a client for a session; the flag allows it to start a daemon, unless that
            cannot use the source given. Tests give their own.
        program: which one this is a run of.
    """

    def __init__(self, *, connector: Connector | None = None, program: Program = HARNESS) -> None:
        self.options = GlobalOptions(program=program)
        self.out = Output(self.options)
        self._connector = connector or _connect
        self.begun: Begun | None = None
        self.lasting = False
        self._context: str | None = None
        self.plugins = program.plugins

    @cached_property
    def types(self) -> KnownTypes:
        """What units of a stack file that is read here may be of."""
        from harness.client import KnownTypes

        return KnownTypes(self.plugins)

    def begin(self) -> None:
        """Complete the options from the environment, and log as loudly as they say."""
        self.options.fill_from(os.environ)
        if self.options.verbosity > 0:
            import logging

            level = logging.INFO if self.options.verbosity == 1 else logging.DEBUG
            logging.basicConfig(level=level, format="%(name)s: %(message)s")

    def begin_daemon(self, *, reads_stack: bool = False) -> None:
        """Start the process of a daemon that `connect` will need, unless there may be one.

        The arguments are those of `connect`.

        Raises:
            StorageError: the state directory cannot be used.
        """
        if not self.options.start or self._connector is not _connect or self.context:
            return
        from harness.client import begin_daemon

        source = self.source() if reads_stack else None
        if not self.out.quiet:
            # Before its process is there: an interrupt may come right after.
            LeavingNote.text = f"{self.out.pasteable(_MAY_GO_ON)}\n"
        self.begun = begin_daemon(self.endpoint(), source=source, plugins=self.plugins)
        if self.begun is None:
            LeavingNote.text = ""

    def connect(
        self, *, start: bool = True, reads_stack: bool = False, lasting: bool = False
    ) -> AbstractAsyncContextManager[Client]:
        """Open a client; start the daemon when none runs, if both caller and user allow it.

        Args:
            start: the caller allows it.
            reads_stack: the stack file is what the call is about; a wrong one starts no daemon.
            lasting: the command goes on with the next daemon when this one has gone.

        Raises:
            ConfigError, PlanError: no daemon runs, and the stack file cannot be used.
        """
        self.lasting = lasting
        if reads_stack:
            self._needs_local("the daemon reads the stack files of its own machine")
        may_start = start and self.options.start
        return self._connector(self, may_start, self.source() if reads_stack else None)

    @property
    def context(self) -> str:
        """The name of the context that is in use; empty: the daemon is this machine's.

        Raises:
            ContextError: nobody can tell which one it is.
            ContextNotFound: there is none of the name that was said.
        """
        if self._context is None:
            self._context = self._chosen_context()
        return self._context

    def _chosen_context(self) -> str:
        from harness.client import LOCAL, Contexts

        options, program = self.options, self.options.program
        directory = options.state_dir
        # Who names a context on the command line means it, whatever the environment says.
        unsaid = (None, os.environ.get(f"{program.prefix}_STATE_DIR"), program.state_dir)
        if options.context not in (None, LOCAL) and directory not in unsaid:
            import click

            raise click.UsageError("--context and --state-dir name two daemons; give one")
        if options.context is None and directory != program.state_dir:
            return ""
        contexts = Contexts.of_user()
        name = options.context or contexts.current
        if name == LOCAL:
            return ""
        contexts.find(name)
        return name

    def remote(self) -> Remote | None:
        """Return the daemon on another machine that the context names; None: it is this one's.

        Raises:
            ContextError: what it names cannot be used.
        """
        if not self.context:
            return None
        from harness.client import Contexts

        context = Contexts.of_user().find(self.context)
        for path in context.exposed():
            self.out.note(f"note: others may read {path}, which lets in; chmod 600 it")
        return context.remote()

    def _needs_local(self, why: str) -> None:
        if self.context:
            from harness.errors import ContextError

            raise ContextError(
                f'cannot do this through the context "{self.context}": {why}',
                hint="do it on that machine, or with --context local on this one",
            )

    def endpoint(self) -> Endpoint:
        """Return where the daemon of the chosen state directory listens.

        Raises:
            ContextError: a context is in use, and that daemon's files are not here.
        """
        from pathlib import Path

        from harness.protocol import Endpoint

        self._needs_local("it is about files or processes of the daemon's own machine")
        chosen = self.options.state_dir
        return Endpoint(Path(chosen).absolute()) if chosen else Endpoint.default()

    def files(self) -> list[str]:
        """Return the absolute paths of the stack files that were named."""
        return [os.path.abspath(file) for file in self.options.files]

    def source(self) -> dict[str, Any]:
        """Return what a request that reads the stack file carries."""
        from harness.client import make_source

        options = self.options
        return make_source(files=options.files, project=options.project, profiles=options.profiles)

    async def find_project(self, client: Client) -> str | None:
        """Return the project's name, or None when the daemon has none such."""
        name: str | None = (await self._resolved(client))["name"]
        return name

    async def _resolved(self, client: Client) -> Mapping[str, Any]:
        if self.context and self.options.project is None:
            from harness.errors import ContextError

            known = ", ".join(project["name"] for project in await client.projects.list())
            raise ContextError(
                f'cannot tell which project of the context "{self.context}" is meant: files here '
                "do not name one there",
                hint=f"name it with -p: {known}" if known else "it has none",
            )
        return await client.projects.resolve(
            files=self.files(), directory=os.getcwd(), project=self.options.project
        )

    async def project(self, client: Client) -> str:
        """Return the project's name.

        Raises:
            ServiceNotFound: the daemon knows no project for these files.
        """
        if self.options.project is not None:
            # The daemon itself says so when it has none of that name, and which ones it has.
            return self.options.project
        resolved = await self._resolved(client)
        name: str | None = resolved["name"]
        if name is None:
            raise self._no_project(resolved.get("others", ()))
        return name

    def _no_project(self, others: Sequence[str]) -> ServiceNotFound:
        from harness.config import discover, not_found
        from harness.errors import ServiceNotFound

        files = self.options.files or discover(os.getcwd())
        where = ", ".join(files) or os.getcwd()
        hint = "`harness up` starts it; `-p NAME` names another one"
        if others:
            hint = f"started from the same files: {', '.join(others)} (name one with -p)"
        elif not files:
            hint = f"{_file_option()} names a stack file, -p a project; "
            hint += "`harness init` writes a stack file"
        cause = "it was not started" if files else not_found(os.getcwd())
        return ServiceNotFound(f"cannot find the project of {where}: {cause}", hint=hint)


def _file_option() -> str:
    """Return how the command that runs is told its stack file."""
    import click

    taken = any("-f" in parameter.opts for parameter in click.get_current_context().command.params)
    return "here -f follows; --file" if taken else "-f"


def pick(
    units: Iterable[Mapping[str, Any]], names: Iterable[str], *, task: bool = False
) -> list[Mapping[str, Any]]:
    """Return the named units in their own order, or all when none is named.

    Raises:
        UnknownService, UnknownTask: a name is not among them.
    """
    units = list(units)
    wanted = set(names)
    known = [unit["name"] for unit in units]
    for name in names:
        if name not in known:
            from harness.errors import UnknownService, UnknownTask

            raise (UnknownTask if task else UnknownService).of(name, known)
    return [unit for unit in units if not wanted or unit["name"] in wanted]


@asynccontextmanager
async def _connect(
    session: Session, start: bool, source: Mapping[str, Any] | None
) -> AsyncIterator[Client]:
    import anyio

    from harness.client import connect

    opening = connect(
        session.remote() or session.endpoint(),
        start=start,
        source=source,
        begun=session.begun,
        reconnect=session.lasting,
        plugins=session.plugins,
    )
    session.begun = None
    # From here on an interrupt is a cancellation, and the note is made below.
    LeavingNote.text = ""
    async with AsyncExitStack() as stack:
        try:
            client = await stack.enter_async_context(opening)
        except anyio.get_cancelled_exc_class():
            if start and not session.context:
                session.out.note(_MAY_GO_ON)
            raise
        yield client
