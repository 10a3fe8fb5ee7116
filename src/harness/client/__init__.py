"""The client: everything the daemon can be asked, as methods of nouns.

    async with connect() as client:
        print(await client.services.status(project="shop"))

Results are plain JSON values. Importing this costs little: no validation, no server, no HTTP, and
each part is loaded when it is first asked for.
"""

from typing import TYPE_CHECKING

from harness.lazy import lazy_names
from harness.protocol import Endpoint

if TYPE_CHECKING:
    from .actions import ActionRun
    from .blocking import BlockingClient
    from .client import Client, connect, opened
    from .connection import Connection
    from .contexts import LOCAL, Context, Contexts
    from .exec import RemoteProcess
    from .known_types import KnownTypes
    from .leases import HeldLease
    from .remote import Remote
    from .source import make_source
    from .spawning import Begun, begin_daemon

__all__ = [
    "LOCAL",
    "ActionRun",
    "Begun",
    "BlockingClient",
    "Client",
    "Connection",
    "Context",
    "Contexts",
    "Endpoint",
    "HeldLease",
    "KnownTypes",
    "Remote",
    "RemoteProcess",
    "begin_daemon",
    "connect",
    "make_source",
    "opened",
]

_PLACES = {
    "LOCAL": "contexts",
    "ActionRun": "actions",
    "Begun": "spawning",
    "BlockingClient": "blocking",
    "Client": "client",
    "Connection": "connection",
    "HeldLease": "leases",
    "Context": "contexts",
    "Contexts": "contexts",
    "KnownTypes": "known_types",
    "Remote": "remote",
    "RemoteProcess": "exec",
    "begin_daemon": "spawning",
    "connect": "client",
    "make_source": "source",
    "opened": "client",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
