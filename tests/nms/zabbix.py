"""mib/nms/zabbix, with a real Zabbix (server, PostgreSQL, frontend) on loopback."""

import filecmp
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path

from lab import paths, segments, sinks
from lab.ports import free_tcp_port
from lab.process import Process
from lab.resets import ResetGenerator
from lab.segments import RST, Packets
from lab.snmp import COMMUNITY_READ
from lab.wait import let_pass, wait_until
from nms.trapd import Trapd

FILES = paths.ROOT / "mib/nms/zabbix"
POSTGRES = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
SCHEMA = Path("/usr/share/zabbix-server-pgsql")
FRONTEND = Path("/usr/share/zabbix")
HOST = "resets.example"
RATE = 100  # resets a second: above the threshold
DATABASE = {"user": "zabbix", "name": "zabbix"}

SERVER = """
DBHost={database}
DBName=zabbix
DBUser=zabbix
ListenIP=127.0.0.1
ListenPort={port}
LogType=console
PidFile={directory}/server.pid
SocketDir={directory}
SNMPTrapperFile={traps}
StartSNMPTrapper=1
StartPollers=3
StartPingers=1
StartDiscoverers=0
StartHTTPPollers=0
FpingLocation=/bin/true
CacheUpdateFrequency=5
AllowRoot=1
"""

PAGES = """<?php
$DB = ['TYPE' => 'POSTGRESQL', 'SERVER' => '{database}', 'PORT' => '0', 'DATABASE' => 'zabbix',
       'USER' => 'zabbix', 'PASSWORD' => '', 'SCHEMA' => '', 'ENCRYPTION' => false,
       'DOUBLE_IEEE754' => true];
$ZBX_SERVER = '127.0.0.1';
$ZBX_SERVER_PORT = '{port}';
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""


def as_postgres(*command, **options):
    return subprocess.run(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
                           *command], check=True, capture_output=True, **options)


def database(stack, directory):
    """Its directory, which is its socket's as well."""
    place = directory / "database"
    place.mkdir()
    shutil.chown(place, "postgres", "postgres")
    as_postgres(POSTGRES / "initdb", "-A", "trust", "-E", "UTF8", "--locale=C", "-N",
                "-D", place / "data", cwd=place)
    server = stack.enter_context(Process("postgres", [
        "setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups",
        POSTGRES / "postgres", "-D", place / "data", "-k", place, "-h", "",
        "-c", "fsync=off", "-c", "max_connections=60"]))
    server.wait_for_line("ready to accept connections", 30)
    as_postgres(POSTGRES / "createuser", "-h", place, "zabbix")
    as_postgres(POSTGRES / "createdb", "-h", place, "-O", "zabbix", "zabbix")
    for name in ("schema", "images", "data"):
        [packed] = SCHEMA.glob(f"{name}.sql*")
        read = "zcat" if packed.suffix == ".gz" else "cat"
        subprocess.run(f"{read} {packed} | psql -q -v ON_ERROR_STOP=1 -h {place} -U zabbix zabbix",
                       shell=True, check=True, stdout=subprocess.DEVNULL)
    return place


def pages(stack, directory, **places):
    """The frontend's address. Debian's reads its configuration in /etc: this copy does not."""
    copy = directory / "frontend"
    shutil.copytree(FRONTEND, copy)
    configuration = directory / "zabbix.conf.php"
    configuration.write_text(PAGES.format(**places))
    reader = copy / "include/classes/core/CConfigFile.php"
    text = reader.read_text()
    changed = re.sub(r"'[^']*/zabbix\.conf\.php'", f"'{configuration}'", text)
    changed = re.sub(r"(CONFIG_FILE_PATH\s*=\s*)'[^']*'", rf"\1'{configuration}'", changed)
    assert changed != text, "the frontend reads its configuration in another way"
    reader.write_text(changed)
    locales = directory / "locales"  # or it draws nothing
    locales.mkdir()
    for name in ("en_US", "en_GB"):
        subprocess.run(["localedef", "-i", name, "-f", "UTF-8", locales / f"{name}.UTF-8"],
                       check=True, capture_output=True)
    port = free_tcp_port()
    stack.enter_context(Process("php", [
        "php", "-d", "post_max_size=16M", "-d", "max_execution_time=300", "-d", "memory_limit=256M",
        "-d", "max_input_time=300", "-d", "date.timezone=UTC", "-S", f"127.0.0.1:{port}", "-t", copy],
        env={**os.environ, "PHP_CLI_SERVER_WORKERS": "4", "LOCPATH": str(locales)}))
    return f"http://127.0.0.1:{port}"


class Zabbix:
    def __init__(self, stack, directory):
        self.trap_file = directory / "traps.log"
        self.trap_file.touch()
        self.traps = Trapd(directory, "zabbix",
                           f"/bin/sh {FILES / 'traphandle.sh'} {self.trap_file}")
        self.stack, self.directory, self.token = stack, directory, None

    def start(self):
        port = free_tcp_port()
        stack, directory = self.stack, self.directory
        self.trapd = stack.enter_context(self.traps.start())
        place = database(stack, directory)
        configuration = directory / "zabbix_server.conf"
        configuration.write_text(SERVER.format(database=place, port=port, directory=directory,
                                               traps=self.trap_file))
        self.server = stack.enter_context(Process("zabbix_server", [
            "zabbix_server", "-f", "-c", configuration]))
        self.address = pages(stack, directory, database=place, port=port)
        wait_until(self._login, 60, lambda: f"the API:\n{self.server.log[-2000:]}")

    def _login(self):
        try:
            self.token = self.ask("user.login", {"username": "Admin", "password": "zabbix"})
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def ask(self, method, parameters):
        body = {"jsonrpc": "2.0", "method": method, "params": parameters, "id": 1}
        if self.token:
            body["auth"] = self.token
        request = urllib.request.Request(f"{self.address}/api_jsonrpc.php", json.dumps(body).encode(),
                                         {"Content-Type": "application/json-rpc"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            said = json.load(answer)
        if "error" in said:
            raise RuntimeError(f"{method}: {said['error']['data']}")
        return said["result"]

    def import_template(self, text):
        everything = {"createMissing": True, "updateExisting": True}
        made = {"createMissing": True}
        self.ask("configuration.import", {"format": "yaml", "source": text, "rules": {
            "templates": everything, "groups": everything, "items": everything,
            "discoveryRules": everything, "triggers": everything, "graphs": everything,
            "valueMaps": everything, "templateDashboards": everything, "templateLinkage": made}})
        [template] = self.ask("template.get", {"output": ["templateid"], "filter": {
            "host": "rstwatch by SNMP"}})
        return template["templateid"]

    def watch(self, template, snmpd_port):
        [group] = self.ask("hostgroup.get", {"filter": {"name": "Linux servers"}})
        interface = {"type": 2, "main": 1, "useip": 1, "ip": "127.0.0.1", "dns": "",
                     "port": str(snmpd_port), "details": {
                         "version": 2, "bulk": 1, "community": COMMUNITY_READ}}
        made = self.ask("host.create", {
            "host": HOST, "groups": [{"groupid": group["groupid"]}], "interfaces": [interface],
            "templates": [{"templateid": template}]})
        return made["hostids"][0]

    def values(self, host):
        """{key: newest value} of the items that have one."""
        return {each["key_"]: each["lastvalue"] for each in self.ask("item.get", {
            "hostids": host, "output": ["key_", "lastvalue", "lastclock"]})
            if each["lastclock"] != "0"}

    def unsupported(self, host):
        return {each["key_"]: each["error"] for each in self.ask("item.get", {
            "hostids": host, "output": ["key_", "error"], "filter": {"state": 1}})}

    def problems(self, host):
        """{name: whether it goes on}."""
        return {each["name"]: each["r_eventid"] == "0" for each in self.ask("problem.get", {
            "hostids": host, "output": ["name", "r_eventid"], "recent": True})}

    def discover_now(self, host):
        rules = self.ask("discoveryrule.get", {"hostids": host, "output": ["itemid"]})
        self.ask("task.create", [{"type": 6, "request": {"itemid": rule["itemid"]}}
                                 for rule in rules])


def template_is_as_generated(directory):
    made = directory / "template.yaml"
    with made.open("w") as output:
        subprocess.run(["/usr/bin/python3", FILES / "make.py", paths.ROOT / "mib/TCP-RESET-MIB.txt",
                        paths.ROOT / "mib/base"],
                       check=True, stdout=output)
    assert filecmp.cmp(FILES / "template.yaml", made, shallow=False), \
        "template.yaml: run mib/nms/zabbix/make.py"


def make_history(ends):
    """Some minutes that are worth a picture."""
    here, there = ends
    blind = Packets("IPv4", there, here).tcp(flags=RST)
    for received, sent, forged in ((5, 8, 0), (60, 10, 20), (120, 12, 35), (6, 40, 0), (5, 8, 0)):
        with ResetGenerator(here, there, rate=received), ResetGenerator(there, here, rate=sent):
            for _ in range(20):
                if forged:
                    segments.start("link", [blind], there, here, 2 * forged).wait_end(10)
                let_pass(2)


def picture(zabbix, host, path):
    """The dashboard of the template, as Chromium shows it."""
    shown = f"zabbix.php?action=host.dashboard.view&hostid={host}&from=now-6m&to=now&kiosk=1"
    query = urllib.parse.urlencode({"name": "Admin", "password": "zabbix", "enter": "Sign in",
                                    "autologin": 1, "request": shown})
    profile = zabbix.directory / "chromium"
    for address in (f"{zabbix.address}/index.php?{query}", f"{zabbix.address}/{shown}"):
        subprocess.run(["chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
                        "--hide-scrollbars", "--window-size=1400,1600", f"--user-data-dir={profile}",
                        "--virtual-time-budget=20000", "--timeout=60000", f"--screenshot={path}",
                        address], check=True, capture_output=True, timeout=120)


def poll_alone(zabbix, host, station, ends, trigger):
    """Traps get lost."""
    zabbix.trapd.stop()
    station.operator.set(("tcpResetAlarmBaselineFactor.received", "u", 0))  # it has just had many
    with ResetGenerator(*ends, rate=RATE):
        wait_until(lambda: zabbix.problems(host).get(trigger), 60, "a problem by poll")
    wait_until(lambda: zabbix.problems(host).get(trigger) is False, 90, "its end by poll")


def play(directory, station, ends):
    """Prints what was seen; an assertion or a timeout otherwise."""
    template_is_as_generated(directory)
    with ExitStack() as stack:
        zabbix = Zabbix(stack, directory)
        station.snmpd.notify(zabbix.traps, [sinks.V2C])
        station.start()
        zabbix.start()
        template = zabbix.import_template((FILES / "template.yaml").read_text())
        host = zabbix.watch(template, station.snmpd.port)
        wait_until(lambda: "tcpResetSampleAge" in zabbix.values(host), 90, "a value")
        zabbix.discover_now(host)
        wait_until(lambda: "tcpResetAlarmState[1]" in zabbix.values(host), 120, "rows of alarms")
        wait_until(lambda: any("EventMetricName" in key for key in (
            each["key_"] for each in zabbix.ask("item.get", {"hostids": host, "output": ["key_"]}))),
            30, "the traps' item")
        by_trap, by_poll = ("TCP resets received: alarm (trap)", "TCP resets received: alarm")
        with ResetGenerator(*ends, rate=RATE):
            wait_until(lambda: zabbix.problems(host).get(by_trap), 60, "a problem by trap")
            wait_until(lambda: float(zabbix.values(host)["tcpResetReceivedAvg10s"]) > RATE * 0.9,
                       60, "the average")
            wait_until(lambda: zabbix.values(host)["tcpResetAlarmState[1]"] == "3", 60, "the state")
            rate = float(zabbix.values(host)["tcpResetReceivedAvg10s"])
        wait_until(lambda: zabbix.problems(host).get(by_trap) is False, 90, "its end by trap")
        wait_until(lambda: zabbix.values(host)["tcpResetAlarmState[1]"] == "1", 60, "the state")
        values, problems = zabbix.values(host), zabbix.problems(host)
        assert by_poll not in problems, "told twice"
        assert zabbix.unsupported(host) == {}
        poll_alone(zabbix, host, station, ends, by_poll)
        print(f"zabbix: a problem by trap and its end, {rate:.1f} resets/s seen, {len(values)} items "
              "with values, none that is not supported, by poll not told again; without traps, a "
              "problem by poll and its end")
        if pictures := os.environ.get("NMS_PICTURES"):
            make_history(ends)
            picture(zabbix, host, Path(pictures) / "zabbix-dashboard.png")
    assert not zabbix.server.matching("cannot parse|syntax error")
