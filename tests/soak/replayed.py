"""Over replays: the daemon killed, snmpd paused, datagrams dropped, the clock put elsewhere.

Waves of all three alarms, shifted: six crossings in each 4 s at each station.
"""

import os
import random
import signal
import struct
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from lab import firewall, netns
from lab.wait import let_pass, wait_until

from soak import reference
from soak.reference import NS, PERIOD_S, SAMPLE_NS
from soak.site import Setter, Site, wait_for_instant
from soak.tally import LATE_NS, Row, judge, side_by_side, total

FIRST_CROSSING_S = 8
RIGHT_AFTER_MS = 300  # the age of the newest sample at most, when snmpd answers again
END_S = 1
INFORM_RETRIES_NS = 5 * NS  # snmpd sends an inform again each second, five times
HOUR_S = 3600


def at_each(directory, names, life, growth, **options):
    """life(site) gives faults, at a station of each name; their Row."""
    with ExitStack() as stack:
        sites = [stack.enter_context(Site(directory / str(name), growth=growth, **options))
                 for name in names]

        def whole_life(site):
            with site:
                return finish(site, life(site) or [])

        return total(side_by_side(whole_life, sites))


def finish(site, faults=(), **limits):
    """Waits for the end of the replay and judges."""
    crossings = site.crossings([])
    wait_for_instant(crossings[-1].ns + 2 * SAMPLE_NS)
    site.drain(len(crossings))
    return judge(site, faults=faults, **limits)


# The daemon itself


def daemon_kills(directory, seed, *, kills=50, stations=5, life_s=18) -> Row:
    """50 x kill -9 of every process at random moments, started again at once; one SET a second.

    Each run plays the replay anew, and raises at once what is not raised. A raise lasts over the
    runs until 10 s are seen.
    """
    growth = reference.wave(life_s, ("received", "sent"))
    for steps in growth.values():
        steps.append((steps[0][0], 2 * reference.BURST))

    def life(site):
        chance = random.Random(f"{seed} {site.directory.name}")
        site.start()
        with Setter(site) as setter:
            for _ in range(-(-kills // stations)):
                let_pass(chance.uniform(0.1, life_s))
                with site.outage(may_double=True):
                    site.kill_daemon()
                site.start_daemon()
            wait_until(lambda: setter.answered, 5, "a SET")
        return setter.faults()

    return at_each(directory, range(stations), life, growth)


# snmpd paused


def pauses(directory, seed, *, seconds=(1, 5, 12, 60)) -> Row:
    """snmpd paused for so long with crossings meanwhile, and what else may happen then."""
    extra = {"term": term_in_pause, "begun": begun_in_pause, "killed": killed_in_pause}

    def pause(site):
        name = site.directory.name
        return extra[name](site) if name in extra else one_pause(site, int(name))

    def scene(name):
        length = 4 if name in extra else name
        growth = reference.wave(FIRST_CROSSING_S + length + 6)
        # A peak that is over before a long pause is.
        growth["received"].append(((FIRST_CROSSING_S + 1) * 1000 + 500, reference.BURST))
        return growth

    def whole_life(name):
        with Site(directory / str(name), growth=scene(name)) as site:
            return finish(site, pause(site) or [])

    return total(side_by_side(whole_life, [*seconds, *extra]))


def one_pause(site, seconds):
    site.start()
    site.until(FIRST_CROSSING_S + 0.8)
    with site.outage():
        site.snmpd.pause()
        let_pass(seconds)
        site.snmpd.resume()
    age, peak = site.manager.values("tcpResetSampleAge.0", "tcpResetReceivedPeak10s.0")
    growth = growth_now(site)
    highest = 10 * max(level for ns, level in reference.levels(growth["received"])
                       if ns < time.monotonic_ns() - SAMPLE_NS)
    site.read_averages()
    faults = site.averages_wrong(growth)
    if age > RIGHT_AFTER_MS:
        faults.append(f"the newest sample was {age} ms old after the pause")
    if peak != highest:
        faults.append(f"the peak is {peak}, reference {highest}")
    return faults


def growth_now(site):
    return {metric: reference.at(site.runs[-1].begun_ns, steps)
            for metric, steps in site.growth.items()}


def term_in_pause(site):
    site.start()
    site.until(FIRST_CROSSING_S + 0.8)
    with site.outage(may_double=True):  # what is in snmpd's socket is not acknowledged
        site.snmpd.pause()
        site.until(FIRST_CROSSING_S + 2)
        begun = time.monotonic()
        site.daemon.process.send(signal.SIGTERM)
        site.daemon.process.wait_end()
        seconds = time.monotonic() - begun
        site.runs[-1].ended_ns = time.monotonic_ns()
        site.snmpd.resume()
    site.start_daemon()
    return [f"SIGTERM took {seconds:.2f} s"] if seconds > END_S else []


def begun_in_pause(site):
    site.start_snmpd()
    with site.outage():
        site.snmpd.pause()
        site.start_daemon()
        site.until(FIRST_CROSSING_S + 3)
        site.snmpd.resume()
    site.wait_connected(0)


def killed_in_pause(site):
    site.start()
    site.until(FIRST_CROSSING_S + 0.8)
    with site.outage():  # it has read nothing since, so it has passed nothing on
        site.snmpd.pause()
        site.until(FIRST_CROSSING_S + 3)
        site.snmpd.kill()
        site.snmpd.start()


# A receiver that loses datagrams


def lossy_receiver(directory, seed, *, crossings=40) -> Row:
    """The host of the receiver of informs drops every second datagram for it."""
    with netns.pair() as (here, there):
        site = Site(directory / "lossy", network=(here, there), growth=reference.wave(
            FIRST_CROSSING_S + crossings / 6 * PERIOD_S))
        with site:
            site.start()
            port = site.informed.target.rpartition(":")[2]
            dropping = ("chain in { type filter hook input priority 0; "
                        f"udp dport {port} numgen inc mod 2 0 drop; }}")
            with firewall.rules(there.namespace, dropping):
                return finish(site, late_ns=(LATE_NS, INFORM_RETRIES_NS))


# Clocks


def clock_steps(directory, seed, *, rounds=2) -> Row:
    """The date set an hour forward and back, and a counter that goes backwards."""
    offset = directory / "offset"
    offset.write_bytes(struct.pack("q", 0))
    env = {**with_shim(directory, "clock_shim"), "CLOCK_OFFSET_FILE": str(offset)}
    end_s = FIRST_CROSSING_S + 8 * rounds + 2
    growth = reference.wave(end_s)
    # Half a second from any burst: a sample that comes late would see both as one step.
    for moment_ms in range(9500, end_s * 1000, 5000):
        growth["sent"].append((moment_ms, -reference.BURST * 3))

    def step(site, seconds):
        site.read_averages()
        with offset.open("r+b") as file:  # in place: it is mapped
            file.write(struct.pack("q", seconds))
        site.clock_steps.append((time.monotonic_ns(), seconds))
        site.daemon.wait_for_samples(1)
        site.read_averages()

    def life(site):
        site.start()
        for turn in range(rounds):
            for n, seconds in enumerate((HOUR_S, 0, -HOUR_S, 0)):
                site.until(FIRST_CROSSING_S + 0.5 + 8 * turn + 2 * n)
                step(site, seconds)
            before = site.connections()
            with site.outage(may_double=True):
                site.daemon.kill_agent()
                site.wait_connected(before)
        return site.averages_wrong(growth_now(site))

    return at_each(directory, ["clock"], life, growth, env=env)


def with_shim(directory, name):
    """The environment of a daemon that loads it first. A sanitizer wants that, too, and is told not
    to mind."""
    shim = directory / f"{name}.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", shim,
                    Path(__file__).with_name(f"{name}.c")], check=True, timeout=60)
    return {**os.environ, "LD_PRELOAD": str(shim), "ASAN_OPTIONS": "verify_asan_link_order=0"}
