"""Keeps deployments that were made once, so that they are not made again.

What is kept are the transactions, not the chain's state: to load a state replaces every block,
the first one among them, under the eyes of whoever has read the chain already (ADR-0033). They are
sent to whatever chain there is, and its blocks and logs are as if they had been made just now.

A recording is used for the same inputs only, and where it is whole. It is the user's own cache:
the contracts in it are not this project's.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graph_test_daemon.contracts.address_book import AddressBook, BookEntry
from graph_test_daemon.tools import cache_dir
from graph_test_daemon.whole_files import write_whole

from .checks import Check
from .steps import Deployment, Step

__all__ = ["Recording", "RecordingBroken"]

_FORMAT = 1
_MAKERS = ("legacy_plan.py", "legacy.py", "steps.py", "checks.py")
"""What decides how a deployment looks; a change in one of them makes all recordings void."""


class RecordingBroken(Exception):
    """A recording is there, and cannot be read; the message says why."""


class Recording:
    """One of them.

    Args:
        inputs: JSON values that everything in the deployment follows from.
        directory: where they are; None: the user's cache.
    """

    def __init__(self, inputs: Mapping[str, Any], directory: Path | None = None) -> None:
        text = json.dumps([_FORMAT, _makers(), inputs], sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:24]
        self.path = (directory or cache_dir() / "contracts") / f"{name}.json"

    def read(self, chain_id: int) -> tuple[Deployment, tuple[Check, ...]] | None:
        """Return what it holds; None: there is none; blocks.

        Raises:
            RecordingBroken: it cannot be read, or is not whole.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise RecordingBroken(str(error)) from error
        checksum, _, body = text.partition("\n")
        if checksum != _checksum(body):
            raise RecordingBroken("it is not whole: its checksum is another")
        document = json.loads(body)
        return _deployment(document, chain_id), tuple(Check(**one) for one in document["checks"])

    def write(self, deployment: Deployment, checks: tuple[Check, ...]) -> None:
        """Keep a deployment; blocks.

        Raises:
            OSError: it cannot be written.
        """
        names = Check.__slots__
        document = deployment.document() | {
            "checks": [{name: getattr(check, name) for name in names} for check in checks]
        }
        body = json.dumps(document)
        write_whole(self.path, f"{_checksum(body)}\n{body}")

    def discard(self) -> None:
        """Remove it; blocks."""
        self.path.unlink(missing_ok=True)


def _deployment(document: Mapping[str, Any], chain_id: int) -> Deployment:
    return Deployment(
        steps=tuple(
            Step(contract=contract, what=what, sender=sender, to=to, data=data, creates=creates)
            for contract, what, sender, to, data, creates in document["steps"]
        ),
        book=AddressBook(
            chain_id=chain_id,
            entries={name: BookEntry.read(raw) for name, raw in document["book"].items()},
        ),
        accounts=document["accounts"],
    )


def _checksum(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _makers() -> str:
    here = Path(__file__).parent
    return hashlib.sha256(b"".join((here / name).read_bytes() for name in _MAKERS)).hexdigest()
