"""An interrupt that comes while a command is put down ends the program at once, and cleanly."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest

BEGINNING = """
import anyio, signal
from harness.cli.interrupts import *

def say(text):
    print(text, flush=True)

async def put_down():
    with anyio.CancelScope(shield=True):
        say("putting down")
        await anyio.sleep(30)

leave_on_interrupt()
"""
# A command without a use of its own for interrupts, and one that has closed its receiver.
CANCELLED = """
async def work():
    try:
        say("working")
        await anyio.sleep(30)
    finally:
        await put_down()

anyio.run(cancelled_by_interrupt, work)
"""
RECEIVED = """
async def work():
    with TakenInterrupts() as interrupts:
        say("working")
        await anext(interrupts)
    await put_down()

anyio.run(cancelled_by_interrupt, work)
"""
HIDDEN = RECEIVED.replace("async def", "HiddenCursor.happened = True\nasync def")


@contextmanager
def _working(program: str) -> Iterator[tuple[subprocess.Popen[str], IO[str], IO[str]]]:
    """Yield the program once it works, its output and its errors."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGINNING + program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stderr is not None
            assert process.stdout.readline() == "working\n"
            yield process, process.stdout, process.stderr
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (CANCELLED, "harness: interrupted\n"),
        (RECEIVED, "harness: interrupted\n"),
        (HIDDEN, "\x1b[?25hharness: interrupted\n"),
    ],
    ids=["cancelled", "received", "hidden"],
)
def test_a_second_interrupt_leaves_at_once(program: str, said: str) -> None:
    with _working(program) as (process, stdout, stderr):
        process.send_signal(signal.SIGINT)
        assert stdout.readline() == "putting down\n"
        process.send_signal(signal.SIGINT)
        assert (process.wait(20), stderr.read()) == (130, said)


@pytest.mark.parametrize("program", [CANCELLED, RECEIVED], ids=["cancelled", "received"])
def test_interrupts_at_every_moment_of_leaving_are_no_traceback(program: str) -> None:
    with _working(program) as (process, _, stderr):
        while process.poll() is None:
            process.send_signal(signal.SIGINT)
            time.sleep(0.0005)
        assert (process.returncode, stderr.read()) == (130, "harness: interrupted\n")
