"""Holds the include directions of the design, by what the compiler says it reads.

Data goes one way and includes point the other way: a stage includes only the
header of what it consumes. The tables below say what is allowed; a new file
needs a row in MAY_INCLUDE. Exit status 1, and a line for each fault.

    includes.py [DIRECTORY]   the checkout to look at; default: the one it is in
"""

import fnmatch
import os
import pathlib
import re
import subprocess
import sys
import tempfile

# Each unit (.c, .h or both) and the units whose headers it may include. Its own
# header is always allowed. Only main.c knows all stages.
MAY_INCLUDE = {
    # What a sample is, and where it comes from: the sampler process.
    "platform/causes": "",
    "platform/sample": "platform/causes",
    "platform/peers": "platform/sample",
    "platform/evidence": "platform/sample",
    "platform/reader": "platform/sample platform/peers platform/evidence",
    "platform/replay": "platform/sample platform/peers platform/reader",
    "platform/Linux/proc_text": "",
    "platform/estimate": "platform/sample",
    "platform/rights": "",
    "platform/inherited": "platform/rights",
    "platform/Linux/components": "platform/sample platform/reader platform/Linux/proc_text",
    "platform/Linux/count": "",
    "platform/Linux/kernel.bpf": "",
    "platform/Linux/cause.bpf": "platform/causes platform/Linux/count platform/Linux/kernel.bpf",
    "platform/Linux/peer.bpf": "platform/Linux/cause.bpf",
    "platform/Linux/count.bpf": "platform/Linux/cause.bpf platform/Linux/peer.bpf "
                               "platform/Linux/record.bpf",
    "platform/Linux/record.bpf": "platform/Linux/count platform/Linux/kernel.bpf",
    "platform/Linux/records": "platform/evidence platform/Linux/count",
    "platform/Linux/peer_maps": "platform/peers platform/Linux/count",
    "platform/Linux/exact": "platform/sample platform/Linux/count",
    "platform/Linux/pulse": "platform/Linux/count",
    "platform/Linux/netfilter": "",
    "platform/Linux/procfs": "platform/reader platform/Linux/components platform/estimate",
    "platform/Linux/nftables": "platform/reader platform/Linux/components platform/estimate "
                               "platform/Linux/exact",
    "platform/Linux/bpf": "platform/reader platform/Linux/components platform/Linux/exact "
                          "platform/Linux/peer_maps platform/Linux/records platform/Linux/pulse platform/Linux/netfilter count.skel",
    "platform/Linux/bpf_missing": "platform/reader",
    "platform/Linux/landlock": "",
    "platform/Linux/sanitized": "",
    "platform/Linux/system_calls": "platform/Linux/sanitized",
    "platform/Linux/rights": "platform/rights platform/Linux/landlock platform/Linux/sanitized "
                             "platform/Linux/system_calls",
    "platform/Linux/readers": "platform/reader",
    "platform/FreeBSD/tcpstat": "platform/sample",
    "platform/FreeBSD/tcp_layout": "",
    "platform/FreeBSD/syn_cookies": "platform/sample",
    "platform/FreeBSD/match_count": "",
    "platform/FreeBSD/reset_filter": "platform/sample",
    "platform/FreeBSD/kernel_tcp": "platform/sample platform/FreeBSD/syn_cookies "
                                   "platform/FreeBSD/tcpstat",
    "platform/FreeBSD/interfaces": "platform/FreeBSD/reset_filter",
    "platform/FreeBSD/self_check": "",
    "platform/FreeBSD/sysctl": "platform/reader platform/estimate platform/FreeBSD/kernel_tcp",
    "platform/FreeBSD/bpf": "platform/reader platform/estimate platform/FreeBSD/interfaces "
                            "platform/FreeBSD/kernel_tcp platform/FreeBSD/match_count "
                            "platform/FreeBSD/reset_filter platform/FreeBSD/self_check",
    "platform/FreeBSD/rights": "platform/rights",
    "platform/FreeBSD/readers": "platform/reader",
    "subagent/log": "",
    "subagent/clock": "",
    "subagent/service": "",
    "subagent/agent_status": "",
    "subagent/ring": "platform/sample platform/peers platform/evidence",
    "subagent/sampler": "platform/reader subagent/ring subagent/clock subagent/log",
    "subagent/supervisor": "subagent/sampler subagent/config subagent/agent_status "
                           "subagent/clock subagent/log subagent/service",
    "subagent/rstsample": "platform/replay subagent/sampler subagent/clock subagent/log",
    # From samples to a snapshot.
    "subagent/settings": "platform/causes",
    "subagent/config": "subagent/settings platform/sample",
    "subagent/average": "platform/sample",
    "subagent/windows": "platform/peers",
    "subagent/alarm": "subagent/average subagent/settings",
    "subagent/events": "platform/sample subagent/settings",
    "subagent/counted": "subagent/windows subagent/alarm",
    "subagent/summary": "subagent/counted subagent/events",
    # From records to a file.
    "subagent/pcapng": "",
    "subagent/evidence_text": "platform/evidence subagent/events subagent/summary",
    "subagent/evidence_files": "subagent/evidence_text",
    "subagent/capture": "subagent/events subagent/evidence_text subagent/evidence_files "
                        "subagent/pcapng subagent/ring subagent/clock subagent/log",
    "subagent/captures": "subagent/alarm subagent/capture subagent/events "
                         "subagent/evidence_files",
    "subagent/snapshot": "subagent/counted",
    "subagent/store": "subagent/alarm subagent/events",
    "subagent/handover": "",
    "subagent/archive": "subagent/handover subagent/store subagent/log",
    # From a snapshot to the wire.
    "subagent/version": "",
    "mib/root": "",
    "mib/agentx": "",
    "mib/objects": "subagent/events subagent/snapshot subagent/summary subagent/version "
                   "subagent/evidence_text",
    "mib/asn": "mib/objects",
    "mib/notify": "mib/objects mib/asn mib/root",
    "mib/requests": "mib/objects mib/agentx mib/asn mib/root",
    "subagent/agentx_framing": "mib/agentx",
    "subagent/agentx_transport": "subagent/agentx_framing mib/agentx",
    "subagent/agentx": "subagent/agentx_framing subagent/agentx_transport subagent/clock subagent/log mib/agentx",
    # The agent process's own main: it moves the data of its stages, no other does.
    "subagent/agent": "subagent/config subagent/agent_status subagent/handover subagent/ring subagent/archive "
                      "subagent/summary "
                      "subagent/captures subagent/agentx subagent/clock subagent/log mib/notify mib/requests",
    "subagent/main": "*",
}

# Tables that are expanded, and who may do that.
MAY_EXPAND = {
    "mib/causes.def": ["platform/*", "subagent/settings.c", "subagent/summary.c",
                       "subagent/main.c"],
    "platform/Linux/cause_rules.def": ["platform/Linux/cause.bpf.h"],
    "platform/Linux/system_calls.def": ["platform/Linux/system_calls.c"],
    "platform/FreeBSD/tcpstat.def": ["platform/FreeBSD/*"],
    "mib/counters.def": ["platform/*", "mib/objects.c", "subagent/main.c"],
    "mib/notifications.def": ["subagent/events.h", "mib/*.c"],
    "subagent/settings.def": ["subagent/settings.[ch]", "subagent/config.c", "mib/objects.c"],
}

# Libraries, by a pattern of their headers' paths, and the only files that may know them.
LIBRARIES = {
    "*/net-snmp/*": ["mib/*.c", "subagent/agentx.c", "subagent/agentx_transport.c",
                     "subagent/agent.c"],
    "*/sqlite3*.h": ["subagent/store.c"],
    "*/confuse.h": ["subagent/config.c"],
    "*/bpf/*": ["platform/*/*"],
    "*/nftables/*": ["platform/*/*"],
    "*/libmnl/*": ["platform/*/*"],
    "*/libnftnl/*": ["platform/*/*"],
    "*/seccomp.h": ["platform/*/*"],
    "*/cap-ng.h": ["platform/*/*"],
}

# Headers of one OS, as a file includes them itself (the C library includes some by its own).
OS_HEADERS = [
    "linux/*", "asm/*", "netlink/*", "bpf/*", "libbpf.h", "net/bpf.h", "net/vnet.h",
    "sys/capability.h", "sys/capsicum.h", "sys/epoll.h", "sys/event.h", "sys/eventfd.h",
    "sys/inotify.h", "sys/jail.h", "sys/prctl.h", "sys/procctl.h", "sys/signalfd.h",
    "sys/sysctl.h", "sys/syscall.h", "sys/timerfd.h", "netinet/tcp_var.h", "netinet/tcp_fsm.h",
    "netinet/in_pcb.h",
]
OS_FILES = ["platform/*/*"]
OS_CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:el)?if.*\b(__linux__|__linux|linux|__gnu_linux__"
                          r"|__FreeBSD\w*|__OpenBSD__|__NetBSD__|__DragonFly__|__APPLE__|__unix__"
                          r"|BSD)\b", re.MULTILINE)

# Pure files: samples in, answers out. What they may include of the system, and the
# functions that they may call: no clock, no input, no output.
PURE = {
    "platform/sample.c": ("", ""),
    "platform/estimate.c": ("", ""),
    "platform/FreeBSD/match_count.c": ("", ""),
    "platform/FreeBSD/reset_filter.c": ("", ""),
    "platform/FreeBSD/syn_cookies.c": ("", ""),
    "platform/FreeBSD/tcpstat.c": ("stdio.h", "snprintf"),
    "platform/Linux/exact.c": ("", ""),
    "platform/Linux/proc_text.c": ("stdio.h", "snprintf"),
    "subagent/agentx_framing.c": ("", ""),
    "subagent/alarm.c": ("", ""),
    "subagent/average.c": ("", ""),
    "subagent/counted.c": ("", ""),
    "subagent/events.c": ("", "calloc free"),
    "subagent/evidence_text.c": ("stdio.h", "snprintf"),
    "subagent/pcapng.c": ("", ""),
    "subagent/settings.c": ("", ""),
    "subagent/snapshot.c": ("", ""),
    "subagent/summary.c": ("arpa/inet.h stdio.h sys/socket.h", "inet_ntop snprintf"),
    "subagent/windows.c": ("", ""),
    "platform/peers.c": ("", ""),
    "subagent/ring.c": ("stdatomic.h sys/mman.h", "mmap mprotect"),  # its mapping
    "mib/objects.c": ("time.h", "localtime_r"),  # DateAndTime; it reads no clock
}
PURE_HEADERS = {"stdbool.h", "stdint.h", "stddef.h", "stdlib.h", "string.h", "limits.h",
                "inttypes.h"}
PURE_CALLS = {"bcmp", "memchr", "memcmp", "memcpy", "memmove", "memset", "strchr", "strcmp",
              "strcspn", "strlen", "strncmp", "strnlen", "strspn", "qsort", "bsearch", "abs",
              "labs", "_GLOBAL_OFFSET_TABLE_"}
COMPILER_CALLS = re.compile(r"^__(u?div|u?mod|mul|ash|lsh)[a-z]*\d$|^__stack_chk_fail$")

# The sampler process and what it must not see, not even through another header.
SAMPLER = ["subagent/sampler.[ch]", "subagent/rstsample.c", "subagent/supervisor.[ch]",
           "subagent/service.[ch]", "subagent/log.[ch]",
           "subagent/ring.[ch]", "platform/*"]
NOT_FOR_SAMPLER = ["mib/*.h", "subagent/store.h", "subagent/alarm.h", "subagent/average.h",
                   "subagent/agentx.h", "subagent/agent.h", "subagent/events.h",
                   "subagent/snapshot.h", "subagent/summary.h"]

# build/: what `make generated` makes there.
FLAGS = ["-std=gnu11", "-I.", "-Ibuild", "-D_GNU_SOURCE"]
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"]+)"|<([^>]+)>)', re.MULTILINE)


def matches(path, patterns):
    return any(fnmatch.fnmatch(path, pattern) for pattern in patterns)


def unit_of(path):
    return path.rsplit(".", 1)[0]


class Sources:
    """The C files of the checkout, what they say and what the compiler reads for them."""

    def __init__(self, root):
        self.root = root
        self.files = sorted(
            str(path.relative_to(root)) for directory in ("mib", "platform", "subagent")
            for path in (root / directory).rglob("*") if path.suffix in (".c", ".h"))
        self.texts = {file: (root / file).read_text() for file in self.files}
        self.compiler = os.environ.get("CC", "cc")

    def included(self, file):
        """(own, system): what the file itself includes."""
        found = INCLUDE.findall(self.texts[file])
        return [own for own, _ in found if own], [system for _, system in found if system]

    def compiles_here(self, file):
        """Files of another OS cannot be read by this compiler, but its pure ones."""
        parts = file.split("/")
        return (len(parts) != 3 or parts[1] == os.uname().sysname
                or unit_of(file) + ".c" in PURE)

    def dependencies(self, file):
        """Every file that the compiler reads for this one, itself left out."""
        output = self.run([self.compiler, *FLAGS, "-M", "-MT", "x", "-x", "c", file])
        words = output.replace("\\\n", " ").split()[1:]
        paths = (os.path.normpath(word) for word in words)
        return [path for path in paths if path != file]

    def calls(self, file):
        """The functions outside of its own object that a file needs."""
        with tempfile.NamedTemporaryFile(suffix=".o") as target:
            self.run([self.compiler, *FLAGS, "-O1", "-U_FORTIFY_SOURCE", "-fno-stack-protector",
                      "-c", "-o", target.name, file])
            output = self.run(["nm", "-g", "-P", target.name])
        symbols = [line.split()[:2] for line in output.splitlines()]
        return ({name for name, kind in symbols if kind == "U"},
                {name for name, kind in symbols if kind != "U"})

    def run(self, command):
        try:
            return subprocess.run(command, cwd=self.root, check=True, capture_output=True,
                                  text=True).stdout
        except FileNotFoundError:
            sys.exit(f"includes: {command[0]} is not there")
        except subprocess.CalledProcessError as error:
            sys.exit(f"includes: {' '.join(command)} failed:\n{error.stderr}")


def direction_faults(sources):
    """Each include of an own header has to stand in the table."""
    for file in sources.files:
        unit = unit_of(file)
        if unit not in MAY_INCLUDE:
            yield f"{file}: not in the table MAY_INCLUDE of tests/lint/includes.py: add its row"
            continue
        allowed = {unit, *MAY_INCLUDE[unit].split()}
        for own in sources.included(file)[0]:
            if own.endswith(".def"):
                if not matches(file, MAY_EXPAND.get(own, [])):
                    yield f"{file}: expands {own}, which only {listed(MAY_EXPAND, own)} may"
            elif "*" not in allowed and unit_of(own) not in allowed:
                yield (f"{file}: includes {own}; it may include only"
                       f" {', '.join(sorted(allowed - {unit})) or 'its own header'}")
    for unit in MAY_INCLUDE:
        if not any(unit_of(file) == unit for file in sources.files):
            yield f"tests/lint/includes.py: MAY_INCLUDE has a row for {unit}, which is not there"


def listed(table, key):
    return ", ".join(table.get(key, [])) or "nobody"


def library_faults(sources, dependencies):
    for file, read in dependencies.items():
        for pattern, allowed in LIBRARIES.items():
            if not matches(file, allowed) and (hit := next(
                    (path for path in read if fnmatch.fnmatch("/" + path, pattern)), None)):
                yield f"{file}: reads {hit}, which only {', '.join(allowed)} may"
    for file in sources.files:  # files of another OS, and what an #if left out
        for system in sources.included(file)[1]:
            for pattern, allowed in LIBRARIES.items():
                if fnmatch.fnmatch("/" + system, pattern) and not matches(file, allowed):
                    yield f"{file}: includes <{system}>, which only {', '.join(allowed)} may"


def os_faults(sources):
    for file in sources.files:
        own, system = sources.included(file)
        if matches(file, OS_FILES):
            continue
        for header in system:
            if matches(header, OS_HEADERS):
                yield f"{file}: includes <{header}> of one OS; only platform/<OS>/ may"
        for header in own:
            if matches(header, OS_FILES):
                yield f"{file}: includes {header}; only platform/<OS>/ may"
        for condition in OS_CONDITION.finditer(sources.texts[file]):
            line = sources.texts[file].count("\n", 0, condition.start()) + 1
            yield f"{file}:{line}: #if on the OS ({condition[1]}); only in platform/<OS>/"


def pure_faults(sources, dependencies):
    defined = set()
    needs = {}
    for file, (headers, calls) in PURE.items():
        if not sources.compiles_here(file):
            continue
        allowed = PURE_HEADERS | set(headers.split())
        for reader in [file, *(path for path in dependencies[file] if path in sources.texts)]:
            for header in sources.included(reader)[1]:
                if header not in allowed:
                    yield (f"{file}: is pure, but {'it' if reader == file else reader} includes"
                           f" <{header}>")
        needs[file], own = sources.calls(file)
        needs[file] -= set(calls.split())
        defined |= own
    for file, names in needs.items():
        for name in sorted(names - PURE_CALLS - defined):
            if not COMPILER_CALLS.match(name):
                yield f"{file}: is pure, but it uses {name}"


def sampler_faults(dependencies):
    for file, read in dependencies.items():
        for path in read:
            if matches(file, SAMPLER) and matches(path, NOT_FOR_SAMPLER):
                yield f"{file}: is of the sampler process, but it reads {path}"


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else __file__).resolve()
    sources = Sources(root if arguments else root.parents[2])
    dependencies = {file: sources.dependencies(file) for file in sources.files
                    if sources.compiles_here(file)}
    faults = [*direction_faults(sources), *library_faults(sources, dependencies),
              *os_faults(sources), *pure_faults(sources, dependencies),
              *sampler_faults(dependencies)]
    for fault in dict.fromkeys(faults):
        print(fault)
    print(f"includes: {len(sources.files)} files, {len(dict.fromkeys(faults))} faults")
    return 1 if faults or not sources.files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
