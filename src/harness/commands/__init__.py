"""Running programs on this machine: attached to the caller, or detached and outliving it."""

from .command import Command, TerminalSize
from .detached import DetachedRun, launch, unit_command, wait_exit, write_input
from .events import CommandEvent, Exited, Output, Started, StreamName
from .holding import start_holder
from .limits import LIMITS, check_limits
from .pidfd import group_exists, send_signal
from .process import Process
from .procfs import ProcessRef, is_running
from .quoting import join, quote
from .recovery import Found, find, leftover_tree
from .run import Completed, run
from .signals import signal_number
from .tree import Tree, TreeReport, TreeUsage, end_tree, tree_usage

__all__ = [
    "LIMITS",
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
    "StreamName",
    "TerminalSize",
    "Tree",
    "TreeReport",
    "TreeUsage",
    "check_limits",
    "end_tree",
    "find",
    "group_exists",
    "is_running",
    "join",
    "launch",
    "leftover_tree",
    "quote",
    "run",
    "send_signal",
    "signal_number",
    "start_holder",
    "tree_usage",
    "unit_command",
    "wait_exit",
    "write_input",
]
