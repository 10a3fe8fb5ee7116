"""The command line: it parses, calls the client, and prints.

`main` is the program. Everything a command needs is imported when that command runs, so that help
and completion stay fast.
"""

from .root import main

__all__ = ["main"]
