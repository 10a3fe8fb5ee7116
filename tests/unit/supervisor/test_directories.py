"""The directories of a unit."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from harness.supervisor.directories import UnitDirectories


@pytest.fixture
def directories(tmp_path: Path) -> UnitDirectories:
    found = UnitDirectories(tmp_path / "shop", "db")
    found.make()
    return found


def test_they_are_for_the_user_alone(directories: UnitDirectories) -> None:
    directories.make_run(1)

    for path in (directories.root.parent, directories.root, directories.run(1)):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_making_them_again_is_harmless(directories: UnitDirectories) -> None:
    (directories.root / "stdout.log").write_text("kept")

    directories.make()

    assert (directories.root / "stdout.log").read_text() == "kept"


def test_a_run_gets_a_directory_that_nobody_has_used(directories: UnitDirectories) -> None:
    directories.make_run(1)

    with pytest.raises(FileExistsError):
        directories.make_run(1)


def test_directories_that_somebody_removed_are_made_again(directories: UnitDirectories) -> None:
    shutil.rmtree(directories.root)

    directories.make_run(2)

    assert directories.run(2).is_dir()
    assert directories.root.is_dir()


def test_earlier_runs_are_removed_and_nothing_else(directories: UnitDirectories) -> None:
    for generation in (1, 2, 10):
        directories.make_run(generation)
    (directories.root / "run-notes").mkdir()

    directories.remove_runs(10)

    assert sorted(p.name for p in directories.root.iterdir()) == ["run-10", "run-notes"]


def test_removing_takes_the_output_along(directories: UnitDirectories) -> None:
    directories.remove()

    assert not directories.root.exists()
    directories.remove_runs(5)
