"""What many hosts cost the one that watches them: Prometheus over so many, and a receiver of traps.

One host stands for all: its answers are the same, its agent's share is divided by them.
"""

import json
import os
import socket
import time
import urllib.parse
import urllib.request
from contextlib import ExitStack
from statistics import median

from bench import usage
from lab import ber, mib, paths, sinks
from lab.environment import snmp_environment
from lab.ports import free_tcp_port, free_udp_port
from lab.process import Process, children_of
from lab.wait import let_pass, wait_until

EXPORTER_FILE = paths.ROOT / "mib/nms/prometheus/snmp-0.21.yml"
FLEETS = (100, 1000)
EVERY_S = 15
ROUNDS = 4  # of scrapes that are measured, after the first two
TRAPS, TRAPS_AT_ONCE = 4000, 20
HANDLED_TRAPS = 200
ROOT = mib.sort_key(mib.root())

CONFIGURATION = """
global: {{scrape_interval: {every}s, scrape_timeout: {every}s}}
scrape_configs:
  - job_name: rstwatch
    metrics_path: /snmp
    params: {{module: [rstwatch]}}
    static_configs: [{{targets: {targets}}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: instance}}
      - {{target_label: __param_target, replacement: '127.0.0.1:{snmpd}'}}
      - {{target_label: __address__, replacement: '127.0.0.1:{exporter}'}}
"""


def cpu_s(process):
    """Seconds of all its threads."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def mebibytes(process):
    return usage.memory([process.pid]).private / 1024


def ask(port, expression):
    query = urllib.parse.urlencode({"query": expression})
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=30) as answer:
        return [float(each["value"][1]) for each in json.load(answer)["data"]["result"]]


def scrape(directory, station, hosts):
    """Prints a row."""
    place = directory / f"fleet-{hosts}"
    place.mkdir()
    port, exporter_port = free_tcp_port(), free_tcp_port()
    (place / "prometheus.yml").write_text(CONFIGURATION.format(
        every=EVERY_S, targets=json.dumps([f"host-{n:04}" for n in range(hosts)]),
        snmpd=station.snmpd.port, exporter=exporter_port))
    with ExitStack() as stack:
        exporter = stack.enter_context(Process("exporter", [
            "prometheus-snmp-exporter", f"--config.file={EXPORTER_FILE}", "--log.level=error",
            f"--web.listen-address=127.0.0.1:{exporter_port}"]))
        prometheus = stack.enter_context(Process("prometheus", [
            "prometheus", f"--config.file={place / 'prometheus.yml'}",
            f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={place / 'data'}"]))

        def scraped():
            try:
                return len(ask(port, "up == 1")) == hosts
            except OSError:
                return False

        wait_until(scraped, 3 * EVERY_S + 20, f"a scrape of each of {hosts} hosts")
        let_pass(EVERY_S)
        agent = [station.daemon.process.pid, *children_of(station.daemon.process.pid)]
        processes = {"prometheus": prometheus, "exporter": exporter, "snmpd": station.snmpd.process}
        before = {name: cpu_s(process) for name, process in processes.items()}
        agent_before, began = usage.cpu(agent), time.monotonic()
        let_pass(ROUNDS * EVERY_S)
        seconds = time.monotonic() - began
        used = {name: cpu_s(process) - before[name] for name, process in processes.items()}
        agent_us = (usage.cpu(agent) - agent_before).ns / 1000 / (hosts * seconds / EVERY_S)
        missed = hosts - len(ask(port, "up == 1"))
        durations = ask(port, "scrape_duration_seconds")
        samples = median(ask(port, "scrape_samples_scraped"))
        print(f"{hosts:6} hosts: scrape {1000 * median(durations):.0f} ms (longest "
              f"{1000 * max(durations):.0f}), {missed} missed, {samples:.0f} samples a host; CPU: "
              f"Prometheus {100 * used['prometheus'] / seconds:.1f} %, exporter "
              f"{100 * used['exporter'] / seconds:.1f} % of a core; memory: "
              f"{mebibytes(prometheus):.0f} and {mebibytes(exporter):.0f} MiB; a host pays "
              f"{1e6 * used['snmpd'] / (hosts * seconds / EVERY_S):.0f} µs in snmpd, {agent_us:.0f} µs "
              "in rstwatchd a scrape", flush=True)


# Traps


def trap(number):
    """A raise as the agent sends it: seven varbinds and the two in front."""
    summary = b"received 51.20/s (limit 50.00): 100 % from 192.0.2.2, refused"
    columns = {15: ber.octets(summary), 7: ber.octets(b"received"), 8: ber.gauge(5120),
               9: ber.gauge(5000), 12: ber.integer(1), 13: ber.integer(2), 2: ber.gauge(number)}
    return ber.message(1, sinks.V2C, 0xa7, number, (0, 0), [
        ((1, 3, 6, 1, 2, 1, 1, 3, 0), ber.integer(100, 0x43)),
        ((1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0), ber.name(ROOT + (0, 1))),
        *((ROOT + (1, 6, 5, 1, column, number), value) for column, value in columns.items())])


def receive(directory, name, count, lines):
    """Prints what a trap costs snmptrapd, with what it starts."""
    place = directory / f"traps-{name.split()[0]}"
    place.mkdir()
    log, port = place / "log", free_udp_port()
    log.touch()
    (place / "snmptrapd.conf").write_text(
        f"authCommunity log,execute,net {sinks.V2C}\n{lines.format(log=log)}")
    to_file = [] if lines else ["-F", "%V %v\\n"]
    with Process("snmptrapd", ["snmptrapd", "-f", "-n", "-X", "-m", "", "-On", "-c",
                               place / "snmptrapd.conf", "-Lf", log if not lines else "/dev/null",
                               *to_file, f"udp:127.0.0.1:{port}"], env=snmp_environment(place)) as trapd:
        wait_until(lambda: str(port) in _udp_ports(), 10, "snmptrapd's socket")
        before, began = _with_children(trapd), time.monotonic()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(1, count + 1):
                sender.sendto(trap(number), ("127.0.0.1", port))
                if number % TRAPS_AT_ONCE == 0:
                    wait_until(lambda number=number: log.read_text(errors="replace").count("51.20/s")
                               >= number, 30, f"{number} traps")
        seconds = time.monotonic() - began
        used = _with_children(trapd) - before
    print(f"{name}: {1e6 * used / count:.0f} µs of CPU a trap, {count / seconds:.0f} a second one "
          "burst after the other", flush=True)


def _udp_ports():
    with open("/proc/net/udp", encoding="ascii") as table:
        return {str(int(line.split()[1].split(":")[1], 16)) for line in list(table)[1:]}


def _with_children(process):
    """CPU seconds of it and what it has waited for."""
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def play(directory, station, ends):
    station.start()
    for hosts in FLEETS:
        scrape(directory, station, hosts)
    receive(directory, "snmptrapd to a file", TRAPS, "")
    handler = paths.ROOT / "mib/nms/zabbix/traphandle.sh"
    receive(directory, "handler: snmptrapd with zabbix/traphandle.sh", HANDLED_TRAPS,
            f"traphandle default /bin/sh {handler} {{log}}\n")
