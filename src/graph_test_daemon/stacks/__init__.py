"""Stack files that the package brings: to run as they are, and to begin one's own with."""

from __future__ import annotations

from pathlib import Path

__all__ = ["minimal", "protocol"]

_HERE = Path(__file__).parent

minimal = _HERE / "minimal.yaml"
"""A chain, IPFS, PostgreSQL and graph-node."""

protocol = _HERE / "protocol.yaml"
"""The same with the protocol's contracts, and the network that they are."""
