"""What a detached service gets: directory, environment, descriptors, signals, limits, user."""

from __future__ import annotations

import os
import re
import signal
import stat
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from harness.commands import (
    Command,
    DetachedRun,
    Tree,
    end_tree,
    launch,
    run,
    send_signal,
    wait_exit,
)
from harness.commands.run_files import RunFiles
from harness.errors import (
    CommandError,
    CommandNotExecutable,
    CommandNotFound,
    UnknownUser,
    WorkingDirectoryMissing,
)
from harness.model import ExitStatus
from tests.processes import carriers
from tests.requirements import require


class Place:
    def __init__(self, path: Path) -> None:
        self.run_dir, self.log_dir = path / "run", path / "log"
        self.run_dir.mkdir(mode=0o700, parents=True)
        self.log_dir.mkdir()

    async def launch(self, *argv: str, open_stdin: bool = False, **fields: Any) -> DetachedRun:
        return await launch(
            Command(argv=argv, **fields),
            run_dir=self.run_dir,
            log_dir=self.log_dir,
            unit=f"project/unit/1/{os.urandom(8).hex()}",
            open_stdin=open_stdin,
        )

    async def output(self, *argv: str, **fields: Any) -> str:
        with anyio.fail_after(10):
            run = await self.launch(*argv, **fields)
            await wait_exit(run)
        return (self.log_dir / "stdout.log").read_text()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


async def test_it_runs_in_its_directory(place: Place, tmp_path: Path) -> None:
    directory = tmp_path / "a b'c"
    directory.mkdir()
    output = await place.output("sh", "-c", "pwd -P; echo $PWD", working_dir=str(directory))
    assert output.splitlines() == [str(directory.resolve()), str(directory)]


async def test_arguments_arrive_unchanged(place: Place) -> None:
    words = ["", " ", "a'b", '"', "$HOME", "`x`", "*", "~", "#", "\\", "\n", "é", "-n", "--"]
    code = "import sys; print(sys.argv[1:])"
    assert await place.output(sys.executable, "-c", code, *words) == f"{words}\n"


async def test_the_environment_is_exactly_the_one_given(place: Place) -> None:
    env = {
        "PATH": os.environ["PATH"],
        "EMPTY": "",
        "LINES": "a\nb",
        "with.dot": "1",
        "IFS": "x",
        "PS4": "y",
        "OLDPWD": "it's",
        "_hh_run": "mine",
        "quote'": "z",
    }
    code = (
        "import os; print(sorted(f'{k}={v!r}' for k, v in os.environ.items() if k not in "
        "('PWD', 'LC_CTYPE', 'HARNESS_UNIT', 'HARNESS_RUN')))"
    )
    output = await place.output(sys.executable, "-c", code, env=env, inherit_env=False)
    assert output == f"{sorted(f'{name}={value!r}' for name, value in env.items())}\n"


async def test_without_a_umask_of_its_own_it_has_its_starters(place: Place) -> None:
    before = os.umask(0o027)
    try:
        assert await place.output("sh", "-c", "umask") == "0027\n"
    finally:
        os.umask(before)


async def test_what_its_holder_makes_is_for_the_user_alone(place: Place) -> None:
    await place.output("true")
    made = [place.run_dir / "run", place.log_dir / "stdout.log", place.log_dir / "stderr.log"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o600] * 3


async def test_it_carries_its_marker(place: Place) -> None:
    output = await place.output("sh", "-c", "echo $HARNESS_UNIT")
    assert output.startswith("project/unit/1/")


async def test_it_gets_three_descriptors_and_none_of_its_starters(place: Place) -> None:
    show = "ls -l /proc/self/fd >$FDS"
    code = f"""
import anyio, os
from pathlib import Path
from harness.commands import Command, launch, wait_exit
async def main():
    os.open("/dev/zero", os.O_RDONLY)
    run = await launch(Command(argv=("sh", "-c", {show!r})), run_dir=Path(os.environ["RUN"]),
        log_dir=Path(os.environ["LOG"]), unit="p/u/1/t")
    await wait_exit(run)
anyio.run(main)
"""
    fds = place.log_dir / "fds"
    env = {"RUN": str(place.run_dir), "LOG": str(place.log_dir), "FDS": str(fds)}
    argv = ("sh", "-c", 'exec "$@" 7</dev/zero', "sh", sys.executable, "-c", code)
    with anyio.fail_after(10):
        await run(Command(argv=argv, env=env), check=True)
    # 3 is the directory that `ls` itself reads.
    assert re.findall(r" (\d+) -> ", fds.read_text()) == ["0", "1", "2", "3"]


async def test_it_ignores_and_blocks_no_signal(place: Place) -> None:
    output = await place.output("grep", "-E", "^Sig(Ign|Blk)", "/proc/self/status")
    masks = {int(line.split()[1], 16) for line in output.splitlines()}
    internal = 1 << 31 | 1 << 32  # the C library's own two, set up by every program itself
    assert {mask & ~internal for mask in masks} == {0}


async def test_it_leads_a_session_of_its_own(place: Place) -> None:
    code = "import os; print(os.getpid() == os.getsid(0) == os.getpgid(0))"
    assert await place.output(sys.executable, "-c", code) == "True\n"


async def test_an_input_that_is_not_wanted_is_empty(place: Place) -> None:
    assert await place.output("sh", "-c", "cat; echo end") == "end\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGTERM"])
async def test_a_signal_ends_it_and_is_its_status(place: Place, name: str) -> None:
    started = await place.launch("sleep", "1000")
    number = signal.Signals[name]
    with anyio.fail_after(5):
        assert send_signal(started.service, number)
        assert await wait_exit(started) == ExitStatus(signal=number)


async def test_signals_to_the_holder_do_not_lose_the_status(place: Place) -> None:
    started = await place.launch("sh", "-c", "read -r line <$PIPE; exit 7", env=_pipe(place))
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
        assert send_signal(started.holder, number)
    (place.run_dir / "pipe").write_text("go\n")
    with anyio.fail_after(5):
        assert await wait_exit(started) == ExitStatus(code=7)


async def test_umask_niceness_and_limits_apply(place: Place) -> None:
    output = await place.output(
        "sh",
        "-c",
        "umask; nice; ulimit -n; ulimit -c",
        umask=0o027,
        nice=3,
        limits={"nofile": 123, "core": 0},
    )
    assert output.split() == ["0027", str(os.nice(0) + 3), "123", "0"]


async def test_it_runs_as_another_user_with_that_users_home(place: Place) -> None:
    require("root", os.geteuid() == 0, "only root can become another user")
    output = await place.output("sh", "-c", "id -un; echo $USER", user="nobody", working_dir="/")
    assert output.split() == ["nobody", "nobody"]


@pytest.mark.parametrize(
    ("argv", "fields", "error", "cause"),
    [
        (("no-such-program",), {}, CommandNotFound, "command not found: no-such-program"),
        (("./missing",), {}, CommandNotFound, "command not found: ./missing"),
        (("/tmp",), {}, CommandNotExecutable, "it is a directory: /tmp"),
        (("/etc/passwd",), {}, CommandNotExecutable, "permission denied: /etc/passwd"),
        (
            ("true",),
            {"working_dir": "/no/such"},
            WorkingDirectoryMissing,
            'working directory "/no/such" does not exist',
        ),
        (
            ("true",),
            {"working_dir": "/etc/passwd"},
            WorkingDirectoryMissing,
            'working directory "/etc/passwd" is not a directory',
        ),
        (
            ("true",),
            {"user": "nobody-like-this"},
            UnknownUser,
            "unknown user: nobody-like-this",
        ),
        (
            ("true",),
            {"limits": {"nofile": 1 << 40}},
            CommandError,
            "the system refuses its limits, its niceness or its user",
        ),
    ],
)
async def test_a_start_that_cannot_work_names_the_cause(
    place: Place,
    argv: tuple[str, ...],
    fields: dict[str, Any],
    error: type[CommandError],
    cause: str,
) -> None:
    with anyio.fail_after(5), pytest.raises(error) as caught:
        await place.launch(*argv, **fields)
    assert str(caught.value).endswith(f": {cause}")


async def test_a_script_without_its_interpreter_is_told_apart(place: Place, tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/no/such/interpreter -x\n")
    script.chmod(0o755)
    with pytest.raises(CommandNotFound, match="/no/such/interpreter"):
        await place.launch(str(script))


async def test_the_program_is_looked_up_in_its_own_path(place: Place, tmp_path: Path) -> None:
    (tmp_path / "tool").write_text("#!/bin/sh\necho mine\n")
    (tmp_path / "tool").chmod(0o755)
    assert await place.output("tool", env={"PATH": str(tmp_path)}, inherit_env=False) == "mine\n"


async def test_logs_that_cannot_be_written_are_named(place: Place) -> None:
    place.log_dir.rmdir()
    with anyio.fail_after(5), pytest.raises(CommandError, match="log files"):
        await place.launch("true")


async def test_a_holder_killed_leaves_the_service_watched_and_the_status_unknown(
    place: Place,
) -> None:
    started = await place.launch("sleep", "1000")
    assert send_signal(started.holder, signal.SIGKILL)
    with anyio.move_on_after(0.1) as scope:
        await wait_exit(started)
    assert scope.cancelled_caught
    marker = Tree(marker=started.marker, main=started.service)
    with anyio.fail_after(5):
        await end_tree(marker, stop_signal=signal.SIGTERM, timeout_s=5)
        assert await wait_exit(started) == ExitStatus()


async def test_nothing_of_an_ended_run_stays_behind_in_this_process(
    place: Place, tmp_path: Path
) -> None:
    with anyio.fail_after(5):
        await wait_exit(await place.launch("true"))
        before = len(os.listdir("/proc/self/fd"))
        ended = await Place(tmp_path / "other").launch("true")
        await wait_exit(ended)
    assert len(os.listdir("/proc/self/fd")) == before
    assert str(ended.service.pid) not in os.listdir("/proc")


async def test_a_failed_start_leaves_no_process_behind(place: Place) -> None:
    with anyio.fail_after(5), pytest.raises(CommandError):
        await place.launch("true", limits={"nofile": 1 << 40})
    files = RunFiles(place.run_dir)
    record = files.launch_record()
    assert record is not None
    assert files.status().service is None
    assert list(carriers(record.marker)) == []


def _pipe(place: Place) -> dict[str, str]:
    os.mkfifo(place.run_dir / "pipe")
    return {"PIPE": str(place.run_dir / "pipe")}
