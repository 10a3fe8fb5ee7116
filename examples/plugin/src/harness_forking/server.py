"""A tiny key-value server that goes into the background, to try the rest with.

python -m harness_forking.server --port 7000 --pid-file kv.pid
"""

from __future__ import annotations

import argparse
import os
import socketserver
from pathlib import Path


class Lines(socketserver.StreamRequestHandler):
    """Answers `PING`, `SET KEY VALUE`, `GET KEY` and `KEYS`, one line each."""

    def handle(self) -> None:
        """Answer until the client goes."""
        for line in self.rfile:
            word, _, rest = line.decode().strip().partition(" ")
            self.wfile.write(f"{self.server.answer(word, rest)}\n".encode())


class Server(socketserver.ThreadingTCPServer):
    """Keeps its values in memory."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Lines)
        self.values: dict[str, str] = {}

    def answer(self, word: str, rest: str) -> str:
        """Return the answer to one line."""
        key, _, value = rest.partition(" ")
        match word:
            case "PING":
                return "PONG"
            case "SET":
                self.values[key] = value
                return "OK"
            case "GET":
                return f"= {self.values[key]}" if key in self.values else "NONE"
            case "KEYS":
                return " ".join(sorted(self.values))
        return f"ERROR there is no {word}"


def main() -> None:
    """Listen, then go into the background."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--pid-file", type=Path, required=True)
    options = parser.parse_args()
    server = Server(options.port)
    if os.fork():
        os._exit(0)
    os.setsid()
    options.pid_file.write_text(f"{os.getpid()}\n")
    print(f"listening on {options.port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
