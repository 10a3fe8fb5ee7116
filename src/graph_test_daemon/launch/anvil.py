"""Becomes anvil, the chain.

Its arguments are its own; some are added where they are not given:

- `--no-request-size-limit`: the state of a chain with the protocol's contracts is larger than what
  anvil takes otherwise;
- `--cache-path`: anvil writes the states of older blocks to files, into the user's home unless told
  where, and leaves them there when it ends. They go to the directory that `--data-dir` names (the
  only argument that is not anvil's, `${chain.data_dir}` in stack files), else to one of its own
  among the temporary ones. What runs that have ended left there is removed first;
- `--load-state` and `--dump-state`, where `--data-dir` is given: the chain goes on in the next run,
  as a database does (see `chain_state`). A fork does not, nor where it is said what to begin with.

That directory is also its home, since a fork that is begun by a call keeps what it has read there,
under the number and height of the forked chain alone. A run with `--fork-url` has the user's home:
who forks a public chain wants to read it once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from graph_test_daemon.tools.places import find_tool, tools_dir

from .chain_state import ChainState

__all__ = ["TESTED", "launch"]

TESTED = "1.7.1"
"""The version of anvil that this package is tested with."""

_OWN = "--data-dir"
_FORKS = frozenset({"-f", "--fork-url", "--rpc-url"})
_CHAIN_ID = 31337  # anvil's own
_BEGIN_WITH = frozenset({"--state", "--load-state", "--dump-state", "--init"})


def launch(arguments: Sequence[str]) -> None:
    """Become it."""
    data_dir, given = _without_data_dir(arguments)
    program = find_tool("anvil")
    if tools_dir() not in program.parents:
        _warn_of_other_version(program)
    added = []
    if "--no-request-size-limit" not in given:
        added.append("--no-request-size-limit")
    env = dict(os.environ)
    names = {word.partition("=")[0] for word in given}
    if "--cache-path" not in names:
        cache = str(_cache(data_dir))
        added += ["--cache-path", cache]
        if names.isdisjoint(_FORKS):
            env["HOME"] = cache
    if data_dir is not None and names.isdisjoint(_FORKS | _BEGIN_WITH):
        added += _going_on(data_dir, given)
    os.execve(program, [str(program), *added, *given], env)


def _without_data_dir(arguments: Sequence[str]) -> tuple[Path | None, list[str]]:
    given, found = list(arguments), None
    for at, word in enumerate(given):
        name, equals, value = word.partition("=")
        if name != _OWN:
            continue
        if not equals and at + 1 == len(given):
            sys.exit(f"cannot launch anvil: {_OWN} wants a directory")
        found = Path(value if equals else given[at + 1])
        del given[at : at + (1 if equals else 2)]
        break
    return found, given


def _going_on(data_dir: Path, given: Sequence[str]) -> list[str]:
    """Return the arguments to go on with the chain of a directory; tell with what."""
    state = ChainState(
        data_dir,
        chain_id=_number_of(given, "--chain-id", default=_CHAIN_ID),
        first=_number_of(given, "--number", default=0),
    )
    try:
        added, note = state.arguments()
    except (OSError, ValueError) as error:
        sys.exit(
            f"cannot launch anvil: cannot keep the chain in {data_dir}: {error}; remove what is"
            " there, as `down --volumes` does, or start without --data-dir"
        )
    if note is not None:
        sys.stderr.write(f"note: {note}\n")
        sys.stderr.flush()
    return added


def _number_of(given: Sequence[str], name: str, *, default: int) -> int:
    """Return the value of an argument; anvil itself refuses what is no number."""
    for at, word in enumerate(given):
        flag, equals, value = word.partition("=")
        if flag == name:
            with suppress(ValueError):
                return int(value if equals else "".join(given[at + 1 : at + 2]), 0)
    return default


def _cache(data_dir: Path | None) -> Path:
    """Return where this run may write, without what others have left."""
    if data_dir is not None:
        cache = data_dir / "states"
        shutil.rmtree(cache, ignore_errors=True)
        return cache
    places = Path(tempfile.gettempdir()) / f"graph-test-daemon-{os.getuid()}-anvil"
    if places.is_dir():
        for left in places.iterdir():
            if left.name.isdecimal() and not _runs(int(left.name)):
                shutil.rmtree(left, ignore_errors=True)
    return places / str(os.getpid())  # which anvil keeps


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return pid != os.getpid()  # what is there of this number is of an earlier process


def _warn_of_other_version(program: Path) -> None:
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return  # becoming it will say why
    version = _version(told.stdout)
    if version is None or version.partition(".")[0] != TESTED.partition(".")[0]:
        sys.stderr.write(
            f"note: {program} is version {version or 'unknown'}; anvil {TESTED} is what this is"
            " tested with, and `graph-test-daemon tools install` gets it\n"
        )


def _version(text: str) -> str | None:
    """Return the version in what `anvil --version` prints: `anvil Version: 1.7.1-dist` and more."""
    for word in text.split():
        number = word.partition("-")[0]
        if number.count(".") == 2 and number.replace(".", "").isdecimal():
            return number
    return None
