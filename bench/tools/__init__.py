"""The tools compared: each starts the same commands, in its own way and in its own temp folder."""

from .bare import Bare
from .base import Service, Tool, ToolFailed
from .circus import Circus
from .compose import Compose
from .harness import Harness
from .pm2 import Pm2
from .supervisord import Supervisord

__all__ = [
    "Bare",
    "Circus",
    "Compose",
    "Harness",
    "Pm2",
    "Service",
    "Supervisord",
    "Tool",
    "ToolFailed",
]
