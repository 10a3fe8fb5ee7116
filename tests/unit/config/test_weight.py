"""Importing the package costs nothing that a client would notice."""

from __future__ import annotations

import sys

import anyio


async def test_import_loads_neither_pydantic_nor_yaml() -> None:
    code = "import harness.config, sys; print(sorted({'pydantic', 'yaml'} & set(sys.modules)))"

    result = await anyio.run_process([sys.executable, "-c", code])

    assert result.stdout.strip() == b"[]"
