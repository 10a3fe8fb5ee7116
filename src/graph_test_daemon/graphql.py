"""GraphQL over HTTP.

Source: GraphQL over HTTP, working draft; graph-node answers errors with status 200, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import QueryFailed, Unreachable
from .http import Http

__all__ = ["GraphQL"]


class GraphQL:
    """One GraphQL server.

    Args:
        url: where it is.
        timeout_s: how long an answer may take.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._http = Http(url, timeout_s=timeout_s)

    async def query(
        self, text: str, variables: Mapping[str, Any] | None = None, *, path: str = ""
    ) -> dict[str, Any]:
        """Send a query and return its data.

        Args:
            text: the query.
            variables: by name.
            path: below the server's URL.

        Raises:
            QueryFailed: it answered with errors; what data there is besides is in the error.
            Unreachable: there was no answer, or none of this protocol.
        """
        document = {"query": text, "variables": dict(variables or {})}
        answer = await self._http.request("POST", path, json=document)
        try:
            body = json.loads(answer.body)
        except ValueError:
            body = None
        match body:
            case {"errors": [*errors], **more} if errors:
                messages = [str(e.get("message", e)) for e in errors if isinstance(e, dict)]
                data = more.get("data")
                raise QueryFailed(messages=messages, data=data if isinstance(data, dict) else None)
            case {"data": dict(data)}:
                return data
            case _:
                cause = f"status {answer.status}, and no answer to a query: {answer.excerpt}"
                raise Unreachable(url=self._http.url + path, cause=cause)

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self._http.aclose()
