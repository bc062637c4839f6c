"""A small process that outlives its coordinator by a moment, to end what the coordinator started.

Run by its path with ``python -I -S``; imports nothing of fertune. Its standard input has lines ``+<group>`` and
``-<group>``; when it ends, which happens when the coordinator does, whatever the reason, every process group that is
still named is killed. So workers and what they started die even where they are inside a native call and cannot listen.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
    for group in groups:
        with contextlib.suppress(OSError):  # the group is gone already
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
