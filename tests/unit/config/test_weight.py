"""Importing the package costs nothing that a client would notice."""

from __future__ import annotations

import sys

import anyio


async def test_import_loads_neither_pydantic_nor_yaml() -> None:
    code = "import harness.config, sys; print(sorted({'pydantic', 'yaml'} & set(sys.modules)))"

    result = await anyio.run_process([sys.executable, "-c", code])

    assert result.stdout.strip() == b"[]"


async def test_expressions_do_not_load_their_librarys_command_line() -> None:
    code = (
        "from harness.expressions import compile_expression; compile_expression('a + 1');"
        "import sys; print(sorted({'prompt_toolkit', 'rich', 'cel.cli'} & set(sys.modules)));"
        "import cel.cli; print(callable(cel.cli.main))"
    )

    result = await anyio.run_process([sys.executable, "-c", code])

    assert result.stdout.split() == [b"[]", b"True"]
