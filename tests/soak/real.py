"""Under a square wave of real resets: snmpd restarted, the agent killed with kill -9.

Bursts of 2 s every 4 s, received and sent: four crossings in each 4 s at each
station. nft counters hold the generators' word on how many resets there were.
"""

import random
import time
from contextlib import ExitStack

from lab import netns
from lab.observer import observing
from lab.resets import ResetGenerator
from lab.wait import let_pass, wait_until

from soak import reference
from soak.reference import NS, PERIOD_S
from soak.site import CONNECTED, Setter, Site, wait_for_instant
from soak.tally import Row, judge, side_by_side, total

RATE, BURST = 20, 40  # resets a second, resets of a burst
LIMITS = reference.Limits(105, 95)  # the window holds 80 to 120
FIRST_CROSSING_S = 10
OUTAGE_MAX_S = 2
BACKOFF_S, BACKOFF_MAX_S = 0.1, 5


class Load:
    """The two generators; `here` receives the resets of one and sends those of the other."""

    def __init__(self, stack, here, there, seconds):
        wave = {"rate": RATE, "count": BURST * (int(seconds) // PERIOD_S + 1),
                "wave": (BURST, PERIOD_S)}
        self._seconds = seconds
        self.generators = {
            metric: stack.enter_context(ResetGenerator(*ends, **wave))
            for metric, ends in (("received", (here, there)), ("sent", (there, here)))}
        self.generators["sent"].wait_count(1, 10)

    def growth(self):
        return {metric: [(ns, 1) for ns in generator.times]
                for metric, generator in self.generators.items()}

    def finish(self):
        for generator in self.generators.values():
            generator.finish(self._seconds + 30)

    def crossings(self):
        return sorted(crossing for metric, growth in self.growth().items()
                      for crossing in reference.crossings(metric, growth, LIMITS))


def under_load(directory, sources, seconds, life):
    """Plays life(site, load) at a station for each source; their Row."""
    with netns.pair() as (here, there), observing(here.namespace) as observer, \
            ExitStack() as stack:
        sites = [stack.enter_context(Site(directory / f"{source}-{n}", netns=here.namespace,
                                          source=source, limits=LIMITS))
                 for n, source in enumerate(sources)]
        for site in sites:
            site.start()
        load = Load(stack, here, there, seconds)

        def whole_life(site):
            faults = life(site, load)
            load.finish()
            crossings = load.crossings()
            wait_for_instant(crossings[-1].ns)
            site.drain(len(crossings))
            counts = site.manager.values("tcpResetReceived.0", "tcpResetSent.0")
            made = [len(growth) for growth in load.growth().values()]
            if counts != made:
                faults.append(f"counted {counts}, made {made}")
            faults += site.averages_wrong(load.growth())
            return judge(site, crossings, faults=faults)

        row = total(side_by_side(whole_life, sites))
        seen = observer.count("IPv4")
        made = {metric: len(growth) for metric, growth in load.growth().items()}
        if (seen.received, seen.sent) != (made["received"], made["sent"]):
            row.faults.append(f"nft has seen {seen}, made {made}")
        return row


def snmpd_restarts(directory, seed, *, pairs=200, restarts=20,
                   sources=("bpf", "nftables")) -> Row:
    """200 raises and their clears; at each station snmpd is restarted (half of the time by
    kill -9) at 20 random moments."""
    seconds = FIRST_CROSSING_S + pairs / len(sources) / 2 * PERIOD_S

    def life(site, _):
        chance = random.Random(f"{seed} {site.directory.name}")
        begun = time.monotonic()
        for moment in sorted(chance.uniform(2, seconds) for _ in range(restarts)):
            let_pass(max(0, begun + moment - time.monotonic()))
            killed = chance.random() < 0.5
            before = site.connections()
            with site.outage(may_double=killed):
                (site.snmpd.kill if killed else site.snmpd.stop)()
                let_pass(chance.uniform(0, OUTAGE_MAX_S))
                site.snmpd.start()
            site.wait_connected(before)
        return []

    return under_load(directory, sources, seconds, life)


def agent_kills(directory, seed, *, kills=200, stations=8, apart_s=2) -> Row:
    """200 x kill -9 of the agent at random moments, one SET a second.

    It starts again after up to 5 s, the longer the more often it died: that is the outage.
    """
    per_station = -(-kills // stations)
    away_s = sum(min(BACKOFF_S * 2**n, BACKOFF_MAX_S) + 1 for n in range(per_station))
    seconds = 12 + away_s + per_station * apart_s / 2

    def life(site, load):
        chance = random.Random(f"{seed} {site.directory.name}")
        faults = []
        wait_for_instant(load.generators["sent"].times[0] + 6 * NS)
        with Setter(site) as setter:
            for _ in range(per_station):
                let_pass(chance.uniform(0, apart_s))
                faults += kill_agent(site)
                site.read_averages(load.generators)
            wait_until(lambda: setter.answered, 5, "a SET")
        return faults + setter.faults()

    return under_load(directory, stations * ["procfs"], seconds, life)


def kill_agent(site):
    before = site.connections()
    with site.outage(may_double=True):
        killed_ns = time.monotonic_ns()
        site.daemon.kill_agent()
        site.wait_connected(before, BACKOFF_MAX_S + 3)
    # What the daemon says itself may end an outage, but not stretch it.
    took_ns = site.daemon.process.matching(CONNECTED)[before].ns - killed_ns
    return [f"the agent was away for {took_ns / NS:.1f} s"] if took_ns > (BACKOFF_MAX_S + 1) * NS \
        else []
