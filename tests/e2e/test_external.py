"""A service that runs already is checked and depended on, and never started or stopped."""

from __future__ import annotations

import socket
from pathlib import Path
from textwrap import dedent

import pytest

from tests.e2e.harness_case import HarnessCase

pytestmark = pytest.mark.timeout(60)


def test_an_external_service_is_checked_and_left_alone(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server, HarnessCase(tmp_path) as case:
        port = server.getsockname()[1]
        case.write(
            dedent(f"""
            services:
              db:
                type: external
                ports: {{sql: {{port: {port}, scheme: postgresql}}}}
                health_check: {{tcp: {{port: "${{db.port}}"}}}}
              app:
                type: process
                command: [sh, -c, 'echo "$DB"; exec sleep 100']
                env: {{DB: "${{db.url}}"}}
            """)
        )
        case.ok("up")
        units = case.status()
        assert (units["db"]["state"], units["db"]["health"]) == ("running", "healthy")
        assert units["db"]["endpoints"]["sql"]["port"] == port
        assert case.logs("app", "--no-prefix") == f"postgresql://127.0.0.1:{port}\n".encode()
        refused = case("exec", "db", "--", "true")
        assert refused.returncode == 1
        assert "services of type external do not support exec" in refused.stderr
        case.ok("down")
        # It has not ended, so it has no exit status.
        db = case.unit("db")
        assert (db["state"], db["exit_code"]) == ("stopped", None)
        assert db["message"] == "stopped on request"
        ends = [e["data"]["exit"] for e in case.events("unit-state-changed") if e["unit"] == "db"]
        assert set(ends) == {None}
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass


def test_an_external_service_that_is_not_there_is_explained(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with HarnessCase(tmp_path) as case:
        case.write(
            dedent(f"""
            services:
              db:
                type: external
                ports: {{sql: {port}}}
                health_check: {{tcp: {{port: "${{db.port}}"}}}}
                startup_timeout: 500ms
            """)
        )
        done = case("up")
        assert done.returncode == 1
        assert "not ready 0.5 s after its start" in done.stderr
