"""The chain: what can be asked of it and done to it, and its typed actions."""

from .blocks import Block, Log, Receipt
from .client import Chain

__all__ = ["Block", "Chain", "Log", "Receipt"]
