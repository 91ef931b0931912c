"""The state directory full, read-only, gone or somebody else's; the database damaged.

Wanted each time: one clear line in the log, tcpResetStorageState that tells, and
measuring, answering and notifying as if nothing were wrong.
"""

import os
import random
import shutil
import sqlite3
import subprocess
from contextlib import contextmanager

from lab import cleanup
from lab.process import Process
from lab.snmp import Refused

from soak import reference
from soak.replayed import FIRST_CROSSING_S, finish
from soak.site import (NOTIFICATIONS, STORAGE_FAILING, STORAGE_GOOD, STORAGE_REPLACED, Setter,
                       Site)
from soak.tally import Row, side_by_side, total

# A column's name in the schema: found with the first event, when alarms have been written.
FOUND_BY_INSERT = "has no column named"
GOES_ON = "measuring and answering go on"
USABLE = "can be used again"
DATABASE = "rstwatch.db"
NOBODY = 65534
SCENE_S = FIRST_CROSSING_S + 8


@contextmanager
def mounted(directory, *arguments):
    """Gives what unmounts it before the end."""
    done = []

    def unmount():
        if not done:
            done.append(run("umount", "--lazy", directory))

    run("mount", *arguments, directory)
    cleanup.register(("mount", directory), unmount)
    try:
        yield unmount
    finally:
        cleanup.forget(("mount", directory))
        unmount()


def run(*command):
    subprocess.run(list(map(str, command)), check=True, timeout=10)


# The directory


def directories(directory, seed) -> Row:
    """Full from the start, read-only from the start, removed while running, another's."""
    lives = {each.__name__: each for each in (full, read_only, removed)}

    def whole_life(name):
        with Site(directory / name, growth=reference.wave(SCENE_S, ("received", "sent"))) as site:
            return lives[name](site)

    row = total(side_by_side(whole_life, lives))
    row.faults += foreign(directory / "foreign")
    return row


def full(site):
    """A tmpfs of 64 KiB that is full from the start, then larger."""
    state = site.daemon.state
    with mounted(state, "-t", "tmpfs", "-o", "size=64k,mode=0700", "rstw-full"):
        fill(state / "filling")
        site.start()
        faults = failing(site)
        (state / "filling").unlink()
        run("mount", "-o", "remount,size=1m", state)
        return judged_when_good(site, faults)


def fill(path):
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 1024):
                pass
        except OSError:
            pass  # full, as wanted


def read_only(site):
    """A bind mount that cannot be written; what SET had made before holds."""
    state = site.daemon.state
    site.start()
    site.snmpd.write.set((Setter.OBJECT, "u", 12345))
    site.stop_daemon()
    site.runs.clear()  # nothing has happened yet
    with mounted(state, "--bind", state) as unmount:
        run("mount", "-o", "remount,bind,ro", state)
        site.start_daemon()
        site.wait_for_agent()
        faults = failing(site)
        if (value := site.value(Setter.OBJECT)) != 12345:
            faults.append(f"a value that was SET before is {value}")
        unmount()
        return judged_when_good(site, faults)


def removed(site):
    """Gone while running, and there again."""
    site.start()
    site.until(FIRST_CROSSING_S - 1)
    shutil.rmtree(site.daemon.state)
    faults = failing(site)
    site.daemon.state.mkdir(mode=0o700)
    return judged_when_good(site, faults)


def failing(site):
    """Once an event cannot be written."""
    site.until(FIRST_CROSSING_S + 3)
    faults = []
    site.wait_for_storage(STORAGE_FAILING)
    if not site.value("tcpResetStorageError.0"):
        faults.append("tcpResetStorageError is empty")
    try:
        site.snmpd.write.set((Setter.OBJECT, "u", 54321))
        faults.append("a SET was taken that cannot last")
    except Refused as refused:
        if refused.status != "commitFailed":
            faults.append(f"a SET was refused by {refused.status}")
    if len(said := site.daemon.process.matching(GOES_ON)) != 1:
        faults.append(f"said of it: {[line.text for line in said]}")
    return faults


def judged_when_good(site, faults):
    site.wait_for_storage(STORAGE_GOOD)
    if len(site.daemon.process.matching(USABLE)) != 1:
        faults.append("the log does not tell that it can be used again")
    row = finish(site, faults)
    if (stored := stored_events(site)) != row.events:
        row.faults.append(f"{stored} events on disk of {row.events}")
    return row


def stored_events(site):
    with sqlite3.connect(site.daemon.state / DATABASE) as database:
        return database.execute("SELECT count(*) FROM event").fetchone()[0]


def foreign(directory):
    """Refused at the start, with a clear message."""
    with Site(directory, growth=reference.wave(1)) as site:
        os.chown(site.daemon.state, NOBODY, NOBODY)
        with Process("rstwatchd", site.daemon.command("-f")) as process:
            status = process.wait_end()
        wanted = f"{site.daemon.state}: owner {NOBODY}, mode 0700: expected owner 0"
        return [] if status == 1 and wanted in process.log else \
            [f"a foreign directory: status {status}: {process.log}"]


# The file


def damaged_files(directory, seed, *, cuts=120, flips=120, stations=4) -> Row:
    """A database cut at many lengths and with random bytes changed; each start raises alarms.

    Either it is used or it is set aside as it was; the numbers of events only grow.
    """
    original, newest, made = make_database(directory)
    chance = random.Random(seed)
    lengths = {0, 1, 15, 16, 99, 100, 4095, 4096, 4097, len(original) - 1}
    while len(lengths) < min(cuts, len(original)):
        lengths.add(chance.randrange(len(original)))
    damages = [(f"cut at {length}", original[:length]) for length in list(lengths)[:cuts]]
    damages += [(f"flipped ({n})", flipped(original, chance)) for n in range(flips)]
    chance.shuffle(damages)

    def whole_life(n):
        growth = {metric: [(300, 10 * reference.BURST)] for metric in reference.COUNTERS}
        with Site(directory / f"damaged-{n}", growth=growth) as site:
            site.start_snmpd()
            row = Row()
            for name, content in damages[n::stations]:
                row.crossings += len(growth)
                found = start_with(site, content, newest, row)
                row.faults += [f"{name}: {fault}" for fault in found]
            for fault in row.faults:
                print(f"  {site.directory.name}: {fault}", flush=True)
            return row

    return total([made, *side_by_side(whole_life, range(stations))])


def make_database(directory):
    """(its content, the newest number in it, the Row of its making): a daemon's, some events."""
    growth = {metric: [(500 + 100 * n, 10 * reference.BURST)]
              for n, metric in enumerate(reference.COUNTERS)}
    with Site(directory / "original", growth=growth) as site:
        site.start()
        site.snmpd.write.set((Setter.OBJECT, "u", 3000))
        row = finish(site)
        newest = site.value("tcpResetEventNewest.0")
        site.stop_daemon()
        return (site.daemon.state / DATABASE).read_bytes(), newest, row


def flipped(content, chance):
    """One to eight bytes in a row are others, where there is something."""
    changed = bytearray(content)
    start = chance.choice([n for n, byte in enumerate(content) if byte])
    for n in range(start, min(start + chance.randint(1, 8), len(content))):
        changed[n] ^= chance.randint(1, 255)
    return bytes(changed)


def start_with(site, content, newest_before, row):
    """Faults of a start with this in place of the database."""
    state, before = site.daemon.state, asides(site)
    for name in ("", "-wal", "-shm"):
        (state / f"{DATABASE}{name}").unlink(missing_ok=True)
    (state / DATABASE).write_bytes(content)
    counts = [len(receiver.received(*NOTIFICATIONS)) for receiver in site.receivers]
    site.start_daemon()
    site.wait_connected(0)
    site.daemon.process.wait_for_line(r"event \d+: alarm")
    site.daemon.wait_for_value("tcpResetEventsPending.0", 0)
    state_now, newest = site.manager.values("tcpResetStorageState.0", "tcpResetEventNewest.0")
    site.kill_daemon()
    faults = judge_start(site, before, content, state_now)
    if newest <= newest_before:
        faults.append(f"the newest event is {newest}, and was {newest_before} before")
    for n, (receiver, count) in enumerate(zip(site.receivers, counts)):
        got = receiver.received(*NOTIFICATIONS)[count:]
        row.received[n] += len(got)
        numbers = [int(each.values["tcpResetEventNumber"]) for each in got]
        if not numbers or min(numbers) <= newest_before or len(set(numbers)) != len(numbers):
            faults.append(f"notified: {numbers}, the newest was {newest_before}")
    row.events += len(site.daemon.process.matching(r"event \d+: alarm"))
    return faults


def judge_start(site, before, content, state_now):
    after = asides(site)
    said = site.daemon.process.matching(r"it is now .*aside-\d+, and a new one is begun")
    new = [name for name in after if name not in before]
    faults = [f"{name} has been written over" for name in before
              if after.get(name) != before[name]]
    if state_now == STORAGE_REPLACED:
        by_insert = any(FOUND_BY_INSERT in line.text for line in said)
        if [after[name] for name in new] != [content] and not by_insert:
            faults.append(f"set aside: {new}, not as it was")
        if len(said) != 1:
            faults.append(f"{len(said)} lines of the log say that it was set aside")
    elif state_now != STORAGE_GOOD or new or said:
        faults.append(f"tcpResetStorageState is {state_now}, set aside: {new}")
    return faults


def asides(site):
    return {path.name: path.read_bytes()
            for path in site.daemon.state.glob(f"{DATABASE}.aside-*")
            if not path.name.endswith(("-wal", "-shm"))}
