"""Free ports of the loopback."""

import errno
import socket


def free_udp_port():
    """One of those that the kernel gives out."""
    return _bind(socket.SOCK_DGRAM, 0)


def free_tcp_port():
    return _bind(socket.SOCK_STREAM, 0)


def first_free_udp_port(start):
    for port in range(start, 2**16):
        try:
            return _bind(socket.SOCK_DGRAM, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise RuntimeError(f"no UDP port from {start} on is free")


def _bind(kind, port):
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", port))
        return probe.getsockname()[1]
