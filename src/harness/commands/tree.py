"""Ending a process with everything it started, wherever those processes have moved to.

First the stop signal, so that nothing loses data; what is left when the time is up gets SIGKILL,
again and again until a look at the machine finds nothing. Children that ignore the signal, that
made their own group or session, or whose parent ended before them are all found.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import anyio
import anyio.to_thread

from .pidfd import send_signal, signal_group, wait_all_ended
from .procfs import ProcessRef, ProcessStat, command_line, is_running
from .scan import shared_scanner

__all__ = [
    "Tree",
    "TreeProcess",
    "TreeReport",
    "TreeUsage",
    "end_orphans",
    "end_tree",
    "tree_usage",
]

_ROUND_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What belongs together.

    Attributes:
        marker: `NAME=value` in the environment of all, inherited from the first.
        main: the first process.
    """

    marker: str
    main: ProcessRef | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeReport:
    """How a tree ended.

    Attributes:
        killed: the main process outlived the stop signal, and got SIGKILL.
        stragglers: command lines of other processes that got SIGKILL.
        survivors: pid and command line of what is still there; empty but for rare cases, such as
            a process stuck in the kernel.
    """

    killed: bool = False
    stragglers: tuple[str, ...] = ()
    survivors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeProcess:
    """One process of a tree: what /proc says of it now, and its command line."""

    stat: ProcessStat
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeUsage:
    """What a tree uses now: `ticks` is processor time in clock ticks.

    `members` are its processes one by one, the oldest first.
    """

    processes: int
    rss_pages: int
    ticks: int
    members: tuple[TreeProcess, ...] = ()


async def end_tree(
    tree: Tree, *, stop_signal: int, timeout_s: float, kill_timeout_s: float = 5.0
) -> TreeReport:
    """End all of it; return when nothing is left, or name what is.

    The main process's group gets the stop signal at once, members outside that group when the
    main process has ended. All share the time.

    Args:
        tree: what to end.
        stop_signal: number of the signal that asks them to end.
        timeout_s: from the stop signal to SIGKILL.
        kill_timeout_s: how long to go on killing before giving up.
    """
    deadline = anyio.current_time() + timeout_s
    known = await _members(tree, ())
    killed, asked_group = False, None
    if tree.main is not None and is_running(tree.main):
        _ask(tree.main, stop_signal)
        asked_group = tree.main.pid
        killed = not await wait_all_ended([tree.main], timeout_s=timeout_s)
        if not killed:
            known = await _members(tree, known)
    if not killed:
        if not known:
            return TreeReport()
        for process, stat in known.items():
            if stat.group != asked_group:
                send_signal(process, stop_signal)
        await wait_all_ended(known, timeout_s=deadline - anyio.current_time())
    stragglers, survivors = await _kill(tree, known, kill_timeout_s)
    return TreeReport(killed=killed, stragglers=stragglers, survivors=survivors)


async def end_orphans(marker: str, *, kill_timeout_s: float = 5.0) -> None:
    """End what was attached to a daemon beside a unit, and outlived that daemon's kill.

    Hooks, checks and commands of `exec`: nobody reads their output or waits for their end.
    """
    give_up_at = anyio.current_time() + kill_timeout_s
    while anyio.current_time() < give_up_at:
        snapshot = await shared_scanner().snapshot()
        orphans = [stat for stat in snapshot.attached(marker) if not stat.is_dead]
        if not orphans:
            return
        for stat in orphans:
            send_signal(stat.ref, signal.SIGKILL)
        await wait_all_ended([stat.ref for stat in orphans], timeout_s=_ROUND_S)


async def tree_usage(tree: Tree) -> TreeUsage:
    """Add up what all members use now."""
    stats = sorted((await _members(tree, ())).values(), key=lambda stat: stat.ref[::-1])
    # In a thread: the kernel makes a reader wait while a process changes its memory.
    members = await anyio.to_thread.run_sync(_with_commands, stats)
    return TreeUsage(
        processes=len(stats),
        rss_pages=sum(stat.rss_pages for stat in stats),
        ticks=sum(stat.ticks for stat in stats),
        members=members,
    )


def _with_commands(stats: Iterable[ProcessStat]) -> tuple[TreeProcess, ...]:
    return tuple(TreeProcess(stat=stat, command=command_line(stat.pid)) for stat in stats)


def _ask(main: ProcessRef, stop_signal: int) -> None:
    if signal_group(main, stop_signal) and stop_signal != signal.SIGKILL:
        signal_group(main, signal.SIGCONT)  # a stopped process takes signals only when it goes on


async def _kill(
    tree: Tree, known: Iterable[ProcessRef], timeout_s: float
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    give_up_at = anyio.current_time() + timeout_s
    stragglers: dict[ProcessRef, str] = {}
    while True:
        members = await _members(tree, known)
        if not members:
            return tuple(stragglers.values()), ()
        if anyio.current_time() > give_up_at:
            return tuple(stragglers.values()), _named(list(members))
        for process in members:
            if process != tree.main and process not in stragglers:
                stragglers[process] = command_line(process.pid)
            send_signal(process, signal.SIGKILL)
        known = members
        await wait_all_ended(members, timeout_s=_ROUND_S)


async def _members(tree: Tree, known: Iterable[ProcessRef]) -> dict[ProcessRef, ProcessStat]:
    snapshot = await shared_scanner().snapshot()
    return snapshot.members(marker=tree.marker, main=tree.main, known=known)


def _named(processes: Sequence[ProcessRef]) -> tuple[str, ...]:
    return tuple(f"{process.pid} ({command_line(process.pid)})" for process in processes)
