"""The peers and ports of one direction and window, as a daemon answers for them."""

import socket
from dataclasses import dataclass
from typing import NamedTuple

from lab import mib
from lab.rows import DIRECTIONS, LABELS
from lab.snmp import Missing

RANKS = range(1, 11)
_PEER_COLUMNS = ("Address", "Port", "Cause", "Count")
_PORT_COLUMNS = ("Number", "Cause", "Count")
_TOTALS = ("tcpResetPeerTotal", "tcpResetPeerOthers", "tcpResetPortOthers")


class Peer(NamedTuple):
    address: str
    port: int  # local; 0 where none stands out
    cause: str
    count: int


class Port(NamedTuple):
    number: int
    cause: str
    count: int


@dataclass(frozen=True)
class Ranking:
    """One answer of the daemon."""

    peers: list
    ports: list
    total: int
    peer_others: int
    port_others: int

    @classmethod
    def of(cls, manager, direction, seconds):
        where = f"{DIRECTIONS[direction]}.{seconds}"
        names = [*(f"{name}.{where}" for name in _TOTALS),
                 *(f"tcpReset{table}{column}.{where}.{rank}"
                   for table, columns in (("Peer", _PEER_COLUMNS), ("Port", _PORT_COLUMNS))
                   for rank in RANKS for column in columns)]
        values = manager.values(*map(mib.oid, names))
        totals, rows = values[:3], values[3:]
        middle = len(RANKS) * len(_PEER_COLUMNS)
        peers = [Peer(address_text(address), port, label_of(cause), count)
                 for address, port, cause, count in _rows(rows[:middle], len(_PEER_COLUMNS))]
        ports = [Port(number, label_of(cause), count)
                 for number, cause, count in _rows(rows[middle:], len(_PORT_COLUMNS))]
        return cls(peers, ports, *totals)

    def check(self):
        """Heaviest first, and nothing is missing."""
        for rows, others in ((self.peers, self.peer_others), (self.ports, self.port_others)):
            counts = [each.count for each in rows]
            assert counts == sorted(counts, reverse=True)
            assert sum(counts) + others == self.total

    def counts(self):
        """By address."""
        return {each.address: each.count for each in self.peers}


def address_text(octets):
    family = {4: socket.AF_INET, 16: socket.AF_INET6}[len(octets)]
    return socket.inet_ntop(family, octets)


def label_of(cause):
    return LABELS.get(cause, "other")


def _rows(values, columns):
    """Those that are there: the first ranks."""
    rows = [values[start:start + columns] for start in range(0, len(values), columns)]
    there = [row for row in rows if not isinstance(row[0], Missing)]
    assert rows[:len(there)] == there
    return there
