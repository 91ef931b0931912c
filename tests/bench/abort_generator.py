"""Program: abort_generator.py serve ADDRESS PORT | call ADDRESS PORT RATE COUNT

serve: takes connections and resets each at once. call: connects so often and so many times, and
waits for each reset.
"""

import socket
import struct
import sys
import time

RESET_AT_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, no time


def serve(address, port):
    with socket.create_server((address, int(port)), backlog=1000) as server:
        print("ready", flush=True)
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            connection.close()


def call(address, port, rate, count):
    begun = time.monotonic()
    for number in range(int(count)):
        time.sleep(max(0, begun + number / float(rate) - time.monotonic()))
        with socket.create_connection((address, int(port)), timeout=5) as connection:
            try:
                connection.recv(1)
            except ConnectionResetError:
                pass


{"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
