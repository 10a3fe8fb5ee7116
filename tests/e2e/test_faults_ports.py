"""Ports that somebody has already, and two projects of one file side by side."""

from __future__ import annotations

import os
import socket
import urllib.request
from pathlib import Path

import pytest

from .harness_case import HarnessCase

pytestmark = pytest.mark.timeout(60)


def _server(name: str, port: object) -> str:
    return (
        f"  {name}:\n    type: process\n"
        f"    command: python3 -m http.server --bind 127.0.0.1 ${{{name}.port}}\n"
        f"    ports: {{http: {{port: {port}, scheme: http}}}}\n"
        f'    health_check: {{http: "${{{name}.url}}/"}}\n'
        "    stop_signal: SIGKILL\n"
    )


def test_a_taken_port_is_named_with_its_holder(case: HarnessCase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        case.write("services:\n" + _server("web", port))
        done = case("up")
        assert done.returncode == 1
        assert f"port {port}" in done.stderr
        assert f"(pid {os.getpid()})" in done.stderr
        comm = Path("/proc/self/comm").read_text().strip()
        assert f"{comm} (pid" in done.stderr
        assert case.processes() == []
    # Once it is free, the same command succeeds.
    case.ok("up", "-q")
    assert case.unit("web")["endpoints"]["http"]["port"] == port
    case.ok("down")


def test_a_port_of_another_service_of_the_harness_is_named_with_that_service(
    case: HarnessCase,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    case.write("services:\n" + _server("web", port))
    case.ok("up", "-q")
    done = case("up", "-p", f"{case.project}-other")
    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert f"{case.project}/web" in done.stderr
    assert case.unit("web")["ready"]


def test_two_projects_of_one_file_run_side_by_side(case: HarnessCase) -> None:
    other = f"{case.project}-other"
    case.write("services:\n" + _server("web", "auto") + _server("api", "auto"))
    case.ok("up", "-q")
    case.ok("up", "-q", "-p", other)
    one, two = case.status(), case.status("-p", other)
    urls = [row["endpoints"]["http"]["url"] for rows in (one, two) for row in rows.values()]
    assert len(set(urls)) == 4
    for url in urls:
        with urllib.request.urlopen(f"{url}/") as answer:
            assert answer.status == 200
    case.ok("down", "-p", other)
    assert case.marked(other) == []
    assert case.status() == one
    # A daemon that knows nothing but the file finds the one with the file's own name.
    case.kill_daemon()
    assert {name: row["pid"] for name, row in case.status().items()} == {
        name: row["pid"] for name, row in one.items()
    }
    case.ok("down")


def test_an_auto_port_stays_the_same_over_restarts_and_a_kill_of_the_daemon(
    case: HarnessCase,
) -> None:
    case.write("services:\n" + _server("web", "auto"))
    case.ok("up", "-q")
    before = case.unit("web")["endpoints"]
    case.kill_daemon()
    case.ok("restart", "web")
    assert case.unit("web")["endpoints"] == before
    case.ok("down")
    case.ok("up", "-q")
    assert case.unit("web")["endpoints"] == before
