"""Program: segment_sender.py MODE ADDRESS COUNT PACKET...

Sends the packets, which are hex, one after the other, COUNT times. MODE:
link      as they are, from the interface veth0 to the MAC address ADDRESS
ipv4      TCP segments, by a raw socket; also ipv6
header4   IPv4 packets, by a raw socket; header6: IPv6 packets
"""

import socket
import sys

INTERFACE = "veth0"
IPV6_HDRINCL = 36
ETHERTYPES = {4: 0x0800, 6: 0x86dd}


def link(address):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    mac = bytes.fromhex(address.replace(":", ""))
    return lambda packet: opened.sendto(
        packet, (INTERFACE, ETHERTYPES[packet[0] >> 4], 0, 0, mac))


def raw(family, option=None):
    def open_it(address):
        opened = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_TCP)
        if option:
            opened.setsockopt(*option, 1)
        return lambda packet: opened.sendto(packet, (address, 0))
    return open_it


MODES = {
    "link": link,
    "ipv4": raw(socket.AF_INET),
    "ipv6": raw(socket.AF_INET6),
    "header4": raw(socket.AF_INET, (socket.IPPROTO_IP, socket.IP_HDRINCL)),
    "header6": raw(socket.AF_INET6, (socket.IPPROTO_IPV6, IPV6_HDRINCL)),
}

mode, where, count, *packets = sys.argv[1:]
packets = [bytes.fromhex(packet) for packet in packets]
put = MODES[mode](where)
for _ in range(int(count)):
    for each in packets:
        put(each)
