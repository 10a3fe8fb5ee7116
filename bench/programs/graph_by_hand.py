"""Start the programs of the stack `minimal` as a careful script does, and end them again.

Usage: graph_by_hand.py DIRECTORY. The same commands as the stack's, each as soon as what it needs
answers, which is asked every 20 ms. Prints how many seconds it took until graph-node answered.
"""

from __future__ import annotations

import json
import signal
import socket
import subprocess  # noqa: TID251 - a script by hand
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg

_ASK_EVERY_S = 0.02
_LIMIT_S = 60.0
_DATABASE = "graph-node"
_PARTS = ("chain", "ipfs", "sql", "query", "admin", "status", "metrics")


def _free_ports() -> dict[str, int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in _PARTS]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return dict(zip(_PARTS, ports, strict=True))


def _launch(folder: Path, program: str, *arguments: str) -> subprocess.Popen[bytes]:
    with (folder / f"{program}.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "graph_test_daemon.launch", program, *arguments],
            stdout=log,
            stderr=log,
        )


def _post(port: int, path: str, document: Mapping[str, object] | None) -> None:
    body = b"" if document is None else json.dumps(document).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", body, {"Content-Type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        answer.read()


def _call(port: int, method: str) -> None:
    _post(port, "/", {"jsonrpc": "2.0", "id": 1, "method": method, "params": []})


def _create_database(port: int) -> None:
    url = f"postgresql://postgres:any@127.0.0.1:{port}/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            f'CREATE DATABASE "{_DATABASE}" ENCODING UTF8 LC_COLLATE "C" LC_CTYPE "C"'
            " TEMPLATE template0"
        )


def _until(works: Callable[[], None]) -> None:
    deadline = time.perf_counter() + _LIMIT_S
    while True:
        try:
            return works()
        except (OSError, psycopg.OperationalError):
            if time.perf_counter() > deadline:
                raise
            time.sleep(_ASK_EVERY_S)  # noqa: TID251 - there is no event to wait for by hand


def _start(folder: Path, processes: list[subprocess.Popen[bytes]]) -> float:
    ports, began = _free_ports(), time.perf_counter()
    data = {name: folder / name for name in ("chain", "ipfs", "postgres", "graph-node")}
    for path in data.values():
        path.mkdir()
    chain, ipfs, sql = ports["chain"], ports["ipfs"], ports["sql"]
    processes += [
        _launch(
            folder, "anvil", f"--port={chain}", f"--data-dir={data['chain']}", "--chain-id=1337"
        ),
        _launch(folder, "ipfs", f"--port={ipfs}", f"--repo={data['ipfs']}"),
        _launch(folder, "postgres", f"--port={sql}", f"--data={data['postgres']}"),
    ]
    _until(lambda: _call(chain, "evm_mine"))
    _until(lambda: _post(ipfs, "/api/v0/version", None))
    _until(lambda: _create_database(sql))
    processes.append(
        _launch(
            folder,
            "graph-node",
            f"--data={data['graph-node']}",
            f"--files={data['ipfs']}/files",
            f"--ethereum-rpc=hardhat:archive,traces:http://127.0.0.1:{chain}",
            f"--ipfs=http://127.0.0.1:{ipfs}",
            f"--postgres-url=postgresql://postgres:any@127.0.0.1:{sql}/{_DATABASE}",
            *(
                f"--{option}-port={ports[name]}"
                for option, name in (
                    ("http", "query"),
                    ("admin", "admin"),
                    ("index-node", "status"),
                    ("metrics", "metrics"),
                )
            ),
        )
    )
    question = {"query": "{ version { version } }"}
    _until(lambda: _post(ports["status"], "/graphql", question))
    return time.perf_counter() - began


def _end(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes):
        process.send_signal(signal.SIGINT)
    for process in processes:
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _main() -> None:
    processes: list[subprocess.Popen[bytes]] = []
    try:
        print(_start(Path(sys.argv[1]), processes), flush=True)
    finally:
        _end(processes)


_main()
