"""What the folder exports is what its modules define, whatever was imported before."""

from __future__ import annotations

import pkgutil
import sys
from types import ModuleType

import anyio
import pytest

from harness import config

MODULES = {module.name for module in pkgutil.iter_modules(config.__path__)}


@pytest.mark.parametrize("name", config.__all__)
def test_no_exported_name_is_that_of_a_module(name: str) -> None:
    # Importing a module binds its name in its folder, over what is called the same.
    assert name not in MODULES
    assert not isinstance(getattr(config, name), ModuleType)


async def test_a_name_is_the_same_after_every_module_was_imported() -> None:
    code = (
        "import importlib, inspect, harness.config as config\n"
        f"for name in {sorted(MODULES)}: importlib.import_module(f'harness.config.{{name}}')\n"
        "print([n for n in config.__all__ if inspect.ismodule(getattr(config, n))])"
    )
    result = await anyio.run_process([sys.executable, "-c", code])
    assert result.stdout.strip() == b"[]"
