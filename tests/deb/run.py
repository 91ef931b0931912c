"""The Debian package from installation to purge, in a Debian of its own: what `make deb-test` runs.

Without a systemd first, the daemon is started as the unit file says; then with one. Exit status 1
where a step fails.
"""

import os
import re
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lab import cleanup, mib, paths  # noqa: E402
from lab.links import detach  # noqa: E402
from lab.netns import Namespace  # noqa: E402
from lab.process import Process, children_of  # noqa: E402
from lab.wait import wait_until  # noqa: E402

from booted import Booted  # noqa: E402

WORK = paths.ROOT / "build/deb"
BASE, TREE = WORK / "base.tar", WORK / "root"
UNIT = "lib/systemd/system/rstwatchd.service"
THRESHOLD = 7100
# What the administrator writes: who may read and set.
ADMINISTRATORS = "rocommunity readers 127.0.0.1\nrwcommunity writers 127.0.0.1\n"
MOUNTS = {"proc": ["-t", "proc", "proc"], "sys": ["--rbind", "/sys"], "dev": ["--bind", "/dev"]}
USERS_STAY = ("etc/passwd-", "etc/shadow-", "etc/group-", "etc/gshadow-")  # backups of adduser's


def run(*command, **options):
    result = subprocess.run(list(map(str, command)), text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, **options)
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}:\n{result.stdout}")
    return result.stdout


def expect(condition, what):
    if not condition:
        raise RuntimeError(what)


# The Debian


def origin():
    """(suite, address) of this system's own packages."""
    policy = run("apt-cache", "policy", "base-files")
    address, suite = re.search(r"^ +\d+ (\S+) ([^/\s]+)/main ", policy, re.MULTILINE).groups()
    return suite, address


def base():
    """A minimal Debian as a tar file, with the packages that ours needs; made once."""
    if BASE.exists():
        return
    shutil.rmtree(TREE, ignore_errors=True)
    suite, address = origin()
    run("debootstrap", "--variant=minbase", "--include=snmpd,snmp,libbpf1,libcap-ng0,libconfuse2,"
        "libmnl0,libseccomp2,libsqlite3-0,adduser,systemd,systemd-sysv", suite, TREE, address)
    run("tar", "-C", TREE, "-cf", f"{BASE}.new", ".")
    os.rename(f"{BASE}.new", BASE)


def fresh_tree(stack):
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir()
    run("tar", "-C", TREE, "-xpf", BASE)
    for name, arguments in MOUNTS.items():
        run("mount", *arguments, TREE / name)
        stack.callback(run, "umount", "--recursive", "--lazy", TREE / name)
        cleanup.register((TREE, name), lambda at=TREE / name: run("umount", "-R", "-l", at))
        stack.callback(cleanup.forget, (TREE, name))
    # A package starts nothing here.
    policy = TREE / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)


def inside(*command):
    return run("chroot", TREE, *command,
               env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive"})


def files():
    """Every path but those of mounts, and of what dpkg itself keeps."""
    output = run("find", TREE, "-xdev", "-printf", "%P\n")
    return {path for path in output.splitlines()
            if not path.startswith(("proc/", "sys/", "dev/", "var/lib/dpkg/", "var/log/", "tmp/"))
            and path not in USERS_STAY}


# The daemon, as systemd starts it


class Host:
    """snmpd and rstwatchd of the tree in a network of their own."""

    def __init__(self, stack):
        self._stack = stack
        self._namespace = stack.enter_context(Namespace())
        self._daemon = None

    def start_snmpd(self):
        (TREE / "etc/snmp/snmpd.conf.d/administrator.conf").write_text(ADMINISTRATORS)
        snmpd = self._stack.enter_context(Process("snmpd", [
            "chroot", TREE, "/usr/sbin/snmpd", "-Lf", "/dev/stdout", "-u", "Debian-snmp", "-g", "Debian-snmp",
            "-I", "-smux,mteTrigger,mteTriggerConf", "-f"], netns=self._namespace))
        wait_until(lambda: self.snmp("snmpget", "readers", "1.3.6.1.2.1.1.3.0"), 10,
                   lambda: f"an answer of snmpd:\n{snmpd.log}")

    def start_daemon(self):
        unit = (TREE / UNIT).read_text()
        command = re.search("^ExecStart=(.*)$", unit, re.MULTILINE)[1].split()
        user = re.search("^User=(.*)$", unit, re.MULTILINE)[1]
        sets = ",".join(["-all", *("+" + name.lower().removeprefix("cap_") for name in re.search(
            "^AmbientCapabilities=(.*)$", unit, re.MULTILINE)[1].split())])
        uid = inside("id", "-u", user).strip()
        gid = inside("id", "-g", user).strip()
        self._daemon = Process("rstwatchd", [
            "chroot", TREE, "setpriv", "--reuid", uid, "--regid", gid, "--clear-groups",
            "--inh-caps", sets, "--ambient-caps", sets, "--bounding-set", sets, "--no-new-privs",
            *command], netns=self._namespace)
        wait_until(lambda: self.get("tcpResetAgentVersion.0"), 10,
                   lambda: f"an answer of rstwatchd:\n{self._daemon.log}")

    def stop_daemon(self):
        expect(len(children_of(self._daemon.pid)) == 1, "the agent is not there")
        self._daemon.stop()
        expect(self._daemon.status == 0, f"rstwatchd ended with {self._daemon.status}")

    def snmp(self, tool, community, *arguments):
        """What it prints; empty where there is no value or no answer."""
        result = subprocess.run(
            [*self._namespace.prefix, "chroot", TREE, tool, "-v2c", "-c", community, "-Oqv", "-r0",
             "127.0.0.1", *arguments], text=True, capture_output=True,
            env={"PATH": os.environ["PATH"], "MIBS": ""})
        missing = result.returncode != 0 or result.stdout.startswith("No Such")
        return "" if missing else result.stdout.strip()

    def get(self, name):
        return self.snmp("snmpget", "readers", mib.oid(name))

    def set(self, name, value):
        expect(self.snmp("snmpset", "writers", mib.oid(name), "u", str(value)), f"SET {name}")


# The steps


def package(version):
    """The package of this version, made now."""
    run("sh", "platform/Linux/deb.sh", "build", version, cwd=paths.ROOT)
    found, = WORK.glob(f"rstwatch_{version}_*.deb")
    return found


def source_version():
    text = (paths.ROOT / "subagent/version.h").read_text()
    return re.search(r'"rstwatchd (\S+)"', text)[1]


def install(deb):
    shutil.copy(deb, TREE / "tmp")
    inside("dpkg", "--install", f"/tmp/{deb.name}")


def of_user(parent, user):
    """The child of this user, as this system numbers it."""
    uid = int(inside("id", "-u", user))
    found, = (child for child in children_of(parent) if os.stat(f"/proc/{child}").st_uid == uid)
    return found


def check_unit(deb):
    """A systemd runs it: it is ready, has no rights, answers, sees that a program was taken away,
    and is started anew when it hangs."""
    with ExitStack() as stack:
        fresh_tree(stack)
        install(deb)
        (TREE / "etc/snmp/snmpd.conf.d/administrator.conf").write_text(ADMINISTRATORS)
        host = stack.enter_context(Booted(TREE, WORK / "groups"))
        wait_until(lambda: host.show("ActiveState") == "active", 30, host.journal)
        main_pid = host.show("MainPID")
        rights = host.run("cat", f"/proc/{main_pid}/status")
        for line in ("CapPrm:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            expect(line in rights, f"no {line} in {rights}")
        wait_until(lambda: "connected to the AgentX master" in host.journal(), 10, host.journal)
        expect("confined by seccomp and Landlock" in host.journal(), host.journal())
        sent = ("snmpget", "-v2c", "-creaders", "-Oqv", "127.0.0.1", mib.oid("tcpResetSent.0"))
        wait_until(lambda: host.run(*sent).isdigit(), 10, lambda: host.run(*sent))
        host.run("systemctl", "reload", "rstwatchd")
        expect("Reloaded rstwatchd.service" in host.journal(), host.journal())
        wait_until(lambda: "configuration read again" in host.journal(), 5, host.journal)
        expect(host.show("MainPID") == main_pid, "another process after a reload")
        detach(of_user(host.pid, "_rstwatch"), protocol=2, hook=1)
        wait_until(lambda: "program received_ipv4 was detached" in host.journal(), 15, host.journal)
        host.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", "rstwatchd")
        wait_until(lambda: host.show("NRestarts") == "1" and host.show("ActiveState") == "active", 60,
                   host.journal)
        host.run("systemctl", "stop", "rstwatchd")
        expect(host.show("Result") == "success", host.journal())
    step("systemd runs the unit")


def step(what):
    print(f"{what}: good", flush=True)


def main():
    cleanup.end_signals_unwind()
    base()
    version = source_version()
    now, later = package(version), package(f"{version}+1")
    run("lintian", "--allow-root", "--fail-on", "error,warning",
        *WORK.glob(f"rstwatch_{version}_*.changes"))
    step("lintian")
    with ExitStack() as stack:
        fresh_tree(stack)
        before = files()
        install(now)
        state = (TREE / "var/lib/rstwatch").stat()
        expect(state.st_mode & 0o7777 == 0o700 and state.st_uid != 0, "the state directory")
        step("install")
        host = Host(stack)
        host.start_snmpd()
        host.start_daemon()
        expect(host.get("tcpResetSent.0").isdigit(), "no value of tcpResetSent.0")
        host.set("tcpResetAlarmRisingThreshold.received", THRESHOLD)
        step("use")
        host.stop_daemon()
        install(later)
        expect("+1" in inside("dpkg-query", "-W", "rstwatch"), "the upgrade")
        host.start_daemon()
        kept = host.get("tcpResetAlarmRisingThreshold.received")
        expect(kept == str(THRESHOLD), f"the threshold is {kept} after the upgrade")
        step("upgrade, state kept")
        host.stop_daemon()
        inside("dpkg", "--remove", "rstwatch")
        expect(not (TREE / "usr/sbin/rstwatchd").exists(), "the daemon is there after removal")
        expect((TREE / "var/lib/rstwatch/rstwatch.db").exists(), "the state went with removal")
        step("remove, state kept")
        inside("dpkg", "--purge", "rstwatch")
        left = {path for path in files() - before if "rstwatch" in path}
        expect(not left, f"left after purge: {sorted(left)}")
        expect("_rstwatch" not in (TREE / "etc/passwd").read_text(), "the user is there after purge")
        step("purge, nothing left")
    check_unit(now)
    shutil.rmtree(TREE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
