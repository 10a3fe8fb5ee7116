"""Print as fast as the other side takes it, and say how long that took.

Usage: printer.py NAME FIFO START LINES. Waits until the file START exists, writes LINES numbered
lines of 100 bytes in blocks of 8 KiB as a C library would, and reports its own seconds into the
FIFO.
"""

import os
import sys
import time
from signal import pause

name, fifo, start, lines = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
line = "%012d " + "x" * 86 + "\n"
blocks = []
block = []
for number in range(lines):
    block.append(line % number)
    if len(block) == 82:
        blocks.append("".join(block).encode())
        block = []
blocks.append("".join(block).encode())


def report(text: str) -> None:
    """Write one line into the FIFO."""
    with open(fifo, "w") as out:
        out.write(f"{name} {os.getpid()} {text}\n")


report("ready")
while not os.path.exists(start):
    time.sleep(0.002)  # noqa: TID251 (it polls, so that nothing has to know it)
began = time.perf_counter()
for data in blocks:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]
report(f"{time.perf_counter() - began:.6f}")
while True:
    pause()
