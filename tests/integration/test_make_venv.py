"""How `make` gets a virtual environment on machines that lack a part of Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import require

pytestmark = pytest.mark.timeout(90)

SCRIPT = Path(__file__).parents[2] / ".ci" / "venv.py"


def without_ensurepip(tmp_path: Path, **env: str) -> dict[str, str]:
    """Return an environment like that of Debian without python3-venv."""
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['ensurepip'] = None\n")
    return {**os.environ, "PYTHONPATH": str(tmp_path), **env}


def make(tmp_path: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(tmp_path / "venv")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


def test_pip_comes_from_the_machines_own_packages_without_installing_any(tmp_path: Path) -> None:
    require("apt", shutil.which("apt-get") is not None, "apt is Debian's")
    done = make(tmp_path, without_ensurepip(tmp_path))
    assert done.returncode == 0, done.stderr
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0


def test_what_to_do_is_said_when_pip_can_be_had_from_nowhere(tmp_path: Path) -> None:
    done = make(tmp_path, without_ensurepip(tmp_path, PATH=str(tmp_path)))
    assert done.returncode == 1
    assert "cannot fetch pip" in done.stderr
    assert "apt-get install python3-venv" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_environment_that_was_begun_and_not_finished_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "left").touch()
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "venv"], check=False)
    assert done.returncode == 0
    assert not (tmp_path / "venv" / "left").exists()
    pip = [str(tmp_path / "venv" / "bin" / "python"), "-m", "pip", "--version"]
    assert subprocess.run(pip, capture_output=True, check=False).returncode == 0
