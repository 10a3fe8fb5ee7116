"""The plugin as every pytest run of an environment loads it."""

from __future__ import annotations

import subprocess
import sys


def test_loading_it_loads_nothing_of_the_product():
    program = (
        "import sys, pytest, datetime, secrets, tempfile\n"
        "before = set(sys.modules)\n"
        "import harness.pytest_plugin\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["harness", "harness.pytest_plugin"]
