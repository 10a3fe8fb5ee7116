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
    from .aftermath import as_it_is_now
    from .blocking import BlockingClient
    from .bundle import BundleWindow, gather_bundle, gather_project
    from .client import Client, connect, opened
    from .connection import Connection
    from .contexts import LOCAL, Context, Contexts
    from .exec import RemoteProcess
    from .known_types import KnownTypes
    from .leases import HeldLease
    from .page import bundle_page
    from .remote import Remote
    from .source import make_source
    from .spawning import Begun, begin_daemon

__all__ = [
    "LOCAL",
    "ActionRun",
    "Begun",
    "BlockingClient",
    "BundleWindow",
    "Client",
    "Connection",
    "Context",
    "Contexts",
    "Endpoint",
    "HeldLease",
    "KnownTypes",
    "Remote",
    "RemoteProcess",
    "as_it_is_now",
    "begin_daemon",
    "bundle_page",
    "connect",
    "gather_bundle",
    "gather_project",
    "make_source",
    "opened",
]

_PLACES = {
    "LOCAL": "contexts",
    "ActionRun": "actions",
    "Begun": "spawning",
    "BlockingClient": "blocking",
    "BundleWindow": "bundle",
    "Client": "client",
    "Connection": "connection",
    "HeldLease": "leases",
    "Context": "contexts",
    "Contexts": "contexts",
    "KnownTypes": "known_types",
    "Remote": "remote",
    "RemoteProcess": "exec",
    "as_it_is_now": "aftermath",
    "begin_daemon": "spawning",
    "bundle_page": "page",
    "connect": "client",
    "gather_bundle": "bundle",
    "gather_project": "bundle",
    "make_source": "source",
    "opened": "client",
}

if not TYPE_CHECKING:  # a type checker would take every name for one that exists
    __getattr__ = lazy_names(__name__, _PLACES)
