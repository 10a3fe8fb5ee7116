"""JSON-RPC 2.0 over HTTP, as chains and graph-node's admin port speak it.

Source: JSON-RPC 2.0 §4 to §6.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from .errors import RpcFault, Unreachable
from .http import Answer, Http

__all__ = ["JsonRpc", "Params"]

Params = Sequence[Any] | Mapping[str, Any]


class JsonRpc:
    """One JSON-RPC server.

    Args:
        url: where it is.
        timeout_s: how long an answer may take.
    """

    def __init__(self, url: str, *, timeout_s: float = 30.0) -> None:
        self._http = Http(url, timeout_s=timeout_s)
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        """Where it is."""
        return self._http.url

    async def call(
        self, method: str, params: Params = (), *, timeout_s: float | None = None
    ) -> Any:
        """Call a method and return its result.

        Raises:
            RpcFault: the server refused it.
            Unreachable: there was no answer, or none of this protocol.
        """
        answer = await self._send(self._request(method, params), timeout_s)
        return self._result(method, answer)

    async def batch(
        self, calls: Sequence[tuple[str, Params]], *, timeout_s: float | None = None
    ) -> list[Any]:
        """Call several methods in one request; return their results, in order.

        Raises:
            RpcFault: the server refused one; the others were called all the same.
            Unreachable: there was no answer, or none of this protocol.
        """
        if not calls:
            return []
        requests = [self._request(method, params) for method, params in calls]
        answers = await self._send(requests, timeout_s)
        if not isinstance(answers, list):
            return [self._result(calls[0][0], answers)]  # the batch as a whole was refused
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [self._result(request["method"], by_id.get(request["id"])) for request in requests]

    async def aclose(self) -> None:
        """Close its connections; it may be used again."""
        await self._http.aclose()

    def _request(self, method: str, params: Params) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._numbers), "method": method, "params": params}

    async def _send(self, document: Any, timeout_s: float | None) -> Any:
        answer = await self._http.request("POST", json=document, timeout_s=timeout_s)
        try:
            return json.loads(answer.body)
        except ValueError as error:
            raise self._strange(answer) from error

    def _result(self, method: str, answer: Any) -> Any:
        match answer:
            case {"error": {"code": int(code), "message": str(message), **more}}:
                raise RpcFault(method=method, code=code, message=message, data=more.get("data"))
            case {"result": result}:
                return result
            case _:
                raise Unreachable(url=self.url, cause="the answer is not one of JSON-RPC")

    def _strange(self, answer: Answer) -> Unreachable:
        cause = f"status {answer.status}, and no JSON: {answer.excerpt or 'an empty body'}"
        return Unreachable(url=self.url, cause=cause)
