"""Program: reset_generator.py ADDRESS PORT RATE COUNT [BURST PERIOD]

Connects to a closed port RATE times a second (0: as fast as possible), COUNT
times (0: without end), and prints CLOCK_MONOTONIC in ns after each reset. The
pace is absolute: connection n is begun n / RATE after the first one. With BURST
and PERIOD there are as many in a burst, and a burst every so many seconds: a
square wave. Anything but a refusal ends it with status 1.
"""

import itertools
import socket
import sys
import time


def reset(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as connection:
        connection.settimeout(5)
        try:
            connection.connect(address)
        except ConnectionRefusedError:
            return time.monotonic_ns()
    sys.exit(f"{address} is not closed")


def wait_for(instant):
    if (rest := instant - time.monotonic()) > 0:
        time.sleep(rest)


def main(host, port, rate, count, burst=None, period=0):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    start = time.monotonic()
    for number in range(int(count)) if int(count) else itertools.count():
        if float(rate):
            bursts, rest = divmod(number, int(burst)) if burst else (0, number)
            wait_for(start + bursts * float(period) + rest / float(rate))
        print(reset(family, (host, int(port))), flush=True)


main(*sys.argv[1:])
