"""The client: everything the daemon can be asked, as methods of nouns.

    async with connect() as client:
        print(await client.services.status(project="shop"))

Results are plain JSON values. Importing this costs little: no validation, no server, no HTTP.
"""

from harness.protocol import Endpoint

from .client import Client, connect, opened
from .connection import Connection
from .exec import RemoteProcess
from .source import make_source

__all__ = [
    "Client",
    "Connection",
    "Endpoint",
    "RemoteProcess",
    "connect",
    "make_source",
    "opened",
]
