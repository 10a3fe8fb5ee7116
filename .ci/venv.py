"""Make a virtual environment, also where Debian's python3-venv is not installed.

Debian keeps the pip that Python brings for new environments in a package, and installing one takes
root. Without it the package is only fetched, which does not, from where the machine gets its
packages and with their signatures checked, and pip is taken out of it.
"""

import shutil
import subprocess  # noqa: TID251 - runs before the product can
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

NEEDED = (3, 11)
PACKAGE = "python3-pip-whl"
REMEDY = "hint: let Python bring it: apt-get install python3-venv"


def main(directory: str) -> None:
    """Make the environment, with pip in it; one that was begun and not finished is made anew."""
    if sys.version_info < NEEDED:
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(
            f"cannot use {sys.executable}: it is Python {found}, and 3.11 is needed\n"
            "hint: name another one: make PYTHON=python3.11 …"
        )
    has_pip = find_spec("ensurepip") is not None
    shutil.rmtree(directory, ignore_errors=True)
    options = [] if has_pip else ["--without-pip"]
    _run([sys.executable, "-m", "venv", *options, directory])
    if not has_pip:
        _install_pip(Path(directory, "bin", "python"))


def _install_pip(python: Path) -> None:
    sys.stderr.write(f"python3-venv is not installed: fetching pip from {PACKAGE}\n")
    with tempfile.TemporaryDirectory() as temporary:
        wheel = _fetch_wheel(Path(temporary))
        # A wheel of pip runs as it is.
        pip = [str(python), f"{wheel}/pip", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", "--no-index", str(wheel)])


def _fetch_wheel(folder: Path) -> Path:
    """Fetch and unpack the package in a folder; nothing else on the machine changes."""
    apt = ["apt-get", "-qq", "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User="]
    for setting in (
        f"Dir::State={folder}/state",
        f"Dir::Cache={folder}/cache",
        "Dir::State::status=/var/lib/dpkg/status",
    ):
        apt += ["-o", setting]
    for name in ("state/lists/partial", "cache/archives/partial"):
        Path(folder, name).mkdir(parents=True)
    try:
        subprocess.run([*apt, "update"], check=True)
        subprocess.run([*apt, "download", PACKAGE], cwd=folder, check=True)
        (package,) = folder.glob("*.deb")
        unpack = ["dpkg-deb", "-x", package, folder / "unpacked"]
        subprocess.run(unpack, check=True)
        (wheel,) = Path(folder, "unpacked").rglob("pip-*.whl")
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"cannot fetch pip: {error}\n{REMEDY}")
    return wheel


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)


main(sys.argv[1])
