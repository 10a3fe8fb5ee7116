"""Make a virtual environment, also where Debian's python3-venv is not installed.

Debian keeps the pip that Python brings for new environments in that package, and installing one
takes root. Without it pip comes from the Python package index, checked against a known digest.
"""

import hashlib
import shutil
import subprocess  # noqa: TID251 - runs before the product can
import sys
import tempfile
import urllib.request
from importlib.util import find_spec
from pathlib import Path

NEEDED = (3, 11)
PIP_URL = (
    "https://files.pythonhosted.org/packages/07/25/"
    "ee8c38ae72d66b844ce8eb9711ba905dba21ca1a8a0c960057c41cd23337/pip-26.3-py3-none-any.whl"
)
PIP_SHA256 = "f3b60b20ffaadd4415ed7957212a38ac63fa4c5fa375bd0f4a797777940fad13"
TIMEOUT_S = 60
REMEDY = "or let Python bring it: apt-get install python3-venv"


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
    sys.stderr.write("python3-venv is not installed: fetching pip from the Python package index\n")
    try:
        with urllib.request.urlopen(PIP_URL, timeout=TIMEOUT_S) as answer:
            content = answer.read()
    except OSError as error:
        sys.exit(f"cannot fetch pip: {error}\nhint: see to the network, {REMEDY}")
    if hashlib.sha256(content).hexdigest() != PIP_SHA256:
        sys.exit(f"cannot use the pip that was fetched: it is not the known one\nhint: {REMEDY}")
    with tempfile.TemporaryDirectory() as temporary:
        wheel = Path(temporary, PIP_URL.rpartition("/")[2])
        wheel.write_bytes(content)
        # A wheel of pip runs as it is.
        pip = [str(python), f"{wheel}/pip", "--disable-pip-version-check"]
        _run([*pip, "install", "--quiet", "--no-index", str(wheel)])


def _run(command: list[str]) -> None:
    done = subprocess.run(command, check=False)
    if done.returncode:
        sys.exit(done.returncode)


main(sys.argv[1])
