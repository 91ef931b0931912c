"""mib/nms/nagios and mib/nms/snmptt, with a real Nagios 4, Icinga 2 and SNMPTT on loopback."""

import re
import shutil
import subprocess
from contextlib import ExitStack

from lab import paths, sinks
from lab.process import Process
from lab.resets import ResetGenerator
from lab.snmp import COMMUNITY_READ
from lab.wait import wait_until
from nms.trapd import Trapd

FILES = paths.ROOT / "mib/nms/nagios"
EVENTS = paths.ROOT / "mib/nms/snmptt/snmptt.conf"
PLUGINS = "/usr/lib/nagios/plugins"
HOST = "resets.example"
SERVICES = {f"TCP resets {what}" for what in ("received", "sent", "synCookies", "agent")}
RATE = 100  # resets a second: above the threshold

NAGIOS = """
cfg_file={directory}/site.cfg
cfg_file={files}/rstwatch.cfg
resource_file={directory}/resource.cfg
log_file={directory}/nagios.log
status_file={directory}/status.dat
command_file={directory}/command
object_cache_file={directory}/objects.cache
precached_object_file={directory}/objects.precache
lock_file={directory}/nagios.lock
temp_file={directory}/nagios.tmp
temp_path={directory}
query_socket={directory}/query
state_retention_file={directory}/retention.dat
check_result_path={directory}/results
log_archive_path={directory}/results
nagios_user=nagios
nagios_group=nagios
check_external_commands=1
status_update_interval=1
interval_length=5
enable_notifications=0
illegal_macro_output_chars=`~$&|'"<>
"""

NAGIOS_SITE = """
define timeperiod {{
    timeperiod_name 24x7
    alias           always
    {days}
}}
define command {{
    command_name  is-there
    command_line  /bin/true
}}
define contact {{
    contact_name                   nobody
    host_notifications_enabled     0
    service_notifications_enabled  0
    host_notification_period       24x7
    service_notification_period    24x7
    host_notification_commands     is-there
    service_notification_commands  is-there
}}
define host {{
    use                 rstwatch-host
    host_name           {host}
    address             127.0.0.1
    check_command       is-there
    max_check_attempts  1
    check_period        24x7
    contacts            nobody
    _SNMP_PORT          {port}
    _SNMP_COMMUNITY     {community}
}}
"""

ICINGA = """
include <itl>
include <plugins>
const PluginDir = "{plugins}"
object IcingaApplication "app" {{ enable_notifications = false }}
object CheckerComponent "checker" {{ }}
object ExternalCommandListener "command" {{ command_path = "{directory}/command" }}
object StatusDataWriter "status" {{
  status_path = "{directory}/status.dat"
  objects_path = "{directory}/objects.cache"
  update_interval = 1s
}}
include "{directory}/rstwatch.conf"
object Host "{host}" {{
  check_command = "dummy"
  address = "127.0.0.1"
  vars.tcp_resets = true
  vars.snmp_port = {port}
  vars.snmp_community = "{community}"
}}
"""


def passive(directory):
    names = directory / "names"
    names.write_text(f"127.0.0.1 {HOST}\n")
    return Trapd(directory, "passive", f"/bin/sh {FILES / 'passive.sh'} {directory / 'command'} {names}")


def snmptt(directory):
    """Stand-alone, with the events' file alone."""
    original = open("/etc/snmp/snmptt.ini", encoding="utf-8").read()
    settings = {"snmptt_system_name": "", "log_file": directory / "snmptt.log", "syslog_enable": 0,
                "unknown_trap_log_file": directory / "unknown.log", "syslog_system_enable": 0,
                "log_system_enable": 0, "log_enable": 1, "net_snmp_perl_enable": 0, "dns_enable": 0}
    for key, value in settings.items():
        original = re.sub(rf"^{key} *=.*$", f"{key} = {value}", original, flags=re.MULTILINE)
    original = re.sub(r"snmptt_conf_files = <<END.*?END", f"snmptt_conf_files = <<END\n{EVENTS}\nEND",
                      original, flags=re.DOTALL)
    configuration = directory / "snmptt.ini"
    configuration.write_text(original)
    return Trapd(directory, "snmptt", f"/usr/sbin/snmptt --ini={configuration}")


def statuses(directory):
    """{service: (state, what it said)} of those that have been checked."""
    try:
        text = (directory / "status.dat").read_text()
    except FileNotFoundError:
        return {}
    found = {}
    for block in re.findall(r"servicestatus \{(.*?)\n\s*\}", text, re.DOTALL):
        fields = dict(line.strip().split("=", 1) for line in block.splitlines() if "=" in line)
        if fields["has_been_checked"] == "1":
            found[fields["service_description"]] = (int(fields["current_state"]),
                                                    fields["plugin_output"])
    return found


def start_nagios(stack, directory, port):
    (directory / "resource.cfg").write_text(f"$USER1$={PLUGINS}\n")
    (directory / "results").mkdir()
    days = "\n    ".join(f"{day} 00:00-24:00" for day in (
        "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"))
    (directory / "site.cfg").write_text(NAGIOS_SITE.format(
        days=days, host=HOST, port=port, community=COMMUNITY_READ))
    configuration = directory / "nagios.cfg"
    configuration.write_text(NAGIOS.format(directory=directory, files=FILES))
    subprocess.run(["chown", "-R", "nagios:nagios", directory], check=True)
    checked = subprocess.run(["nagios4", "-v", configuration], capture_output=True, text=True)
    assert re.search(r"Total Errors: +0\n", checked.stdout), checked.stdout
    assert re.search(r"Total Warnings: +0\n", checked.stdout), checked.stdout
    return stack.enter_context(Process("nagios", ["nagios4", configuration]))


def start_icinga(stack, directory, port):
    shutil.copy(FILES / "icinga2.conf", directory / "rstwatch.conf")
    configuration = directory / "icinga2.conf"
    configuration.write_text(ICINGA.format(plugins=PLUGINS, directory=directory, host=HOST, port=port,
                                           community=COMMUNITY_READ))
    places = [word for what in ("DataDir", "CacheDir", "LogDir", "InitRunDir", "SpoolDir")
              for word in ("-D", f"{what}={directory}")]
    places += ["-D", "RunAsUser=nagios", "-D", "RunAsGroup=nagios",
               "-D", f"VarsPath={directory}/icinga2.vars", "-D", f"PidPath={directory}/icinga2.pid"]
    subprocess.run(["chown", "-R", "nagios:nagios", directory], check=True)
    checked = subprocess.run(["icinga2", "daemon", "-C", "-c", configuration, *places],
                             capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    return stack.enter_context(Process("icinga", ["icinga2", "daemon", "-c", configuration, *places]))


SYSTEMS = {"nagios": start_nagios, "icinga2": start_icinga}


def play(directory, station, ends):
    """Prints what was seen; an assertion or a timeout otherwise."""
    places = {name: directory / name for name in SYSTEMS}
    told = {}
    with ExitStack() as stack:
        for name, place in places.items():
            place.mkdir()
            told[name] = passive(place)
            station.snmpd.notify(told[name], [sinks.V2C])
        by_snmptt = snmptt(directory)
        station.snmpd.notify(by_snmptt, [sinks.V2C])
        station.start()
        processes = {}
        for name, start in SYSTEMS.items():
            processes[name] = start(stack, places[name], station.snmpd.port)
            wait_until(lambda place=places[name]: {
                service for service, (state, _) in statuses(place).items() if state == 0} == SERVICES,
                90, lambda place=places[name]: f"services that are well: {statuses(place)}")
        for trapd in (*told.values(), by_snmptt):
            stack.enter_context(trapd.start())
        with ResetGenerator(*ends, rate=RATE):
            for name, place in places.items():
                wait_until(lambda place=place: statuses(place)["TCP resets received"][0] == 2, 60,
                           f"{name}: the alarm")
        for name, place in places.items():
            wait_until(lambda place=place: statuses(place)["TCP resets received"][0] == 0, 90,
                       f"{name}: the end of the alarm")
        logs = {"nagios": (places["nagios"] / "nagios.log").read_text(),
                "icinga2": processes["icinga2"].log}
        for name, log in logs.items():
            for state in (2, 0):
                assert re.search(rf"PROCESS_SERVICE_CHECK_RESULT;{HOST};TCP resets received;{state};"
                                 r"received .*/s", log), f"{name}: {log}"
        wait_until(lambda: (directory / "snmptt.log").exists() and len(re.findall(
            r"TCP resets: received", (directory / "snmptt.log").read_text())) == 2, 20, "snmptt's lines")
        lines = (directory / "snmptt.log").read_text().splitlines()
        print("nagios, icinga2: four services each, the alarm and its end by poll and as passive "
              "results of traps\nsnmptt: ", *lines, sep="\n    ")
