"""What the daemon's process does before it serves."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import gc, os, sys
from pathlib import Path
from harness.daemon import app, run_daemon
from harness.protocol import Endpoint

def look():
    print(gc.isenabled(), gc.get_freeze_count() > 0, os.environ["PYDANTIC_DISABLE_PLUGINS"])

async def serve(endpoint, *, ready, **_):
    look()
    ready()
    look()

app.serve_daemon = serve
sys.exit(run_daemon(Endpoint(Path(sys.argv[1]))))
"""


def test_garbage_is_collected_from_the_moment_it_serves(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == ["False False true", "True True true"]
