"""What a task that deploys remembers: the book that it wrote, and facts beside it.

That something is remembered does not mean that it is there: the chain is asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graph_test_daemon.whole_files import write_whole
from harness.actions import Task

from .address_book import AddressBook

__all__ = ["Remembered"]

_FACTS = "deployment.json"
_BOOK = "address-book.json"
_VERSION = 1


class Remembered:
    """Of one task; its methods block.

    Args:
        task: the task.
        book: file of the address book, relative to the stack file; None: one of the task's own.

    Attributes:
        path: of the address book, absolute.
    """

    def __init__(self, task: Task, book: str | None) -> None:
        self.path = task.data_dir / _BOOK if book is None else task.directory / book
        self._facts: Path = task.data_dir / _FACTS

    def keep(self, book: AddressBook, facts: Mapping[str, Any]) -> None:
        """Remember what was deployed, in place of what was before.

        Args:
            book: is written.
            facts: JSON values.

        Raises:
            AddressBookInvalid: something else is where the book should be.
        """
        book.write(self.path)
        document = {**facts, "version": _VERSION, "chain_id": book.chain_id}
        write_whole(self._facts, json.dumps(document))

    def keep_chain(self, facts: Mapping[str, Any], book: AddressBook) -> None:
        """Remember on which chain it is now, where several have had it in turn."""
        if facts["chain_id"] != book.chain_id:
            self.keep(book, facts)

    def facts(self) -> dict[str, Any] | None:
        """Return the facts, and `chain_id`; None: nothing is remembered."""
        try:
            document = json.loads(self._facts.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        known = isinstance(document, dict) and document.get("version") == _VERSION
        return document if known else None

    def book(self, chain_id: int) -> AddressBook:
        """Return the book.

        Raises:
            AddressBookInvalid: it is not there any more, or is about another chain.
        """
        return AddressBook.read(self.path, chain_id)
