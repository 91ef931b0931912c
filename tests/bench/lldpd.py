"""The peer: the packaged lldpd, a subagent on the same library, in a private snmpd."""

from lab.process import Process, children_of
from lab.wait import wait_until

MESSAGE_TX_INTERVAL = "1.0.8802.1.1.2.1.1.1.0"  # lldpMessageTxInterval
FIRST_GROUP = "1.0.8802.1.1.2.1.1"  # lldpConfiguration

# It keeps its things in /run/lldpd: here that is a file system of its own, which ends with it.
_START = ("mount -t tmpfs tmpfs /run && mkdir /run/lldpd && "
          "exec lldpd -d -x -X {agentx} -u /run/lldpd.socket -L /bin/true -O /dev/null")


class Lldpd:
    """In a network namespace of the lab, whose one interface it serves."""

    def __init__(self, snmpd, namespace):
        self._snmpd = snmpd
        self._namespace = namespace
        self.process = None

    def __enter__(self):
        command = _START.format(agentx=self._snmpd.agentx.removeprefix("unix:"))
        self.process = Process("lldpd", ["unshare", "--mount", "--", "sh", "-c", command],
                               netns=self._namespace)
        wait_until(self._answers_or_ended, 10, lambda: f"an answer of lldpd:\n{self.process.log}")
        return self

    def __exit__(self, *_):
        self.process.stop()

    @property
    def pids(self):
        """The monitor, and the unprivileged process that speaks LLDP and AgentX."""
        return [self.process.pid, *children_of(self.process.pid)]

    def _answers_or_ended(self):
        if not self.process.running:
            raise RuntimeError(f"lldpd ended:\n{self.process.log}")
        return isinstance(self._snmpd.v2c.get(MESSAGE_TX_INTERVAL), int)
