"""The daemon: the process that keeps stacks, and answers clients on a unix socket.

Nothing heavy is imported here; `serve_daemon` and what is below it are loaded when it runs.
"""

from .command import main, run_daemon

__all__ = ["main", "run_daemon"]
