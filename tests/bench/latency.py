"""From the true crossing to the notification at snmptrapd, beside snmpd's own DISMAN monitor.

Bursts of resets, received and sent, at phases that drift through any period. The 10 s average
crosses its limit with a reset of each third burst and goes below it 10 s after one (soak.reference
reckons both from when the generator had its resets). DISMAN's monitor looks once a second, its
shortest, at how far snmpd's tcpAttemptFails and tcpOutRsts have grown: its true crossing is the
reset of a burst that makes it more than half.
"""

import re
from contextlib import ExitStack
from math import ceil
from statistics import median

from lab import netns, sinks
from lab.daemon import Daemon
from lab.resets import ResetGenerator
from lab.snmpd import Snmpd
from lab.snmptrapd import Snmptrapd
from lab.wait import let_pass
from pictures import draw_timeline
from report import number
from soak import reference
from soak.reference import NS

BURST, RATE = 100, 4000
PERIOD_S = 4.137  # no multiple of a sample or of a second
BURSTS = 53
LIMITS = reference.Limits(250, 250)
GIVEN_UP_S = 4  # later, a trap may be of the next burst
PEER_COUNTERS = {"received": "1.3.6.1.2.1.6.7.0", "sent": "1.3.6.1.2.1.6.15.0"}

DISMAN = """rouser internal noauth
createUser internal
iquerySecName internal
""" + "".join(f"monitor -I -D -r 1 {metric} .{oid} > {BURST // 2}\n"
              for metric, oid in PEER_COUNTERS.items())


def measure_latency(report, directory):
    with netns.pair() as (here, there), ExitStack() as stack:
        ours, peers = (Snmptrapd(directory / name, netns=here.namespace)
                       for name in ("receiver", "peer-receiver"))
        with_us = Snmpd(directory / "snmpd", notify=[(ours, [sinks.V2C])], netns=here.namespace)
        alone = Snmpd(directory / "peer", notify=[(peers, [sinks.V2C])], extra=DISMAN,
                      netns=here.namespace)
        for receiver, snmpd in ((ours, with_us), (peers, alone)):
            stack.callback(receiver.stop)
            receiver.start(snmpd.engine_id)
            stack.enter_context(snmpd)
        daemon = stack.enter_context(Daemon(directory / "daemon", with_us, netns=here.namespace,
                                            source="bpf",
                                            configuration=reference.configuration(LIMITS)))
        daemon.wait_for_samples(2)
        wave = {"rate": RATE, "count": BURST * BURSTS, "wave": (BURST, PERIOD_S)}
        generators = {metric: stack.enter_context(ResetGenerator(*ends, **wave))
                      for metric, ends in (("received", (here, there)), ("sent", (there, here)))}
        times = {metric: each.finish(BURSTS * PERIOD_S + 60) for metric, each in generators.items()}
        let_pass(2 * PERIOD_S)
        growth = [(ns, 1) for ns in times["received"]]
        draw_timeline(times["received"], [ns for ns, _ in crossings("received", times["received"])],
                      [ns for ns, _ in arrivals(ours, "received")],
                      [ns for ns, _ in fired(peers, "received")], LIMITS, reference.levels(growth))
        rows = [row(f"rstwatchd, {metric}", crossings(metric, times[metric]),
                    arrivals(ours, metric)) for metric in times]
        rows += [row(f"snmpd's DISMAN monitor, {metric}", bursts(times[metric]),
                     fired(peers, metric)) for metric in times]
    report.table("latency", f"From the true crossing to the notification at snmptrapd, {BURSTS} "
                 f"bursts each way, {PERIOD_S} s apart",
                 {"crossings": "", "notified": "", "median": "ms", "p99": "ms", "longest": "ms"}, rows)


def crossings(metric, times):
    return [(each.ns, each.kind) for each in reference.crossings(
        metric, [(ns, 1) for ns in times], LIMITS)]


def arrivals(receiver, metric):
    kinds = {"tcpResetAlarmRaised": "raised", "tcpResetAlarmCleared": "cleared"}
    return [(each.ns, kinds[each.name]) for each in receiver.received(*kinds, metric=metric)]


def bursts(times):
    return [(times[n + BURST // 2], "fired") for n in range(0, len(times), BURST)]


def fired(receiver, metric):
    return [(line.ns, "fired") for line in list(receiver.process.lines)
            if re.search(rf'88\.2\.1\.1\.0 = "?{metric}', line.text)
            or re.search(rf'mteHotTrigger\.0 = "?{metric}', line.text)]


def row(label, wanted, came):
    late = []
    for ns, kind in wanted:
        times = [at - ns for at, each in came if each == kind and -NS < at - ns < GIVEN_UP_S * NS]
        if times:
            late.append(min(times) / 1e6)
    late.sort()
    return (label, number(len(wanted)), number(len(late)), number(median(late), 1),
            number(late[ceil(0.99 * len(late)) - 1], 1), number(late[-1], 1)) if late else \
        (label, number(len(wanted)), number(0), "-", "-", "-")
