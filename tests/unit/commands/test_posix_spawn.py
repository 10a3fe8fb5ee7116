"""Starting a program through the C library itself."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from harness.commands.posix_spawn import posix_spawn

_OF_THREADS = 0b11 << 31  # signals 32 and 33, which the C library keeps for itself


def run(script: str, path: Path, *, env: dict[str, str] | None = None, **options: object) -> str:
    """Run a line of Python with its output in a file; return the output."""
    pid = posix_spawn(
        sys.executable,
        [sys.executable, "-S", "-E", "-c", script],
        env or {},
        opened={0: ("/dev/null", os.O_RDONLY), 1: (str(path), os.O_WRONLY)},
        copied={2: 1},
        **options,  # type: ignore[arg-type]
    )
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, path.read_text()
    return path.read_text()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.touch()
    return path


def test_the_program_gets_exactly_the_environment_given(out: Path) -> None:
    env = {"A": "b c", "LC_ALL": "C.UTF-8", "Ü": "\udcff"}

    shown = run("import os; print(sorted(os.environb.items()))", out, env=env)

    assert eval(shown) == sorted((os.fsencode(k), os.fsencode(v)) for k, v in env.items())


def test_it_leads_a_session_of_its_own(out: Path) -> None:
    shown = run("import os; print(os.getpid() == os.getsid(0) == os.getpgrp())", out)

    assert shown == "True\n"


def test_no_signal_is_blocked_or_ignored(out: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    ignored = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        # A program before Python itself, which ignores SIGPIPE.
        pid = posix_spawn(
            "/bin/cat",
            ["cat", "/proc/self/status"],
            {},
            opened={0: ("/dev/null", os.O_RDONLY), 1: (str(out), os.O_WRONLY)},
            copied={2: 1},
        )
        os.waitpid(pid, 0)
    finally:
        signal.signal(signal.SIGHUP, ignored)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    fields = dict(line.split(":\t", 1) for line in out.read_text().splitlines() if ":\t" in line)
    assert int(fields["SigBlk"], 16) == 0
    assert int(fields["SigIgn"], 16) & ~_OF_THREADS == 0


def test_it_gets_the_descriptors_named_and_no_other(out: Path) -> None:
    reading, writing = os.pipe()
    inherited = os.dup(reading)
    os.set_inheritable(inherited, True)
    try:
        pid = posix_spawn(
            "/bin/sh",
            ["sh", "-c", "cd /proc/$$/fd && echo *; echo told >&3"],
            {"PATH": "/bin:/usr/bin"},
            opened={0: ("/dev/null", os.O_RDONLY), 1: (str(out), os.O_WRONLY)},
            copied={2: 1, 3: writing},
            closed=[inherited],
        )
        os.waitpid(pid, 0)
        told = os.read(reading, 100)
    finally:
        for fd in (reading, writing, inherited):
            os.close(fd)

    assert told == b"told\n"
    # One that opens the script's own text comes on top in some shells.
    assert {"0", "1", "2", "3"} <= set(out.read_text().split())
    assert str(inherited) not in out.read_text().split()


def test_what_the_kernel_refuses_is_an_error_with_its_number() -> None:
    with pytest.raises(FileNotFoundError):
        posix_spawn("/nowhere/program", ["program"], {}, opened={}, copied={})
    with pytest.raises(PermissionError):
        posix_spawn("/etc/passwd", ["passwd"], {}, opened={}, copied={})


@pytest.mark.parametrize(("argv", "env"), [(["a\0b"], {}), (["a"], {"A": "\0"})])
def test_a_nul_is_refused_and_not_the_end_of_a_text(argv: list[str], env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="null byte"):
        posix_spawn("/bin/true", argv, env, opened={}, copied={})
