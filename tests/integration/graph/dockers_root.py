"""Runs a program as root of a container without more rights: no user namespaces, few capabilities.

It is root of a namespace with all users, which may have no namespaces below it.
"""

from __future__ import annotations

import ctypes
import os
import sys

# What Docker leaves to root: chown, dac_override, fowner, fsetid, kill, setgid, setuid, setpcap,
# net_bind_service, net_raw, sys_chroot, mknod, audit_write, setfcap.
_KEPT = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
_CLONE_NEWUSER, _PR_CAPBSET_DROP = 0x1000_0000, 24

libc = ctypes.CDLL(None, use_errno=True)
entered, wait_entered = os.pipe()
mapped, wait_mapped = os.pipe()
helper = os.fork()
if helper == 0:
    # The one outside writes what the one inside may not.
    os.read(entered, 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{os.getppid()}/{name}", "w") as file:
            file.write("0 0 65536")
    os.write(wait_mapped, b"x")
    os._exit(0)
assert libc.unshare(_CLONE_NEWUSER) == 0, os.strerror(ctypes.get_errno())
os.write(wait_entered, b"x")
os.read(mapped, 1)
os.waitpid(helper, 0)
with open("/proc/sys/user/max_user_namespaces", "w") as file:
    file.write("0")
for capability in range(41):
    if capability not in _KEPT:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execvp(sys.argv[1], sys.argv[1:])
