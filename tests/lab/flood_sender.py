"""Program: flood_sender.py MAC COUNT EVERY SEED PACKET

Sends an IPv4 packet, which is hex, COUNT times from the interface veth0: each EVERY-th
time as it is, else from an address of 16.0.0.0/4 at random. The checksum of TCP is wrong
then; that of the IP header stays right, by another identification.
"""

import random
import socket
import struct
import sys

INTERFACE = "veth0"
IPV4 = 0x0800
IDENTIFICATION, SOURCE = 4, 12  # offsets


def main(mac, count, every, seed, packet):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    target = (INTERFACE, IPV4, 0, 0, bytes.fromhex(mac.replace(":", "")))
    heavy = bytes.fromhex(packet)
    other = bytearray(heavy)
    # Sums of a checksum are modulo 65535: this one must stay.
    whole = sum(word for offset in (IDENTIFICATION, SOURCE, SOURCE + 2)
                for word in struct.unpack_from("!H", heavy, offset))
    addresses = random.Random(seed).randbytes(4 * int(count))
    for number, (high, low) in enumerate(struct.iter_unpack("!HH", addresses)):
        if number % int(every) == 0:
            opened.sendto(heavy, target)
            continue
        high = 0x1000 | high & 0x0fff
        struct.pack_into("!H", other, IDENTIFICATION, (whole - high - low) % 65535)
        struct.pack_into("!HH", other, SOURCE, high, low)
        opened.sendto(other, target)


main(*sys.argv[1:])
