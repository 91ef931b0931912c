"""The peer: the packaged Netdata with its own alert for resets received, beside the daemon.

Its alert takes AttemptFails for resets received, so that these are refused connections. From
nothing, both have the same limit: 50 a second over 10 s.
"""

import http.client
import json
import time

from lab import netns
from lab.ports import free_tcp_port
from lab.process import Process
from lab.resets import ResetGenerator
from lab.station import Station
from lab.wait import wait_until
from report import number
from usage import spread

ALERT = "10s_ipv4_tcp_resets_received"
RATE = 100            # resets a second
CROSSING = 501        # the reset with which the 10 s average is over 50
ROUNDS = 3
QUIET_SECONDS = 80    # its limit follows the minute before, at 10 s: this is longer
WAKES_AFTER = 60      # s: its alert looks at nothing before
RAISED = "tcpResetAlarmRaised"
POLL_SECONDS = 0.05

CONFIGURATION = """
[global]
    run as user = root
[db]
    mode = ram
    update every = 1
[directories]
    config = {directory}
    cache = {directory}
    lib = {directory}
    log = {directory}
[logs]
    debug = none
    error = {directory}/error.log
    access = none
[web]
    bind to = 127.0.0.1:{port}
[ml]
    enabled = no
[plugins]
    timex = no
    idlejitter = no
    tc = no
    cgroups = no
    diskspace = no
    slabinfo = no
    statsd = no
    apps = no
    enable running new plugins = no
"""


class Netdata:
    """In a network namespace of the lab. It tells nobody outside of what it does."""

    def __init__(self, directory, namespace):
        directory.mkdir()
        self._namespace = namespace
        self._port = free_tcp_port()
        self._configuration = directory / "netdata.conf"
        self._configuration.write_text(CONFIGURATION.format(directory=directory, port=self._port))
        (directory / ".opt-out-from-anonymous-statistics").touch()
        self.process = None

    def __enter__(self):
        self.process = Process("netdata", ["netdata", "-D", "-c", self._configuration],
                               netns=self._namespace)
        self.began = time.monotonic()
        wait_until(self._there, 30, lambda: f"Netdata's alert:\n{self.process.log[-2000:]}")
        return self

    def __exit__(self, *_):
        self.process.stop()

    def alert(self):
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with self._namespace.inside():
            connection.connect()
        connection.request("GET", "/api/v1/alarms?all")
        alarms = json.loads(connection.getresponse().read())["alarms"]
        connection.close()
        [found] = [each for each in alarms.values() if each["name"] == ALERT]
        return found

    def _there(self):
        try:
            return self.alert()
        except (OSError, ValueError, KeyError):
            return None


def measure_netdata(report, directory):
    with netns.pair() as (here, there), Station(directory, netns=here.namespace, source="bpf",
                                                notify_by=["sink-v2c"]) as station, \
            Netdata(directory / "netdata", here.namespace) as netdata:
        station.start()
        time.sleep(max(0, netdata.began + WAKES_AFTER + 10 - time.monotonic()))
        rounds = [play(station, netdata, here, there, count) for count in range(1, ROUNDS + 1)]
    labels = ["rstwatchd's notification", "Netdata's state", "Netdata's notification, due"]
    report.table("netdata", f"{RATE} refused connections a second from nothing: seconds from the "
                 f"crossing of 50 a second over 10 s; {ROUNDS} rounds",
                 {"median": "s", "longest": "s"},
                 [(label, number(spread(each).median, 2), number(spread(each).maximum, 2))
                  for label, each in zip(labels, zip(*rounds))],
                 ["Netdata waits with the notification, and sends none for the end"])


def play(station, netdata, here, there, count):
    """Seconds after the crossing."""
    wait_until(lambda: netdata.alert()["status"] == "CLEAR", 60, "Netdata's alert at rest")
    with ResetGenerator(here, there, rate=RATE) as resets:
        crossing = resets.wait_count(CROSSING, 15)
        notified = station.receiver.wait_for(RAISED, timeout=5, count=count, metric="received")
        changed, alert = wait_for_warning(netdata)
    behind = time.time_ns() - time.monotonic_ns()
    due = alert["delay_up_to_timestamp"] * 10**9 - behind
    time.sleep(QUIET_SECONDS)
    return [(moment - crossing) / 1e9 for moment in (notified[-1].ns, changed, due)]


def wait_for_warning(netdata):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        alert = netdata.alert()
        if alert["status"] == "WARNING":
            return time.monotonic_ns(), alert
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"Netdata's alert: {alert}")
