"""The front door loads only what is asked for."""

from __future__ import annotations

import sys

import anyio
import pytest

import harness.protocol


def test_every_public_name_can_be_loaded():
    for name in harness.protocol.__all__:
        assert getattr(harness.protocol, name) is not None


def test_names_are_sorted_and_complete():
    assert sorted(harness.protocol.__all__, key=_rank) == harness.protocol.__all__
    assert set(harness.protocol._LATER) <= set(harness.protocol.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="Nonsense"):
        _ = harness.protocol.Nonsense  # type: ignore[attr-defined]


@pytest.mark.parametrize("module", ["harness.protocol", "harness.client"])
async def test_a_client_loads_no_validation_no_server_and_no_http(module):
    heavy = [
        "pydantic",
        "starlette",
        "hypercorn",
        "rich",
        "httpx2",
        "wsproto",
        "h11",
        "yaml",
    ]
    program = f"import sys, {module}; print([m for m in {heavy} if m in sys.modules])"
    done = await anyio.run_process([sys.executable, "-c", program])
    assert done.stdout.strip() == b"[]"


async def test_a_daemon_loads_the_types_of_few_methods_before_it_serves():
    program = (
        "import sys, harness.daemon.app, harness.protocol as p; p.METHODS; print(*sys.modules)"
    )
    done = await anyio.run_process([sys.executable, "-c", program])
    loaded = set(done.stdout.decode().split())
    assert "harness.protocol.methods" in loaded
    for later in ("exec", "health", "logs", "notifications", "openrpc", "plan", "tasks", "units"):
        assert f"harness.protocol.{later}" not in loaded


async def test_the_types_of_a_method_are_loaded_when_they_are_asked_for():
    program = (
        "import sys; from harness.protocol import METHODS\n"
        "before = set(sys.modules); METHODS['plan.graph'].params\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = await anyio.run_process([sys.executable, "-c", program])
    assert done.stdout.split() == [b"harness.protocol.plan"]


def _rank(name: str) -> tuple[int, str]:
    """Order as ruff sorts: constants, then classes, then the rest."""
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return kind, name


async def test_a_daemon_and_a_client_of_one_machine_load_nothing_of_tls():
    program = (
        "import sys, harness.daemon.app, harness.daemon.methods, harness.client.client\n"
        "import harness.protocol as p; p.METHODS; print(*sys.modules)"
    )
    done = await anyio.run_process([sys.executable, "-c", program])
    loaded = set(done.stdout.decode().split())
    assert {"harness.access.principal", "harness.access.audit"} <= loaded
    for later in ("attempts", "authority", "certificates", "tls", "tokens"):
        assert f"harness.access.{later}" not in loaded
    others = {"cryptography", "harness.daemon.gate", "harness.daemon.remote"}
    assert not loaded & {*others, "harness.client.remote", "harness.client.contexts"}
