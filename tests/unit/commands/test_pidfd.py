"""A process is its pid and its start time: the same pid with another start is a stranger."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import anyio
import pytest

from harness.commands import ProcessRef, is_running, send_signal
from harness.commands.pidfd import opened, reap, signal_group, wait_ended
from harness.commands.procfs import process_ref


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"], start_new_session=True) as process:
        yield process
        process.kill()


def earlier(process: subprocess.Popen[bytes]) -> ProcessRef:
    """Name an ended process whose number the kernel gave to this one."""
    ref = process_ref(process.pid)
    assert ref is not None
    return ProcessRef(ref.pid, ref.start - 1)


def test_whoever_has_the_number_now_is_told_apart(stranger) -> None:
    gone = earlier(stranger)
    assert not is_running(gone)
    assert is_running(ProcessRef(gone.pid, gone.start + 1))
    with opened(gone) as descriptor:
        assert descriptor is None


def test_no_signal_reaches_whoever_has_the_number_now(stranger) -> None:
    gone = earlier(stranger)
    assert not send_signal(gone, signal.SIGKILL)
    assert not signal_group(gone, signal.SIGKILL)
    with pytest.raises(subprocess.TimeoutExpired):
        stranger.wait(0.05)


async def test_nobody_waits_for_the_end_of_whoever_has_the_number_now(stranger) -> None:
    with anyio.fail_after(5):
        await wait_ended(earlier(stranger))
    assert stranger.poll() is None


def test_the_end_of_whoever_has_the_number_now_is_not_taken_from_its_parent(stranger) -> None:
    gone = earlier(stranger)
    stranger.terminate()
    with opened(ProcessRef(gone.pid, gone.start + 1)) as descriptor:
        reap(gone)
        assert descriptor is not None
    assert stranger.wait(5) == -signal.SIGTERM


def test_the_group_of_a_process_gets_its_signal(stranger) -> None:
    ref = process_ref(stranger.pid)
    assert ref is not None
    assert signal_group(ref, signal.SIGTERM)
    assert stranger.wait(5) == -signal.SIGTERM
    assert not signal_group(ref, signal.SIGTERM)
