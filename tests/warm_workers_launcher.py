"""What `pytest-xdist` starts as a worker: hands its streams to a process that forks one.

Its arguments are the address of that process and those of Python.
"""

from __future__ import annotations

import os
import socket
import sys

BEGUN = b"begun"


def main() -> None:
    address, *arguments = sys.argv[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as asking:
        try:
            asking.connect(address)
            socket.send_fds(asking, [arguments[-1].encode()], [0, 1, 2])
            begun = asking.recv(64) == BEGUN
        except OSError:
            begun = False
        if not begun:
            os.execv(sys.executable, [sys.executable, *arguments])
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):  # the end of the worker is the end of these
            os.dup2(nowhere, stream)
        asking.recv(64)  # until it has ended


if __name__ == "__main__":
    main()
