"""Managers' libraries that nobody here wrote: each loads the module without a complaint, and its
walk meets what net-snmp's meets, with the same names."""

import re
import subprocess

from lab import mib, paths
from lab.environment import snmp_environment
from lab.process import Process
from lab.resets import ResetGenerator
from lab.snmp import COMMUNITY_READ, V1, V2C, V3
from lab.wait import wait_until

WALKS = paths.ROOT / "tests/nms/walks"
ROOT = mib.root()
MODULE = paths.ROOT / "mib/TCP-RESET-MIB.txt"
BASE = paths.ROOT / "mib/base"


def said(command, **options):
    """Its output. (With all warnings on, net-snmp tells of each macro of SMI's own modules.)"""
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            timeout=120, **options)
    assert result.returncode == 0, f"{command[0]}: {result.stdout}{result.stderr}"
    complaints = [line for line in result.stderr.splitlines() if not re.search("parsed and ignored|Running as user .root", line)]
    assert not any(complaints), f"{command[0]} complains: {complaints}"
    return result.stdout


def pairs(text):
    return [tuple(line.split()) for line in text.splitlines()]


def by_pysnmp(directory, port):
    compiled = directory / "pysmi"
    report = subprocess.run(
        ["mibdump", f"--mib-source=file://{BASE}", f"--mib-source=file://{MODULE.parent}",
         f"--destination-directory={compiled}", "--destination-format=pysnmp", "--no-dependencies",
         "TCP-RESET-MIB"], capture_output=True, text=True, timeout=120)
    assert re.search(r"Created/updated MIBs: TCP-RESET-MIB", report.stderr), report.stderr
    assert re.search(r"Failed MIBs: *$", report.stderr, re.MULTILINE), report.stderr
    return pairs(said(["/usr/bin/python3", WALKS / "walk_pysnmp.py", port, COMMUNITY_READ,
                       compiled, ROOT]))


def by_perl(directory, port):
    return pairs(said(["perl", WALKS / "walk.pl", port, COMMUNITY_READ, paths.MIB_DIRECTORIES, ROOT],
                      env=snmp_environment(directory)))


def by_node(directory, port):
    modules = directory / "node"
    modules.mkdir()
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", modules,
                    "net-snmp@3"], check=True, capture_output=True, timeout=300)
    bases = [BASE / f"{name}.txt" for name in (
        "SNMP-FRAMEWORK-MIB", "INET-ADDRESS-MIB") if (BASE / f"{name}.txt").exists()]
    return pairs(said(["node", WALKS / "walk.js", port, COMMUNITY_READ, ROOT, *bases, MODULE],
                      env={"NODE_PATH": str(modules / "node_modules"), "PATH": "/usr/bin:/bin"}))


def by_tools(credentials):
    """snmpwalk prints names only of what it knows."""
    def walk(directory, port):
        text = said(["snmpwalk", *credentials, "-M", paths.MIB_DIRECTORIES, "-m", paths.MIB_MODULES,
                     "-Pw", "-OX", f"udp:127.0.0.1:{port}", ROOT], env=snmp_environment(directory))
        names = re.findall(r"^TCP-RESET-MIB::(\w+)", text, re.MULTILINE)
        numbers = said(["snmpwalk", *credentials, "-On", "-Oq", "-Ox", "-m", "",
                        f"udp:127.0.0.1:{port}", ROOT], env=snmp_environment(directory))
        return list(zip(re.findall(r"^\.([\d.]+) ", numbers, re.MULTILINE), names, strict=True))
    return walk


def by_tshark(directory, port):
    """Names of what passed on the wire."""
    home, capture = directory / "tshark", directory / "walk.pcap"
    profile = home / ".config/wireshark"
    profile.mkdir(parents=True)
    (profile / "smi_paths").write_text(f'"{BASE}"\n"{MODULE.parent}"\n')
    (profile / "preferences").write_text("nameres.load_smi_modules: TRUE\n")
    (profile / "smi_modules").write_text('"TCP-RESET-MIB"\n')
    with Process("tcpdump", ["tcpdump", "-U", "-i", "lo", "-w", capture, f"udp port {port}"]) as dump:
        dump.wait_for_line("listening on")
        found = by_tools(V2C)(directory, port)
        dump.send(2)
        dump.wait_end()
    text = said(["tshark", "-r", capture, "-d", f"udp.port=={port},snmp", "-O", "snmp"],
                env={"HOME": str(home), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
    shown = re.findall(r"Object Name: [\d.]+ \(TCP-RESET-MIB::(\w+)", text)
    assert set(shown) >= {name for _, name in found}, "names that tshark does not know"
    return found


CLIENTS = {"net-snmp v1": by_tools(V1), "net-snmp v2c": by_tools(V2C), "net-snmp v3": by_tools(V3),
           "pysmi and pysnmp": by_pysnmp, "libsnmp-perl": by_perl, "npm net-snmp": by_node,
           "tshark": by_tshark}


def play(directory, station, ends):
    station.start()
    # Rows of events, too; those of peers come and go, and walks could not be compared.
    with ResetGenerator(*ends, rate=100):
        station.receiver.wait_for("tcpResetAlarmRaised", timeout=30)
    station.receiver.wait_for("tcpResetAlarmCleared", timeout=60)
    wait_until(lambda: not station.manager.walk("tcpResetPeerText"), 90, "the last rows of peers go")
    wanted = [each.oid for each in station.manager.walk()]
    for name, walk in CLIENTS.items():
        place = directory / name.replace(" ", "-")
        place.mkdir()
        met = walk(place, station.snmpd.port)
        left_out = [oid for oid in wanted if name == "net-snmp v1" and oid not in dict(met)]
        rest = [oid for oid in wanted if oid not in left_out]
        assert [oid for oid, _ in met] == rest, f"{name}: {set(rest) ^ {oid for oid, _ in met}}"
        for oid, label in met:
            assert mib.name(oid).split(".")[0] == label, (name, oid, label)
        print(f"{name}: the module without a complaint, a walk of {len(met)} objects" +
              (f" (version 1 has no Counter64: {len(left_out)} left out)" if left_out else ""))
    assert [each.oid for each in station.manager.walk()] == wanted
