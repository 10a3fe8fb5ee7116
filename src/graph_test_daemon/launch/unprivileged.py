"""Lets root run programs that refuse root, such as PostgreSQL, on directories that root alone has.

Where the kernel allows it, in a user namespace that shows root under another number: nothing on
disk changes, and the process is root's for whoever looks from outside. Else as another user who may
read and write what is root's; what the program owns is given to that user.

Source: ADR-0032.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["become_unprivileged"]

_NAMES = ("postgres", "nobody", "daemon")

# Of linux/sched.h, linux/prctl.h, linux/securebits.h and linux/capability.h.
_CLONE_NEWUSER = 0x1000_0000
_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP = 28, 1 << 2
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x2008_0522


def become_unprivileged(tree: Path) -> None:
    """Make this process one that is not root, if it is; what it runs from now on is not, either.

    Args:
        tree: must belong to whom the process runs as, and does so afterwards.

    Raises:
        SystemExit: neither way is open.
    """
    if os.geteuid() != 0:
        return
    user = _other_user()
    if _can_enter_namespace(user):
        _give(tree, 0, 0)
        _enter_namespace(user)
    else:
        _give(tree, user.pw_uid, user.pw_gid)
        _become(user)


def _other_user() -> pwd.struct_passwd:
    """Return the user to be, or to look like: programs want one that has a name."""
    known = {user.pw_name: user for user in pwd.getpwall() if user.pw_uid != 0}
    if not known:
        sys.exit("cannot launch this as root: the machine knows no other user; add one")
    return next((known[name] for name in _NAMES if name in known), next(iter(known.values())))


# ── a namespace ──────────────────────────────────────────────────────────────────────────────────


def _can_enter_namespace(user: pwd.struct_passwd) -> bool:
    """Try it in a process of its own: who is halfway in cannot get out again."""
    child = os.fork()
    if child == 0:
        with suppress(BaseException):
            _enter_namespace(user)
            os._exit(0)
        os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def _enter_namespace(user: pwd.struct_passwd) -> None:
    """Show root under the number of another user, in a namespace for this process.

    Raises:
        OSError: the kernel, or what a container is allowed, is against it.
    """
    group = os.getegid()
    _checked(_libc().unshare(_CLONE_NEWUSER))
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user.pw_uid} 0 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{user.pw_gid} {group} 1", encoding="ascii")


# ── another user ─────────────────────────────────────────────────────────────────────────────────


def _become(user: pwd.struct_passwd) -> None:
    """Be another user who may pass, read and write what is root's: data lies below such places.

    That is kept over the start of programs, as an ambient capability.
    """
    libc = _libc()
    try:
        # Else access(2), by which programs look for one another, would know of no capabilities.
        _checked(libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
        os.setgroups([])
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        only = 1 << _CAP_DAC_OVERRIDE  # effective, permitted, inheritable; then those above 31
        _checked(libc.capset(header, (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)))
        _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0))
    except OSError as error:
        sys.exit(
            f"cannot launch this as root: cannot become {user.pw_name}: {error.strerror}\n"
            "run the daemon as another user, or allow user namespaces, or the capabilities "
            "SETUID, SETGID, SETPCAP, CHOWN and DAC_OVERRIDE"
        )


def _give(tree: Path, uid: int, gid: int) -> None:
    """Make a tree another user's; its root is the last, so that half of it is seen next time."""
    if tree.stat().st_uid == uid:
        return
    for directory, _, files in os.walk(tree, topdown=False):
        for name in files:
            os.chown(os.path.join(directory, name), uid, gid, follow_symlinks=False)
        os.chown(directory, uid, gid)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
