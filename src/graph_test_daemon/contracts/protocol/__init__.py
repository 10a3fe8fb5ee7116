"""The Graph protocol's contracts: deployed from their release, or found where others have."""

from .events import ContractConfigured, ContractDeployed, OnEvent, RecordingDiscarded
from .external import Expected, ExternalContracts
from .legacy import LegacyContracts
from .parameters import GRT, Accounts, Parameters, Variant
from .protocol import Protocol
from .provider import ContractsProvider, Deployed

__all__ = [
    "GRT",
    "Accounts",
    "ContractConfigured",
    "ContractDeployed",
    "ContractsProvider",
    "Deployed",
    "Expected",
    "ExternalContracts",
    "LegacyContracts",
    "OnEvent",
    "Parameters",
    "Protocol",
    "RecordingDiscarded",
    "Variant",
]
