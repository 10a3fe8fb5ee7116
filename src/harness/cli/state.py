"""What a daemon that does not run now may have left."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .session import Session

__all__ = ["session_has_state"]


def session_has_state(session: Session) -> bool:
    """Tell whether a daemon ever ran here: services may run, and a new one finds them.

    Raises:
        StorageError: nobody can tell: the state directory cannot be looked into.
    """
    if session.context:
        return True  # only that daemon itself can tell
    endpoint = session.endpoint()
    try:
        return endpoint.socket_path.exists() or (endpoint.state_dir / "state.db").exists()
    except OSError as error:
        from harness.errors import StorageError

        raise StorageError(
            f"cannot use the state directory {endpoint.state_dir}: {error.strerror or error}",
            hint="name another one with HARNESS_STATE_DIR",
        ) from error
