"""mib/nms/prometheus, with a real Prometheus, snmp_exporter and Alertmanager on loopback."""

import filecmp
import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from lab import paths
from lab.ports import free_tcp_port
from lab.process import Process
from lab.resets import ResetGenerator
from lab.wait import wait_until

FILES = paths.ROOT / "mib/nms/prometheus"
DASHBOARD = FILES / "grafana-dashboard.json"
RATE = 100  # resets a second: above the threshold
GENERATED = ["snmp-0.21.yml", "snmp.yml"]

CONFIGURATION = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{rules}']
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager}']}}]}}]}}
scrape_configs:
  - job_name: rstwatch
    metrics_path: /snmp
    params: {{module: [rstwatch]}}
    static_configs: [{{targets: ['127.0.0.1:{snmpd}']}}]
    relabel_configs:
      - {{source_labels: [__address__], target_label: __param_target}}
      - {{source_labels: [__param_target], target_label: instance}}
      - {{target_label: __address__, replacement: '127.0.0.1:{exporter}'}}
"""

ALERTMANAGER = """
route: {{receiver: test, group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers: [{{name: test, webhook_configs: [{{url: 'http://127.0.0.1:{port}/', send_resolved: true}}]}}]
"""

# In the types an enumeration is not its texts, which a file has; and a query is its data source's.
TYPES = """import type { AnnotationQuery, Dashboard, DataQuery } from "@grafana/schema";

type Plain<T> = T extends string ? `${T}` : T extends object ? { [K in keyof T]: Plain<T[K]> } : T;
type Prometheus = AnnotationQuery<DataQuery & { expr: string }> & { titleFormat: string };
type Known = Omit<Dashboard, "annotations"> & { annotations: { list: Prometheus[] } };

export const dashboard: Plain<Known> = """


def files_are_as_generated(directory):
    """What is committed is what the module makes today."""
    subprocess.run(["sh", FILES / "make.sh", paths.MIB_DIRECTORIES, directory], check=True)
    for name in GENERATED:
        assert filecmp.cmp(FILES / name, directory / name, shallow=False), \
            f"{name}: run mib/nms/prometheus/make.sh"


def rules_are_good():
    for what in (["check", "rules", "rules.yml"], ["test", "rules", "rules_test.yml"]):
        subprocess.run(["promtool", *what], cwd=FILES, check=True, capture_output=True)


@contextmanager
def webhook():
    """(port, alerts that came: (name, status) …)."""
    alerts = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            alerts.extend((each["labels"]["alertname"], each["status"])
                          for each in body["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, alerts
    finally:
        server.shutdown()
        server.server_close()


class Prometheus:
    """Scrapes one host every second; alerts go to a webhook."""

    def __init__(self, stack, directory, snmpd_port):
        ports = {"snmpd": snmpd_port, "exporter": free_tcp_port(), "alertmanager": free_tcp_port()}
        self._port = free_tcp_port()
        hook_port, self.alerts = stack.enter_context(webhook())
        configuration, receiver = directory / "prometheus.yml", directory / "alertmanager.yml"
        configuration.write_text(CONFIGURATION.format(rules=FILES / "rules.yml", **ports))
        receiver.write_text(ALERTMANAGER.format(port=hook_port))
        stack.enter_context(Process("exporter", [
            "prometheus-snmp-exporter", f"--config.file={FILES / 'snmp-0.21.yml'}",
            f"--web.listen-address=127.0.0.1:{ports['exporter']}"]))
        stack.enter_context(Process("alertmanager", [
            "prometheus-alertmanager", f"--config.file={receiver}", "--cluster.listen-address=",
            f"--web.listen-address=127.0.0.1:{ports['alertmanager']}",
            f"--storage.path={directory / 'alerts'}"]))
        stack.enter_context(Process("prometheus", [
            "prometheus", f"--config.file={configuration}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            f"--storage.tsdb.path={directory / 'data'}"]))

    def values(self, expression):
        """[(labels, number)]; [] as long as there is no Prometheus."""
        query = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/api/v1/query?{query}",
                                        timeout=5) as answer:
                found = json.load(answer)["data"]["result"]
        except urllib.error.URLError:
            return []
        return [(each["metric"], float(each["value"][1])) for each in found]

    def wait_for(self, expression, timeout=30):
        return wait_until(lambda: self.values(expression), timeout, expression)


def dashboard_is_typed(directory):
    """Grafana publishes what a dashboard may have as types: a compiler compares."""
    place = directory / "grafana"
    place.mkdir()
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", place,
                    "@grafana/schema@13", "typescript@5"], check=True, capture_output=True, timeout=300)
    (place / "dashboard.ts").write_text(f"{TYPES}{DASHBOARD.read_text().strip()};\n")
    compiled = subprocess.run([place / "node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck",
                               "--module", "esnext", "--moduleResolution", "bundler", "dashboard.ts"],
                              cwd=place, capture_output=True, text=True, timeout=120)
    assert compiled.returncode == 0, compiled.stdout


def expressions():
    """Of the dashboard's panels, for every host."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$instance", ".*")
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["target"]["expr"].replace("$instance", ".*")
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def play(directory, station, ends):
    """Prints what was seen; an assertion or a timeout otherwise."""
    files_are_as_generated(directory)
    rules_are_good()
    dashboard_is_typed(directory)
    station.start()
    with ExitStack() as stack:
        prometheus = Prometheus(stack, directory, station.snmpd.port)
        prometheus.wait_for("tcpResetSampleAge")
        walked = {each for each in re.findall(r"- name: (\w+)", (FILES / GENERATED[0]).read_text())}
        with ResetGenerator(*ends, rate=RATE):
            prometheus.wait_for('tcpResetAlarmState{tcpResetAlarmName="received"} == 3')
            wait_until(lambda: ("TcpResets", "firing") in prometheus.alerts, 30, "a firing alert")
            rate = prometheus.wait_for("rstwatch:received:avg10s > 90")[0][1]
            for expression in expressions():
                assert prometheus.wait_for(expression), expression
        known = {labels["__name__"] for labels, _ in prometheus.values('{__name__=~"tcpReset.*"}')}
        wait_until(lambda: ("TcpResets", "resolved") in prometheus.alerts, 60, "a resolved alert")
    missing = sorted(walked - known)
    print(f"prometheus: alert fired and resolved, {rate:.1f} resets/s seen, "
          f"{len(known)} of {len(walked)} metrics (the host does not know {', '.join(missing)})")
