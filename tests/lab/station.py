"""A monitored host in small: the daemon, its snmpd, and a receiver of notifications."""

from lab import sinks
from lab.daemon import Daemon
from lab.snmpd import Snmpd
from lab.snmptrapd import Snmptrapd


class Station:
    """Nothing runs before start(); its parts can also be started one by one.

    `directory` must exist; everything the station writes is in it. What is said of
    the daemon (netns, source, configuration, user) goes to lab.daemon.
    """

    def __init__(self, directory, *, agentx=None, port=None, notify_by=sinks.ALL, **daemon):
        self.receiver = Snmptrapd(directory / "receiver")
        self.snmpd = Snmpd(directory / "snmpd", agentx=agentx, port=port,
                           notify=[(self.receiver, notify_by)])
        self.daemon = Daemon(directory / "daemon", self.snmpd, **daemon)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self.start_receiver()
        self.snmpd.start()
        self.daemon.start()
        return self

    def stop(self):
        for part in (self.daemon, self.snmpd, self.receiver):
            part.stop()

    def start_receiver(self):
        self.receiver.start(self.snmpd.engine_id)

    @property
    def manager(self):
        """A manager that may read, v2c."""
        return self.snmpd.v2c

    @property
    def operator(self):
        """A manager that may write as well, v2c."""
        return self.snmpd.write
