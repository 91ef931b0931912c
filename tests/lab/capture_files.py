"""What tools for packets say of them: tcpdump beside the daemon, tshark and capinfos of a file."""

import re
import subprocess
from dataclasses import dataclass
from decimal import Decimal

from lab.process import Process

_FIELDS = ["frame.time_epoch", "frame.interface_name", "ip.src", "ipv6.src", "ip.dst", "ipv6.dst",
           "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.flags.reset", "frame.len",
           "frame.comment"]


@dataclass(frozen=True)
class Packet:
    ns: int  # since 1970
    interface: str
    source: tuple  # address, port
    target: tuple
    sequence: int
    is_reset: bool
    size: int
    comment: str

    @property
    def identity(self):
        """The same wherever it was captured."""
        return self.source, self.target, self.sequence, self.is_reset


class Tcpdump(Process):
    """Captures what passes an interface, from its start on."""

    def __init__(self, path, namespace, interface, expression):
        self.path = path
        super().__init__("tcpdump", [
            "tcpdump", "--immediate-mode", "-Z", "root", "-B", "65536", "-s", "128",
            "--time-stamp-precision=nano", "-i", interface, "-w", path, expression],
            netns=namespace)
        self.wait_for_line("listening on")

    def packets(self):
        """All of them; it ends."""
        self.stop()
        assert "0 packets dropped by kernel" in self.log, self.log
        return packets(self.path)


def packets(path):
    """As tshark reads them."""
    options = [option for field in _FIELDS for option in ("-e", field)]
    lines = _run("tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t", *options)
    return [_packet(*line.split("\t")) for line in lines.splitlines()]


def _packet(time, interface, ipv4_source, ipv6_source, ipv4_target, ipv6_target, port, target_port,
            sequence, reset, size, comment):
    return Packet(int(Decimal(time) * 10**9), interface, (ipv4_source or ipv6_source, int(port)),
                  (ipv4_target or ipv6_target, int(target_port)), int(sequence),
                  reset in ("1", "True"), int(size), comment)


def count_by_capinfos(path):
    return int(re.search(r"Number of packets: *(\d+)", _run("capinfos", "-M", "-c", path))[1])


def comment_by_capinfos(path):
    """Of the whole file."""
    return re.search(r"Capture comment: *(.*)", _run("capinfos", "-k", path), re.DOTALL)[1]


def lines_by_tcpdump(path):
    return _run("tcpdump", "-n", "-r", path).splitlines()


def _run(*command):
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                            timeout=60)
    assert result.returncode == 0, result.stderr
    return result.stdout
