"""What the daemon's process does before it serves."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO
from pathlib import Path

from harness.daemon.command import _MaskedErrors

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


def test_a_secret_that_is_printed_in_parts_is_masked() -> None:
    buffer = Kept()
    errors = _MaskedErrors(buffer, lambda text: text.replace("geheim", "***"))
    for part in ("password ge", "heim\nthen ", "geh"):
        errors.write(part)
        errors.flush()
    assert buffer.getvalue() == b"password ***\n"
    errors.write("eim")
    errors.close()
    assert buffer.kept == b"password ***\nthen ***"


class Kept(BytesIO):
    """What was written, also after it was closed."""

    kept = b""

    def close(self) -> None:
        if not self.closed:
            self.kept = self.getvalue()
        super().close()
