"""Output of a detached process is kept byte for byte, whatever the program does with it."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

import anyio
import pytest

from harness.commands import Command, launch, wait_exit
from harness.model import ExitStatus

Dirs = tuple[Path, Path]
"""Run directory and log directory."""


@pytest.fixture
def dirs(tmp_path: Path) -> Dirs:
    run_dir, log_dir = tmp_path / "run", tmp_path / "log"
    run_dir.mkdir(mode=0o700)
    log_dir.mkdir()
    return run_dir, log_dir


async def ran(dirs: Dirs, *argv: str, timeout_s: float = 10) -> ExitStatus:
    run_dir, log_dir = dirs
    with anyio.fail_after(timeout_s):
        run = await launch(
            Command(argv=argv),
            run_dir=run_dir,
            log_dir=log_dir,
            unit=f"p/u/1/{os.urandom(4).hex()}",
        )
        return await wait_exit(run)


async def python(dirs: Dirs, code: str, timeout_s: float = 10) -> ExitStatus:
    return await ran(dirs, sys.executable, "-c", code, timeout_s=timeout_s)


async def test_20000_lines_before_an_immediate_exit_are_all_there(dirs: Dirs) -> None:
    code = (
        "import os, sys\nfor i in range(20000): print(f'line {i}')\nsys.stdout.flush(); os._exit(0)"
    )
    assert await python(dirs, code) == ExitStatus(code=0)
    expected = "".join(f"line {i}\n" for i in range(20000))
    assert (dirs[1] / "stdout.log").read_text() == expected


async def test_a_line_of_a_million_bytes_is_kept_whole(dirs: Dirs) -> None:
    await python(dirs, "print('a' * 1_000_000); print('end')")
    assert (dirs[1] / "stdout.log").read_bytes() == b"a" * 1_000_000 + b"\nend\n"


async def test_a_last_line_without_a_newline_is_kept(dirs: Dirs) -> None:
    await ran(dirs, "printf", "one\ntwo")
    assert (dirs[1] / "stdout.log").read_bytes() == b"one\ntwo"


async def test_bytes_that_are_no_text_are_kept(dirs: Dirs) -> None:
    await python(dirs, "import os; os.write(1, bytes(range(256))); os.write(2, b'\\xff\\0\\xfe')")
    assert (dirs[1] / "stdout.log").read_bytes() == bytes(range(256))
    assert (dirs[1] / "stderr.log").read_bytes() == b"\xff\0\xfe"


async def test_a_program_that_closes_its_output_goes_on(dirs: Dirs) -> None:
    status = await python(dirs, "import os; os.close(1); os.close(2); os._exit(9)")
    assert status == ExitStatus(code=9)


async def test_a_huge_line_is_not_read_into_memory(dirs: Dirs) -> None:
    size_mb = 256
    code = (
        "import os; chunk = b'x' * (1 << 20)\n"
        f"for _ in range({size_mb}):\n"
        "    view = memoryview(chunk)\n"
        "    while view: view = view[os.write(1, view):]"
    )
    before = _resident_bytes()
    assert await python(dirs, code, timeout_s=19) == ExitStatus(code=0)
    log = dirs[1] / "stdout.log"
    try:
        assert log.stat().st_size == size_mb << 20
        assert _resident_bytes() - before < 32 << 20
    finally:
        log.unlink()


async def test_both_outputs_go_to_their_own_file_in_order(dirs: Dirs) -> None:
    await ran(dirs, "sh", "-c", "for i in 1 2 3; do echo out$i; echo err$i >&2; done")
    assert (dirs[1] / "stdout.log").read_text() == "out1\nout2\nout3\n"
    assert (dirs[1] / "stderr.log").read_text() == "err1\nerr2\nerr3\n"


async def test_output_is_the_same_as_of_the_program_writing_to_a_file(dirs: Dirs) -> None:
    code = (
        "import hashlib\nfor i in range(5000): print(hashlib.sha256(str(i).encode()).hexdigest())"
    )
    await python(dirs, code)
    expected = "".join(f"{hashlib.sha256(str(i).encode()).hexdigest()}\n" for i in range(5000))
    assert (dirs[1] / "stdout.log").read_text() == expected


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
