"""Contracts: called by name, decoded, deployed, found again in address books."""

from .abi import Abi, AbiEvent, AbiFunction, Event, keccak
from .address_book import AddressBook, BookEntry
from .artifacts import Artifact, Artifacts, read_artifact
from .contract import Contract, OnSent, Sent

__all__ = [
    "Abi",
    "AbiEvent",
    "AbiFunction",
    "AddressBook",
    "Artifact",
    "Artifacts",
    "BookEntry",
    "Contract",
    "Event",
    "OnSent",
    "Sent",
    "keccak",
    "read_artifact",
]
