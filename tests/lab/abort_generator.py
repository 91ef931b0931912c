"""Program: abort_generator.py accept|abort ADDRESS PORT COUNT

accept prints "ready", takes COUNT connections and sees each one reset. abort
makes COUNT connections to it, one after the other, and aborts each. Anything
else that happens ends either with status 1.
"""

import socket
import struct
import sys

ABORT_ON_CLOSE = struct.pack("ii", 1, 0)  # struct linger: on, 0 s


def accept(address, count):
    with socket.create_server(address) as server:
        print("ready", flush=True)
        for _ in range(count):
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"accepted")
                expect_reset(connection)


def expect_reset(connection):
    try:
        sys.exit(f"{connection.recv(1)!r} came in place of a reset")
    except ConnectionResetError:
        pass


def abort(address, count):
    for _ in range(count):
        with socket.create_connection(address, timeout=5) as connection:
            connection.recv(len(b"accepted"), socket.MSG_WAITALL)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT_ON_CLOSE)


role, host, port, count = sys.argv[1:]
{"accept": accept, "abort": abort}[role]((host, int(port)), int(count))
