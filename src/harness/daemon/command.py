"""`python -m harness.daemon`: one daemon as a process, in the foreground or detached.

The only file that configures logging, and that chooses an event loop. It imports nothing heavy
before a detached daemon has left the process of the command that started it.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness.errors import HarnessError
from harness.protocol import Endpoint

if TYPE_CHECKING:
    from harness.protocol import ListenParams

__all__ = ["main", "run_daemon"]

logger = logging.getLogger(__name__)

_END_S = 15.0

_LOG_BYTES = 4 * 1024 * 1024
_OLD_LOGS = 3
_STALL_S = 30.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a daemon as the command line says; return the process's exit status."""
    options = _parse(arguments)
    known = {"", *sys.path}
    sys.path[:0] = [path for path in options.import_from.split(os.pathsep) if path not in known]
    endpoint = Endpoint(Path(options.state_dir).absolute()) if options.state_dir else None
    return run_daemon(
        endpoint or Endpoint.default(),
        detach=options.detach,
        stall_s=options.send_timeout,
        gets_stack=options.stack_from_stdin,
        plugins=options.plugin,
        idle_end_s=options.end_when_idle,
    )


def run_daemon(
    endpoint: Endpoint,
    *,
    detach: bool = False,
    stall_s: float = _STALL_S,
    gets_stack: bool = False,
    listen: ListenParams | None = None,
    plugins: Sequence[str] = (),
    idle_end_s: float | None = None,
) -> int:
    """Be a daemon until it ends; return the exit status: 0, or 1 when it could not start.

    Args:
        endpoint: names the state directory.
        detach: leave the caller's session and terminal. One JSON object is written to stdout once
            it is known how the start went: {"pid": …}, or {"error": …} as on the wire; then stdin,
            stdout and stderr are given up.
        stall_s: how long a client may take nothing before it is disconnected.
        gets_stack: read the stack that a daemon is wanted for from stdin, as the command that
            starts this one has read it; end, having changed nothing, when there is none.
        listen: where clients of other machines are served; None: where the last daemon did.
        plugins: that it is started with, `module` or `module:attribute`, beside installed ones.
        idle_end_s: end, too, when for so long nobody has been connected and there was no project.
    """
    if detach:
        _detach()
    # pydantic would look through every installed package for plugins of its own.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "true")
    # Most of what is made until the daemon serves stays: collections would find nothing.
    gc.disable()
    starter = _DetachedStart(endpoint) if detach else _ForegroundStart()
    checked = None
    try:
        # Loaded while the stack is checked; nothing may be changed before that is known.
        from .app import serve_daemon
        from .session import Limits

        if gets_stack:
            given = sys.stdin.buffer.read()
            if not given:
                return 1
            from harness.protocol import CheckedStack

            checked = CheckedStack.decode(given)
        log = _log_to(endpoint)
        if sys.stderr is not None:
            sys.stderr = _MaskedErrors(sys.stderr.buffer, log.masked)
        limits = Limits(stall_s=stall_s)
        ready = partial(_serving, starter.ready)
        serve = partial(serve_daemon, endpoint, limits=limits, checked=checked, listen=listen)
        _run(
            partial(
                serve,
                ready=ready,
                mask_log=log.mask_with,
                plugins=plugins,
                idle_end_s=idle_end_s,
                on_ending=_end_at_last,
            )
        )
    except HarnessError as error:
        logger.error("Cannot go on: %s", error)
        starter.failed(error)
        return 1
    except Exception:
        logger.exception("Cannot go on")
        raise
    return 0


def _end_at_last() -> None:
    """See to it that the daemon ends, whatever somebody else's code does.

    What an author's class goes on with although it was cancelled would keep it for ever, and with
    it the state directory from the next daemon. To that one, an end by force is a crash.
    """
    import threading  # noqa: TID251 - the loop itself may be what does not end

    timer = threading.Timer(_END_S, _end_by_force)
    timer.daemon = True
    timer.start()


def _end_by_force() -> None:
    logger.error(
        "Ended by force: something goes on %g s after it was cancelled; a plugin's class may"
        " swallow cancellations",
        _END_S,
    )
    os._exit(1)


def _serving(tell: Callable[[], None]) -> None:
    # What is here now stays: collections need not look at it again, and would find next to nothing
    # in a time in which several more services could be started.
    gc.freeze()
    gc.enable()
    tell()


def _run(serve: Callable[[], Awaitable[None]]) -> None:
    import anyio

    try:
        import uvloop
    except ImportError:
        uvloop = None  # type: ignore[assignment]
    failure: HarnessError | None = None
    try:
        anyio.run(serve, backend="asyncio", backend_options={"use_uvloop": uvloop is not None})
    except* HarnessError as group:
        failure = _first(group)
    if failure is not None:
        raise failure


def _first(group: BaseExceptionGroup[HarnessError]) -> HarnessError:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error


class _ForegroundStart:
    """Tells a person at a terminal."""

    def ready(self) -> None:
        sys.stderr.write("The daemon is ready; end it with Ctrl-C, services keep running.\n")

    def failed(self, error: HarnessError) -> None:
        sys.stderr.write(f"harness: {error}\n")
        if error.hint:
            sys.stderr.write(f"hint: {error.hint}\n")


class _DetachedStart:
    """Tells the command that started this daemon, and lets go of it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def ready(self) -> None:
        _say({"pid": os.getpid()})
        log = os.open(self._endpoint.log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        null = os.open(os.devnull, os.O_RDWR)
        for target, source in ((0, null), (1, null), (2, log)):
            os.dup2(source, target)
        os.close(null)
        os.close(log)

    def failed(self, error: HarnessError) -> None:
        from harness.protocol import error_to_wire

        _say({"error": error_to_wire(error)})


def _say(document: dict[str, Any]) -> None:
    import json

    try:
        os.write(1, json.dumps(document).encode() + b"\n")
    except OSError:
        # The command was interrupted and has gone; the daemon is wanted all the same.
        logger.info("The command that started this daemon has gone")


def _detach() -> None:
    """Go on in a child that nobody waits for, in a session of its own."""
    if os.fork():
        os._exit(0)
    if os.getsid(0) != os.getpid():
        os.setsid()


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_CLOEXEC, 0o600)


class _MaskedFormatter(logging.Formatter):
    """Keeps secrets out of the log: a traceback shows what a plugin, or a program, said."""

    _masked: Callable[[str], str] | None = None

    def mask_with(self, masked: Callable[[str], str]) -> None:
        """Replace secrets in this way from now on."""
        self._masked = masked

    def masked(self, text: str) -> str:
        """Return a text without the secrets that are known by now."""
        return text if self._masked is None else self._masked(text)

    def format(self, record: logging.LogRecord) -> str:
        return self.masked(super().format(record))


class _MaskedErrors(TextIOWrapper):
    """Standard error, which ends up in the daemon's log, without secrets: plugins print there.

    A line is held back until it ends, or all does, for half a secret is not found.
    """

    def __init__(self, to: BinaryIO, masked: Callable[[str], str]) -> None:
        super().__init__(to, encoding="utf-8", errors="backslashreplace", line_buffering=True)
        self._masked = masked
        self._rest = ""

    def write(self, text: str) -> int:
        """Write what of it are whole lines, and keep the rest."""
        lines, end, self._rest = (self._rest + text).rpartition("\n")
        if end:
            super().write(self._masked(lines) + end)
        return len(text)

    def close(self) -> None:
        """Write the rest, too."""
        if not self.closed:
            rest, self._rest = self._rest, ""
            super().write(self._masked(rest))
        super().close()


def _log_to(endpoint: Endpoint) -> _MaskedFormatter:
    from logging.handlers import RotatingFileHandler

    from harness.errors import StorageError

    class PrivateLog(RotatingFileHandler):
        """A rotated log file that only the user can read."""

        def _open(self) -> TextIOWrapper:
            return open(self.baseFilename, "a", encoding=self.encoding, opener=_open_private)

    try:
        endpoint.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler = PrivateLog(
            endpoint.log_path, maxBytes=_LOG_BYTES, backupCount=_OLD_LOGS, encoding="utf-8"
        )
    except OSError as error:
        raise StorageError(
            f"cannot use the state directory {endpoint.state_dir}: {error.strerror or error}",
            hint="name another one with HARNESS_STATE_DIR",
        ) from error
    formatter = _MaskedFormatter("%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    return formatter


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m harness.daemon",
        description="Keep services. Commands start a daemon by themselves when they need one.",
    )
    parser.add_argument("--state-dir", help="where its state is; as HARNESS_STATE_DIR")
    parser.add_argument(
        "--stack-from-stdin",
        action="store_true",
        help="read a stack from stdin, as the command does that starts this; without one, end",
    )
    parser.add_argument(
        "--plugin",
        action="append",
        default=[],
        metavar="MODULE[:OBJECT]",
        help="a plugin to load beside installed ones; may be repeated",
    )
    parser.add_argument(
        "--import-from",
        default="",
        metavar="DIR:DIR",
        help="where plugins are looked for before the places where Python looks",
    )
    parser.add_argument(
        "--end-when-idle",
        type=float,
        metavar="SECONDS",
        help="end, and remove the state directory, when for so long nobody has been connected and "
        "there was no project; for daemons of test runs",
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--detach", action="store_true", help="go into the background")
    where.add_argument("--foreground", action="store_true", help="stay; this is the default")
    parser.add_argument(
        "--send-timeout",
        type=float,
        default=_STALL_S,
        metavar="SECONDS",
        help="disconnect a client that takes nothing for so long (default: %(default)g)",
    )
    return parser.parse_args(arguments)
