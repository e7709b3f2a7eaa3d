"""How is loopback brought up inside a network of its own? The second half of the isolation: then become the JVM."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys

IFF_UP_AND_RUNNING = 0x1 | 0x40
SIOCSIFFLAGS = 0x8914

if __name__ == "__main__":
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP_AND_RUNNING))
    os.execv(sys.argv[1], sys.argv[1:])
