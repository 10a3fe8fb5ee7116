"""Print one kind of output that supervisors get wrong, and end at once.

Usage: fidelity.py lines|long|tail|bytes
"""

import os
import sys

OUTPUT = {
    "lines": b"".join(b"line %d\n" % number for number in range(20_000)),
    "long": b"x" * 1_000_000 + b"\n",
    "tail": b"first\nlast without newline",
    "bytes": b"\xff\xfe\x80 not utf-8 \xc3\x28\n",
}

if __name__ == "__main__":
    view = memoryview(OUTPUT[sys.argv[1]])
    while view:
        view = view[os.write(1, view) :]
