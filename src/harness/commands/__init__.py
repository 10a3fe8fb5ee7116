"""Running programs on this machine: attached to the caller, or detached and outliving it.

Each part is loaded when it is first asked for: a command line that checks a stack runs nothing. No
module is called as something that this folder exports.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

if TYPE_CHECKING:
    from .command import Command, TerminalSize
    from .completed import Completed, collect, run
    from .detached import (
        DetachedRun,
        launch,
        this_boot,
        unit_command,
        wait_exit,
        write_input,
    )
    from .events import CommandEvent, Exited, Output, Started, StreamName
    from .holding import start_holder
    from .limits import LIMITS, check_limits
    from .pidfd import group_exists, send_signal, wait_ended
    from .process import Process
    from .procfs import ProcessRef, carries, is_running, process_ref
    from .quoting import join, quote
    from .recovery import Found, find, leftover_tree
    from .signals import signal_number
    from .strays import RUN_VARIABLE, Stray, find_strays
    from .tree import Tree, TreeProcess, TreeReport, TreeUsage, end_orphans, end_tree, tree_usage

__all__ = [
    "LIMITS",
    "RUN_VARIABLE",
    "Command",
    "CommandEvent",
    "Completed",
    "DetachedRun",
    "Exited",
    "Found",
    "Output",
    "Process",
    "ProcessRef",
    "Started",
    "Stray",
    "StreamName",
    "TerminalSize",
    "Tree",
    "TreeProcess",
    "TreeReport",
    "TreeUsage",
    "carries",
    "check_limits",
    "collect",
    "end_orphans",
    "end_tree",
    "find",
    "find_strays",
    "group_exists",
    "is_running",
    "join",
    "launch",
    "leftover_tree",
    "process_ref",
    "quote",
    "run",
    "send_signal",
    "signal_number",
    "start_holder",
    "this_boot",
    "tree_usage",
    "unit_command",
    "wait_ended",
    "wait_exit",
    "write_input",
]

_PLACES = {
    "Command": "command",
    "CommandEvent": "events",
    "Completed": "completed",
    "DetachedRun": "detached",
    "Exited": "events",
    "Found": "recovery",
    "LIMITS": "limits",
    "Output": "events",
    "Process": "process",
    "ProcessRef": "procfs",
    "RUN_VARIABLE": "strays",
    "Started": "events",
    "Stray": "strays",
    "StreamName": "events",
    "TerminalSize": "command",
    "Tree": "tree",
    "TreeReport": "tree",
    "TreeProcess": "tree",
    "TreeUsage": "tree",
    "carries": "procfs",
    "check_limits": "limits",
    "collect": "completed",
    "end_orphans": "tree",
    "end_tree": "tree",
    "find": "recovery",
    "find_strays": "strays",
    "group_exists": "pidfd",
    "is_running": "procfs",
    "join": "quoting",
    "launch": "detached",
    "leftover_tree": "recovery",
    "process_ref": "procfs",
    "quote": "quoting",
    "run": "completed",
    "send_signal": "pidfd",
    "signal_number": "signals",
    "start_holder": "holding",
    "this_boot": "detached",
    "tree_usage": "tree",
    "unit_command": "detached",
    "wait_ended": "pidfd",
    "wait_exit": "detached",
    "write_input": "detached",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
