"""Free ports of the loopback."""

import itertools
import os
import socket

# Below those that the kernel gives to sockets that name none, which would take
# one between the asking and the using. Sessions side by side start apart.
FIRST, LAST = 10240, 32767

_numbers = itertools.count(os.getpid() * 97)


def free_udp_port():
    return _free(socket.SOCK_DGRAM)


def free_tcp_port():
    return _free(socket.SOCK_STREAM)


def first_free_udp_port(start):
    for port in range(start, 2**16):
        if _can_bind(socket.SOCK_DGRAM, port):
            return port
    raise RuntimeError(f"no UDP port from {start} on is free")


def _free(kind):
    for _ in range(FIRST, LAST):
        port = FIRST + next(_numbers) % (LAST - FIRST + 1)
        if _can_bind(kind, port):
            return port
    raise RuntimeError(f"no port from {FIRST} to {LAST} is free")


def _can_bind(kind, port):
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
