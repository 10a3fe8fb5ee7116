"""The daemon: the process that keeps stacks, and answers clients on a unix socket.

Nothing heavy is imported here; `serve_daemon` and what is below it are loaded when it runs.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names

from .command import main, run_daemon

if TYPE_CHECKING:
    from .in_process import serving

__all__ = ["main", "run_daemon", "serving"]

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, {"serving": "in_process"})
