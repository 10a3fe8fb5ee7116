"""Answers GraphQL queries of subgraphs over HTTP, with what a test says that there is.

It is no graph-node: it answers each query with the same data, and knows how far it is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answers", "answering"]


class Answers:
    """What is answered.

    Attributes:
        url: where.
        block: the newest one.
        data: of every query but the one for the newest block.
        asked: path and query of each of these.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.block = 1
        self.data: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []

    def answer(self, path: str, query: str) -> dict[str, Any]:
        """Answer one query."""
        if query.startswith("{ _meta"):
            block = {"number": self.block, "hash": f"0x{self.block}"}
            return {"_meta": {"block": block, "deployment": "QmA", "hasIndexingErrors": False}}
        self.asked.append((path, " ".join(query.split())))
        return self.data


@contextmanager
def answering() -> Iterator[Answers]:
    """Answer, as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            data = answers.answer(self.path, json.loads(body)["query"])
            answer = json.dumps({"data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        answers = Answers(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield answers
        finally:
            server.shutdown()
            thread.join()
