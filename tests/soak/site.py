"""A monitored host with two receivers (v2c trap, v3 inform), its outages written down."""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import NamedTuple

from lab import sinks
from lab.daemon import Daemon
from lab.process import started_ns
from lab.snmp import Missing, NoAnswer, Refused
from lab.snmpd import Snmpd
from lab.snmptrapd import Snmptrapd
from lab.wait import let_pass, wait_until

from soak import reference
from soak.reference import NS

METRICS = {1: "received", 2: "sent", 3: "synCookies"}
KINDS = {1: "raised", 2: "cleared", 3: "synCookieStateChanged", 4: "methodChanged"}
STORAGE_GOOD, STORAGE_FAILING, STORAGE_REPLACED = 1, 2, 3
CONNECTED = "connected to the AgentX master"
FIRST_LINE = "a sample every"  # said right before the first sample


# Their notifications, as the receivers name them.
NOTIFICATIONS = ("tcpResetAlarmRaised", "tcpResetAlarmCleared", "tcpResetSynCookieStateChanged",
                 "tcpResetMethodChanged")
DRAIN_S = 15


class Event(NamedTuple):
    """A row of the event table."""
    number: int
    ns: int  # CLOCK_MONOTONIC
    metric: str
    kind: str


@dataclass
class Outage:
    begun_ns: int
    ended_ns: int = 2**63
    may_double: bool = False  # it can fall between a notification and its acknowledgement


@dataclass
class Run:
    """From one start of the daemon to its end."""
    begun_ns: int
    ended_ns: int = 2**63


class Reading(NamedTuple):
    """Averages of a sample that was taken between these times."""
    begun_ns: int
    ended_ns: int
    averages: dict  # by metric


class Site:
    def __init__(self, directory, *, growth=None, limits=reference.REPLAY_LIMITS, source=None,
                 netns=None, network=None, env=None, user=None):
        """growth: of a replay, as reference.wave() gives it.

        network: (end of snmpd, end of the receivers) of a pair; else all is on the loopback.
        """
        directory.mkdir()
        self.directory, self.growth, self.limits = directory, growth, limits
        ends = {"netns": network[1].namespace, "address": network[1].ipv4} if network else {}
        self.trapped = Snmptrapd(directory / "trapped", **ends)
        self.informed = Snmptrapd(directory / "informed", **ends)
        self.snmpd = Snmpd(directory / "snmpd", netns=network and network[0].namespace,
                           notify=[(self.trapped, [sinks.V2C]),
                                   (self.informed, [sinks.V3_INFORM])])
        source = source or reference.write_replay(directory / "scene.replay", growth)
        self.daemon = Daemon(directory / "daemon", self.snmpd, netns=netns, source=source, env=env,
                             user=user, configuration=reference.configuration(limits))
        self.outages, self.runs, self.readings = [], [], []
        # (CLOCK_MONOTONIC ns, seconds by which the daemon's clock is elsewhere from then on)
        self.clock_steps = [(time.monotonic_ns(), 0)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in (self.daemon, self.snmpd, *self.receivers):
            part.stop()

    @property
    def receivers(self):
        return self.trapped, self.informed

    @property
    def manager(self):
        return self.snmpd.v2c

    def start(self):
        self.start_snmpd()
        self.start_daemon()
        self.wait_connected(0)
        return self

    def start_snmpd(self):
        for receiver in self.receivers:
            receiver.start(self.snmpd.engine_id)
        self.snmpd.start()

    # The daemon's runs

    def start_daemon(self):
        """The replay begins right before the agent is forked. (When this process gets to read
        what the daemon says is another matter: there are many of them.)"""
        self.daemon.start_unready()
        self.daemon.process.wait_for_line(FIRST_LINE)
        agent = wait_until(lambda: self.daemon.agent_pid, 5, "the agent process")
        self.runs.append(Run(started_ns(agent)))

    def kill_daemon(self):
        self.daemon.kill_every_process()
        self.runs[-1].ended_ns = time.monotonic_ns()

    def stop_daemon(self):
        self.daemon.stop()
        self.runs[-1].ended_ns = time.monotonic_ns()

    def wait_connected(self, before, timeout=8):
        """Until it has connected more often than `before` times since it started."""
        self.daemon.process.wait_for_line(CONNECTED, timeout, before + 1)

    def wait_for_agent(self):
        wait_until(self.daemon.answers, 8, lambda: f"an answer:\n{self.daemon.process.log}")

    def connections(self):
        return len(self.daemon.process.matching(CONNECTED))

    # Outages

    @contextmanager
    def outage(self, *, may_double=False):
        """While its body lasts nothing can arrive."""
        outage = Outage(time.monotonic_ns(), may_double=may_double)
        self.outages.append(outage)
        yield
        outage.ended_ns = time.monotonic_ns()

    def until(self, seconds):
        """Waits until the newest run of the daemon is so old."""
        wait_for_instant(self.runs[-1].begun_ns + int(seconds * NS))

    # What there is to see

    def crossings(self, events):
        """The reference, for a replay, run by run.

        What crosses right before the end of a run has happened if the log has it.
        """
        found = []
        for metric, steps in self.growth.items():
            raised = False
            for run in self.runs:
                for crossing in reference.crossings(
                        metric, reference.at(run.begun_ns, steps), self.limits, raised=raised,
                        since_ns=run.begun_ns, happened=lambda each: happened(each, run, events)):
                    found.append(crossing)
                    raised = crossing.kind == "raised"
        return sorted(found)

    def events(self):
        """The event table, as a manager walks it."""
        kinds, metrics, times = ({int(each.oid.split(".")[-1]): each.value
                                  for each in self.manager.walk(column)}
                                 for column in ("tcpResetEventKind", "tcpResetEventMetric",
                                                "tcpResetEventTime"))
        return [Event(number, self.monotonic(times[number]), METRICS[metrics[number]],
                      KINDS[kinds[number]]) for number in sorted(kinds)]

    def monotonic(self, date_and_time):
        """CLOCK_MONOTONIC when the daemon's clock showed this; -1 when it never did."""
        wall_ns = epoch_ns(date_and_time) - (time.time_ns() - time.monotonic_ns())
        ends = [ns for ns, _ in self.clock_steps[1:]] + [time.monotonic_ns()]
        for (begun_ns, offset_s), ended_ns in zip(self.clock_steps, ends):
            ns = wall_ns - offset_s * NS
            if begun_ns - 2 * reference.SAMPLE_NS < ns < ended_ns:
                return ns
        return -1

    def drain(self, count):
        """Waits until so many events have happened and been notified, or a while has passed."""
        def drained():
            return all(len(numbers(receiver)) >= count for receiver in self.receivers) and \
                len(self.manager.walk("tcpResetEventKind")) >= count

        try:
            wait_until(drained, DRAIN_S, "all events, notified")
        except (TimeoutError, NoAnswer):
            pass  # the tally says what is missing
        let_pass(1)  # a second copy, or an inform sent again, would come now

    def value(self, name):
        return self.manager.get(name)

    def wait_for_storage(self, state, timeout=8):
        self.daemon.wait_for_value("tcpResetStorageState.0", state, timeout)

    def read_averages(self, metrics=tuple(METRICS.values())):
        """Judged by averages_wrong(), when it is known what had grown by then."""
        names = [f"tcpReset{metric[0].upper()}{metric[1:]}Avg10s.0" for metric in metrics]
        begun_ns = time.monotonic_ns()
        age_ms, *values = self.manager.values("tcpResetSampleAge.0", *names)
        self.readings.append(Reading(begun_ns - (age_ms + 1) * 1_000_000,
                                     time.monotonic_ns() - age_ms * 1_000_000,
                                     dict(zip(metrics, values))))

    def averages_wrong(self, growth):
        """Faults: averages that no sample of their moment can have."""
        return [f"the average of {metric} was {value}, reference {10 * low} to {10 * high}"
                for reading in self.readings for metric, value in reading.averages.items()
                for low, high in [reference.level_between(growth[metric], reading.begun_ns,
                                                          reading.ended_ns)]
                if isinstance(value, Missing) or not 10 * low <= value <= 10 * high]


def numbers(receiver):
    """Numbers of the events that it was told of."""
    return {int(each.values["tcpResetEventNumber"]) for each in receiver.received(*NOTIFICATIONS)}


def happened(crossing, run, events):
    if crossing.ns >= run.ended_ns:
        return False
    return crossing.ns < run.ended_ns - 3 * reference.SAMPLE_NS or \
        any(is_of(event, crossing) for event in events)


def is_of(event, crossing):
    """The table tells tenths of a second, cut; a sample comes up to 0.1 s after a crossing."""
    return (event.metric, event.kind) == (crossing.metric, crossing.kind) and \
        -2 * reference.SAMPLE_NS < event.ns - crossing.ns < 4 * reference.SAMPLE_NS


def epoch_ns(octets):
    """Of a DateAndTime."""
    year, (month, day, hour, minute, second, tenths) = int.from_bytes(octets[:2]), octets[2:8]
    offset_s = (octets[9] * 60 + octets[10]) * 60 * (-1 if octets[8:9] == b"-" else 1)
    moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    return (int(moment.timestamp()) - offset_s) * NS + tenths * NS // 10


def wait_for_instant(ns):
    let_pass(max(0, ns - time.monotonic_ns()) / NS)


class Setter(threading.Thread):
    """One SET a second; what may hold at the end is the last one answered, or one after it."""

    OBJECT = "tcpResetAlarmRisingThreshold.synCookies"

    def __init__(self, site):
        super().__init__(daemon=True)
        self._site, self._end = site, threading.Event()
        self.possible, self.answered = [], 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join()

    def run(self):
        value = 1_000_000
        while not self._end.wait(1):
            value += 1
            try:
                self._site.snmpd.write.set((self.OBJECT, "u", value))
                self.possible, self.answered = [value], self.answered + 1
            except (NoAnswer, Refused):
                self.possible.append(value)

    def faults(self):
        self._site.wait_for_agent()
        value = self._site.value(self.OBJECT)
        if self.answered and value not in self.possible:
            return [f"{self.OBJECT} is {value}; set last: {self.possible}"]
        return [] if self.answered else ["no SET was answered"]
