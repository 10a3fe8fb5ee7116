"""What a daemon that does not run now may have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

__all__ = ["session_has_state"]


def session_has_state(session: Session) -> bool:
    """Tell whether a daemon ever ran here: services may run, and a new one finds them."""
    endpoint = session.endpoint()
    return endpoint.socket_path.exists() or (endpoint.state_dir / "state.db").exists()
