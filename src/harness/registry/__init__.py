"""Who is where, in which state and version."""

from .registry import Entry, Registry

__all__ = ["Entry", "Registry"]
