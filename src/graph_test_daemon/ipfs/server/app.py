"""The server's application: methods below `/api/v0`, the gateway, and who may call."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from graph_test_daemon.ipfs.store import Store

from .add import Add
from .faults import REFUSED, refusal
from .gateway import Gateway
from .identity import Identity
from .methods import METHODS, Method, Methods
from .paths import Paths
from .query import Query

__all__ = ["application"]

logger = logging.getLogger(__name__)

_API = "/api/v0"


def application(store: Store, *, max_size: int | None = None) -> ASGIApp:
    """Return the server of a store.

    Args:
        store: is open.
        max_size: bytes that a request to add may have; None: any number.
    """
    methods = Methods(store, Identity.of(store.root))
    routes = [
        Route(f"{_API}/{path}", _endpoint(methods, method), methods=["POST"])
        for path, method in METHODS.items()
    ]
    routes.append(Route(f"{_API}/add", Add(store, max_size=max_size), methods=["POST"]))
    routes.append(Route("/ipfs/{path:path}", Gateway(Paths(store)).__call__, methods=["GET"]))
    return _ForPrograms(Starlette(routes=routes))


def _endpoint(methods: Methods, method: Method) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return await method(methods, request, Query(request.query_params))
        except REFUSED as error:
            return refusal(error)
        except ClientDisconnect:
            return Response(status_code=400)

    return answer


class _ForPrograms:
    """Refuses web pages of others: a browser sends what they ask for to this machine, too.

    Args:
        app: for everybody else.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_API):
            origin = Request(scope).headers.get("origin")
            if origin is not None and not _is_here(origin):
                await PlainTextResponse("403 - Forbidden\n", 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _is_here(origin: str) -> bool:
    try:
        host = urlsplit(origin).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
