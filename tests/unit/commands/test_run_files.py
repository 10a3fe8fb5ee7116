"""The files of a run: written once, complete or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands import ProcessRef
from harness.commands.run_files import LaunchRecord, RunFiles
from harness.errors import StorageError
from harness.model import ExitStatus

RECORD = LaunchRecord(
    marker="HARNESS_UNIT=p/u/1/t",
    boot_id="boot",
    holder=ProcessRef(7, 70),
    argv=["echo", "it's", "\udcff"],
    env={"A": "b\nc", "Ü": "ü"},
    working_dir="/a b",
    umask=0o22,
    user=None,
    account=None,
    nice=None,
    limits={"nofile": 64},
    stdin="/i",
    stdout="/o",
    stderr="/e",
)


@pytest.fixture
def files(tmp_path: Path) -> RunFiles:
    return RunFiles(tmp_path)


def write(files: RunFiles) -> None:
    files.write_launch(RECORD)


def take(files: RunFiles, directory: Path, told: str) -> None:
    """Do what a holder does that tells this."""
    write(files)
    run = (directory / "launch").rename(directory / "run")
    run.write_text(run.read_text() + told)


def test_what_was_written_is_read_back(files: RunFiles) -> None:
    write(files)
    assert files.launch_record() == RECORD


def test_it_is_readable_by_its_owner_alone(files: RunFiles, tmp_path: Path) -> None:
    write(files)
    assert (tmp_path / "launch").stat().st_mode & 0o777 == 0o600


def test_a_directory_is_used_once(files: RunFiles) -> None:
    write(files)
    with pytest.raises(FileExistsError):
        write(files)


@pytest.mark.parametrize("text", ["", '{"version": 1, "mar'])
def test_a_record_that_was_not_completed_is_none(
    files: RunFiles, tmp_path: Path, text: str
) -> None:
    (tmp_path / "launch").write_text(text)
    assert files.launch_record() is None


def test_a_run_may_be_given_up_again_and_is_known_still(files: RunFiles) -> None:
    write(files)
    assert files.give_up()
    assert files.give_up()
    assert files.launch_record() == RECORD
    assert files.status().service is None


@pytest.mark.parametrize("text", ["", "started 12 1", "started 12 120\n"])
def test_a_run_that_a_holder_took_is_not_given_up(
    files: RunFiles, tmp_path: Path, text: str
) -> None:
    take(files, tmp_path, text)
    assert not files.give_up()
    assert files.launch_record() == RECORD
    assert files.status().service == (ProcessRef(12, 120) if text.endswith("\n") else None)


def test_a_record_of_a_newer_version_is_refused_in_words(files: RunFiles, tmp_path: Path) -> None:
    write(files)
    launch = tmp_path / "launch"
    launch.write_text(launch.read_text().replace('"version": 1', '"version": 9, "more": 1'))
    with pytest.raises(StorageError, match="it is of version 9, newer than this"):
        files.launch_record()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", None),
        ("exit code 1", None),
        ("exit code 0\n", ExitStatus(code=0)),
        ("exit code 143\n", ExitStatus(code=143)),
        ("exit signal 15\n", ExitStatus(signal=15)),
    ],
)
def test_a_status_counts_once_its_line_is_complete(
    files: RunFiles, tmp_path: Path, text: str, status: ExitStatus | None
) -> None:
    take(files, tmp_path, f"started 12 120\n{text}")
    assert files.status().exit == status
    assert (files.ended_at() is None) == (status is None)
    assert files.status().service == ProcessRef(12, 120)


def test_nothing_is_known_of_an_empty_directory(files: RunFiles) -> None:
    assert files.launch_record() is None
    assert files.status().service is None
    assert files.status().exit is None
    assert files.ended_at() is None
    assert files.status().failed is None
