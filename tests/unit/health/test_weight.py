"""The front door loads only what most stacks need."""

from __future__ import annotations

import sys

import anyio

import harness.health


async def test_an_exchange_over_http_is_loaded_when_it_is_asked_for() -> None:
    program = (
        "import sys, harness.health as h; name = 'harness.health.http_exchange'\n"
        "print(name in sys.modules); h.exchange; print(name in sys.modules)"
    )
    done = await anyio.run_process([sys.executable, "-c", program])
    assert done.stdout.split() == [b"False", b"True"]


async def test_a_daemon_that_checks_nothing_loads_no_check() -> None:
    program = "import sys, harness.daemon.app; print(*sys.modules)"
    done = await anyio.run_process([sys.executable, "-c", program])
    loaded = set(done.stdout.decode().split())
    assert "harness.health" in loaded
    assert not {"harness.health.http", "harness.health.http_exchange"} & loaded


def test_every_public_name_can_be_loaded() -> None:
    for name in harness.health.__all__:
        assert getattr(harness.health, name) is not None
