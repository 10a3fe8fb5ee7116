"""How a request is refused: in Kubo's form, with Kubo's statuses."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from graph_test_daemon.errors import GraphError
from graph_test_daemon.ipfs.errors import ContentNotFound, InvalidCid, IpfsFault

__all__ = ["REFUSED", "BadRequest", "refusal", "refusal_document"]


class BadRequest(Exception):
    """A request that no state of the server could answer."""


REFUSED = (BadRequest, GraphError, OSError)
"""What a request may fail of; `OSError` when the disk is full, for example."""


def refusal_document(error: Exception) -> dict[str, Any]:
    """Return what a client reads of an error."""
    code = 1 if isinstance(error, BadRequest) else 0
    return {"Message": _in_kubos_words(error), "Code": code, "Type": "error"}


def refusal(error: Exception) -> JSONResponse:
    """Return the answer to a request that failed."""
    status = 400 if isinstance(error, BadRequest) else 500
    return JSONResponse(refusal_document(error), status_code=status)


def _in_kubos_words(error: Exception) -> str:
    """Return the message that Kubo would send: programs look for words in it."""
    match error:
        case InvalidCid():
            return f'invalid path "{error.text}": invalid cid: {error.cause}'
        case ContentNotFound() | IpfsFault():
            return error.cause
        case OSError(strerror=str(cause)):
            return f"cannot use the repository: {cause}"
        case _:
            return str(error)
