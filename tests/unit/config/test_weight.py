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


async def test_stacks_that_are_read_at_once_share_the_library_of_expressions() -> None:
    program = (
        "import sys, threading\n"
        "sys.setswitchinterval(1e-6)\n"
        "from harness.expressions import compile_expression\n"
        "errors, gate = [], threading.Barrier(8)\n"
        "threading.excepthook = lambda hook: errors.append(hook.exc_type.__name__)\n"
        "def load(): gate.wait(); compile_expression('1 + 1')\n"
        "threads = [threading.Thread(target=load) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(errors, 'cel.cli' in sys.modules)"
    )
    done = await anyio.run_process([sys.executable, "-c", program])
    assert done.stdout.decode() == "[] False\n"
