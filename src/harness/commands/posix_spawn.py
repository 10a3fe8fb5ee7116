"""posix_spawn(3) for worker threads: unlike `os.posix_spawn` it lets the other threads run.

The kernel suspends the calling thread until the new program is executed, milliseconds on a busy
machine, and Python's own function keeps the interpreter locked for as long. Called through ctypes
on the C library that is loaded already; the two opaque structures are given more room than any C
library for Linux needs.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections.abc import Iterable, Mapping, Sequence

__all__ = ["posix_spawn"]

_SET_SIGNAL_DEFAULTS = 0x04
_SET_SIGNAL_MASK = 0x08
_SET_SESSION = 0x80
_OPAQUE_BYTES = 1024
_SIGNAL_SET_BYTES = 128


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None)


def posix_spawn(
    program: str,
    argv: Sequence[str],
    env: Mapping[str, str],
    *,
    opened: Mapping[int, tuple[str, int]],
    copied: Mapping[int, int],
    closed: Iterable[int] = (),
) -> int:
    """Start a program as leader of a new session, with no signal blocked or ignored.

    Returns its pid.

    Args:
        program: path of its file.
        argv: its arguments, the first one its name.
        env: its complete environment.
        opened: its descriptor → path and flags of what it has there.
        copied: its descriptor → which of its own, or of this process's, it is a copy of; made after
            `opened`, in the order given.
        closed: inheritable descriptors of this process that it does not get.

    Raises:
        OSError: as the kernel says.
        ValueError: a NUL in an argument or in the environment.
    """
    libc = _libc()
    actions = ctypes.create_string_buffer(_OPAQUE_BYTES)
    attributes = ctypes.create_string_buffer(_OPAQUE_BYTES)
    no_signal = ctypes.create_string_buffer(_SIGNAL_SET_BYTES)
    all_signals = ctypes.create_string_buffer(_SIGNAL_SET_BYTES)
    pid = ctypes.c_int()
    flags = ctypes.c_short(_SET_SESSION | _SET_SIGNAL_MASK | _SET_SIGNAL_DEFAULTS)
    _check(libc.posix_spawn_file_actions_init(actions))
    try:
        _check(libc.posix_spawnattr_init(attributes))
        for fd, (path, mode) in opened.items():
            _check(libc.posix_spawn_file_actions_addopen(actions, fd, _encoded(path), mode, 0))
        for fd, source in copied.items():
            _check(libc.posix_spawn_file_actions_adddup2(actions, source, fd))
        for fd in closed:
            _check(libc.posix_spawn_file_actions_addclose(actions, fd))
        libc.sigemptyset(no_signal)
        libc.sigfillset(all_signals)
        _check(libc.posix_spawnattr_setsigmask(attributes, no_signal))
        _check(libc.posix_spawnattr_setsigdefault(attributes, all_signals))
        _check(libc.posix_spawnattr_setflags(attributes, flags))
        words = _vector(argv)
        variables = _vector([f"{name}={value}" for name, value in env.items()])
        _check(
            libc.posix_spawn(
                ctypes.byref(pid), _encoded(program), actions, attributes, words, variables
            )
        )
    finally:
        libc.posix_spawn_file_actions_destroy(actions)
        libc.posix_spawnattr_destroy(attributes)
    return pid.value


def _vector(words: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    return (ctypes.c_char_p * (len(words) + 1))(*map(_encoded, words), None)


def _encoded(word: str) -> bytes:
    data = os.fsencode(word)
    if b"\0" in data:
        raise ValueError("embedded null byte")
    return data


def _check(number: int) -> None:
    if number:
        raise OSError(number, os.strerror(number))
