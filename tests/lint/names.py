"""Holds what the daemon is built with, the MIB module, `rstwatchd --list`, the
manual and the example configuration against each other.

Needs build/rstwatchd (RSTWATCHD names another), cc and smidump. Exit status 1,
and a line for each difference: where it is, and what each side says.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
DAEMON = os.environ.get("RSTWATCHD", "build/rstwatchd")
MODULE = "mib/TCP-RESET-MIB.txt"
MANUAL, CONFIG_MANUAL = "subagent/rstwatchd.8", "subagent/rstwatchd.conf.5"
EXAMPLE, RUNBOOK = "subagent/rstwatchd.conf", "mib/RUNBOOK.md"
TEXTS = [MANUAL, CONFIG_MANUAL, EXAMPLE, RUNBOOK, "README.md", "NEWS.md"]

# Types of other modules, and of this one by their base, as they are on the wire.
WIRE = {"Integer32": "INTEGER", "Enumeration": "INTEGER", "TruthValue": "INTEGER",
        "Bits": "BITS", "Unsigned32": "Unsigned32", "Gauge32": "Unsigned32",
        "Counter32": "Counter32", "Counter64": "Counter64", "TimeStamp": "TimeTicks",
        "TimeTicks": "TimeTicks", "SnmpAdminString": "OCTET STRING",
        "DateAndTime": "OCTET STRING", "OctetString": "OCTET STRING",
        "InetAddressType": "INTEGER", "InetAddress": "OCTET STRING",
        "InetPortNumber": "Unsigned32"}
ACCESS = {"readonly": "read-only", "readwrite": "read-write", "noaccess": None}

COUNTERS_OF_KERNEL = re.compile(r"(\w+):(\w+)")


def text(path):
    return (ROOT / path).read_text()


def run(*command, environment=None):
    try:
        result = subprocess.run([str(part) for part in command], cwd=ROOT, text=True,
                                capture_output=True, env={**os.environ, **(environment or {})})
    except FileNotFoundError:
        sys.exit(f"names: {command[0]} is not there")
    if result.returncode != 0:
        sys.exit(f"names: {' '.join(map(str, command))} failed:\n{result.stderr}")
    return result.stdout


def one_line(words):
    return " ".join(words.split())


# ---- The sides ----

class Daemon:
    """What tests/lint/objects_dump.c prints, and what stands in config.c only."""

    def __init__(self):
        self.objects, self.notifications, self.counters, self.settings = {}, {}, {}, {}
        self.enumerations, self.causes = {}, {}
        for what, *parts in self._dump():
            if what == "object":
                oid, name, syntax, access = parts
                self.objects[name] = {"OID": oid, "syntax": syntax, "access": access}
            elif what == "notification":
                self.notifications[parts[1]] = {"OID": parts[0]}
            elif what == "counter":
                oid, name, linux, freebsd, unit, meaning = parts
                self.counters[name] = {"OID": oid, "Linux source": linux,
                                       "FreeBSD source": freebsd, "unit": unit,
                                       "meaning": meaning}
            elif what == "cause":
                self.causes[parts[0]] = {"OID": parts[1], "phrase": parts[2]}
            elif what == "setting":
                name, key, kind, *numbers = parts
                self.settings[key] = (name, kind, *map(int, numbers))
            elif what == "enumeration":
                self.enumerations.setdefault(parts[0], {})[parts[1]] = int(parts[2])
            elif what == "version":
                self.version = parts[0]
        self._read_config_c()
        columns = re.search(r"columns\[\] = \{([\d, ]+)\}", text("mib/notify.c"))
        self.notified = [int(column) for column in columns[1].split(",")]

    def _dump(self):
        pure = re.search(r"^PURE = ((?:.*\\\n)*.*)$", text("Makefile"), re.MULTILINE)
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory) / "objects_dump"
            run(os.environ.get("CC", "cc"), "-std=gnu11", "-I.", "-D_GNU_SOURCE", "-o", program,
                "tests/lint/objects_dump.c", *pure[1].replace("\\\n", " ").split())
            return [line.split("\t") for line in run(program).splitlines()]

    def _read_config_c(self):
        """Keys outside of the alarm sections: key: (default, minimum, maximum)."""
        source = text("subagent/config.c")
        defines = dict(re.findall(r'#define (\w+) +"?([^"\n]*)"?\n',
                                  text("subagent/config.h") + source))
        self.keys = {}
        for key, literal, name in re.findall(r'CFG_STR\("([\w-]+)", (?:"([^"]*)"|(\w+)),', source):
            self.keys[key] = (defines[name] if name else literal, None, None)
        for key, fallback in re.findall(r'CFG_BOOL\("([\w-]+)", cfg_(true|false),', source):
            self.keys[key] = (fallback, None, None)
        for key, least, most, fallback in re.findall(r'\{"([\w-]+)", (\d+), (\w+), (\d+)\}',
                                                     source):
            self.keys[key] = (fallback, least, defines.get(most, most))


class Module:
    """What smidump reads in the MIB module."""

    def __init__(self):
        xml_text = run("smidump", "-c", "/dev/null", "-f", "xml", MODULE,
                       environment={"SMIPATH": "mib/base:mib"})
        tree = xml.etree.ElementTree.fromstring(xml_text)
        self.types = {typedef.get("name"): typedef for typedef in tree.iter("typedef")
                      if typedef.get("name")}
        self.nodes = {node.get("name"): node for tag in ("node", "scalar", "table", "row",
                      "column", "notification", "group", "compliance") for node in tree.iter(tag)}
        self.objects = {name: node for name, node in self.nodes.items()
                        if node.tag in ("scalar", "column")
                        and ACCESS[node.findtext("access")] is not None}
        self.notifications = {name: node for name, node in self.nodes.items()
                              if node.tag == "notification"}
        if not self.objects or not self.notifications:
            sys.exit(f"names: smidump finds no objects in {MODULE}")

    def type_of(self, node):
        """The element that defines the type: here, or the typedef that it names."""
        inline = node.find("syntax/typedef")
        if inline is not None:
            return inline
        name = node.find("syntax/type").get("name")
        return self.types.get(name, name)

    def syntax(self, node):
        defined = self.type_of(node)
        name = defined if isinstance(defined, str) else defined.get("basetype")
        parent = None if isinstance(defined, str) else defined.find("parent")
        if parent is not None:
            name = parent.get("name")
        return WIRE.get(name, name)

    def labels(self, name):
        element = self.types[name] if name in self.types else self.type_of(self.nodes[name])
        return {label.get("name"): int(label.get("number"))
                for label in element.iter("namednumber")}

    def range(self, node):
        element = self.type_of(node)
        bounds = None if isinstance(element, str) else element.find("range")
        return None if bounds is None else (int(bounds.get("min")), int(bounds.get("max")))


def listed():
    """`rstwatchd --list`, in the form of Daemon.counters and Daemon.causes."""
    counters, causes = {}, {}
    for line in run(ROOT / DAEMON, "--list").splitlines():
        if match := re.fullmatch(r"tcpResetCauseCount\.([\w.]+) +([\d.]+) +(.*)", line):
            causes[match[1]] = {"OID": match[2], "phrase": match[3]}
            continue
        match = re.fullmatch(r"(\w+) +([\d.]+)\.0 +(\([^)]*\)|\S+) +(.*) \((.*)\)", line)
        if not match:
            sys.exit(f"names: {DAEMON} --list: cannot be read: {line}")
        name, oid, source, meaning, unit = match.groups()
        counters[name] = {"OID": oid, f"{os.uname().sysname} source": source, "unit": unit,
                          "meaning": meaning}
    return counters, causes


def manual_counters(root):
    """The section Counters of rstwatchd(8), in the same form."""
    section = re.search(r"^\.Ss Counters\n(.*?)^\.S[sh] ", text(MANUAL), re.MULTILINE | re.DOTALL)
    if not section:
        sys.exit(f"names: {MANUAL}: no section Counters")
    counters = {}
    for item in re.split(r"^\.It ", section[1], flags=re.MULTILINE)[1:]:
        head, _, body = item.partition("\n")
        match = re.fullmatch(r"Va (\w+) No (\.[\d.]+) , (.*) ; (.*)", head)
        meaning = re.fullmatch(r"(.*) \(([^()]*)\)\.", one_line(body.split("\n.El")[0]))
        if not match or not meaning:
            sys.exit(f"names: {MANUAL}: cannot be read: {head}")
        counters[match[1]] = {"OID": root + match[2], "Linux source": match[3],
                              "FreeBSD source": match[4], "unit": meaning[2], "meaning": meaning[1]}
    return counters


# ---- Held against each other ----

def differences(what, here, ours, there, theirs):
    """Two dictionaries of the same form: what only one has, and where they differ."""
    for name in ours.keys() - theirs.keys():
        yield f"{what} {name}: in {here}, not in {there}"
    for name in theirs.keys() - ours.keys():
        yield f"{what} {name}: in {there}, not in {here}"
    for name in ours.keys() & theirs.keys():
        for part in ours[name].keys() & theirs[name].keys():
            if ours[name][part] != theirs[name][part]:
                yield (f"{what} {name}: {part}: {here} has {ours[name][part]},"
                       f" {there} has {theirs[name][part]}")


def object_faults(daemon, module):
    of_module = {name: {"OID": node.get("oid"), "syntax": module.syntax(node),
                        "access": ACCESS[node.findtext("access")]}
                 for name, node in module.objects.items()}
    yield from differences("object", "the daemon", daemon.objects, MODULE, of_module)


def notification_faults(daemon, module):
    of_module = {name: {"OID": node.get("oid")} for name, node in module.notifications.items()}
    yield from differences("notification", "mib/notifications.def", daemon.notifications, MODULE,
                           of_module)
    for name, node in module.notifications.items():
        objects = [member.get("name") for member in node.findall("objects/object")]
        columns = [int(module.nodes[each].get("oid").rsplit(".", 1)[1]) for each in objects]
        if columns != daemon.notified:
            yield (f"notification {name}: objects: mib/notify.c sends columns {daemon.notified},"
                   f" {MODULE} has {columns}")
    kinds = {f"tcpReset{'Alarm' if name in ('raised', 'cleared') else ''}"
             f"{name[0].upper()}{name[1:]}": {"arc": str(number)}
             for name, number in module.labels("tcpResetEventKind").items()}
    arcs = {name: {"arc": each["OID"].rsplit(".", 1)[1]}
            for name, each in daemon.notifications.items()}
    yield from differences("event kind of", "mib/notifications.def", arcs, "tcpResetEventKind",
                           kinds)


def counter_faults(daemon, module):
    root = module.nodes["tcpResetMIB"].get("oid")
    for where, counters in ((f"{DAEMON} --list", listed()[0]),
                            (MANUAL, manual_counters(root))):
        yield from differences("counter", "mib/counters.def", daemon.counters, where, counters)
    of_module = {name: {"OID": node.get("oid"), "unit": node.findtext("units")}
                 for name, node in module.objects.items()
                 if node.tag == "scalar" and module.syntax(node) == "Counter64"}
    yield from differences("counter", "mib/counters.def", daemon.counters, MODULE, of_module)
    for name, counter in daemon.counters.items():
        kernel = COUNTERS_OF_KERNEL.fullmatch(counter["Linux source"])
        if kernel and name in module.objects and name != "tcpResetSent":
            words = f"Linux: {kernel[2]} of {kernel[1]}"
            fields = counter["FreeBSD source"]
            if not fields.startswith("("):
                words += "; FreeBSD: " + re.sub("([+-])", r" \1 ", fields) + " of tcpstat"
            if f"{words}." not in one_line(module.objects[name].findtext("description")):
                yield (f"counter {name}: mib/counters.def has {kernel[0]} and {fields},"
                       f" the description in {MODULE} does not say \"{words}.\"")


def manual_causes():
    """The section Causes of rstwatchd(8): the labels, in their order."""
    section = re.search(r"^\.Ss Causes\n(.*?)^\.S[sh] ", text(MANUAL), re.MULTILINE | re.DOTALL)
    return re.findall(r"^\.It Cm (\w+)$", section[1], re.MULTILINE) if section else []


def runbook_causes():
    """The headings of the section Causes of the runbook."""
    section = re.search(r"^## Causes\n(.*?)^## ", text(RUNBOOK), re.MULTILINE | re.DOTALL)
    return re.findall(r"^### (\w+)$", section[1], re.MULTILINE) if section else []


def cause_faults(daemon):
    yield from differences("cause", "mib/causes.def", daemon.causes, f"{DAEMON} --list",
                           listed()[1])
    labels = [label for label, number in daemon.enumerations["TcpResetCause"].items() if number]
    for where, causes in ((MANUAL, manual_causes()), (RUNBOOK, runbook_causes())):
        if causes != labels:
            yield f"causes: mib/causes.def has {labels}, {where} has {causes}"


def enumeration_faults(daemon, module):
    for name, labels in daemon.enumerations.items():
        of_module = module.labels(name)
        if name == "tcpResetSources":  # the module knows those of later versions
            of_module = {label: number for label, number in of_module.items()
                         if number < len(labels)}
        if labels != of_module:
            yield f"enumeration {name}: the daemon has {labels}, {MODULE} has {of_module}"


def setting_faults(daemon, module):
    for name, kind, *numbers in daemon.settings.values():
        node = module.objects.get(name)
        if node is None:
            continue  # said with the objects
        default = node.findtext("default")
        if kind == "MASK":
            labels = set(re.findall(r"\w+", default or ""))
            default = sum(1 << number for label, number in module.labels(
                "TcpResetCauseSet").items() if label in labels)
        elif kind == "FLAG":
            default = {"true": 1, "false": 0}.get(default)
        elif module.range(node) != tuple(numbers[:2]):
            yield (f"setting {name}: range: subagent/settings.def has {tuple(numbers[:2])},"
                   f" {MODULE} has {module.range(node)}")
        if default is None or int(default) != numbers[2]:
            yield (f"setting {name}: default: subagent/settings.def has {numbers[2]},"
                   f" DEFVAL of {MODULE} is {node.findtext('default')}")


def expected_keys(daemon):
    """Each key of the file: (default, minimum, maximum), as people write them."""
    keys = {key: tuple(daemon.keys[key]) for key in daemon.keys}
    for key, (_, kind, least, most, fallback) in daemon.settings.items():
        if kind == "RATE":
            keys[key] = tuple(f"{number // 100}.{number % 100:02}"
                              for number in (fallback, least, most))
        elif kind == "NUMBER":
            keys[key] = tuple(map(str, (fallback, least, most)))
        else:
            keys[key] = ({"FLAG": "true" if fallback else "false", "MASK": "{all}"}[kind],
                         None, None)
    return {key: {"default": default, "range": (least, most)}
            for key, (default, least, most) in keys.items()}


def manual_keys():
    """Keys of rstwatchd.conf(5), and which column each says it is."""
    keys, columns = {}, {}
    for item in re.split(r"^\.It ", text(CONFIG_MANUAL), flags=re.MULTILINE)[1:]:
        key = re.match(r"Ic ([\w-]+) No =", item)
        if not key:
            continue
        default = re.search(r"^Default:\n\.Cm (.+) \.$", item, re.MULTILINE)
        bounds = re.search(r"^From ([\d.]+) to ([\d.]+)\.$", item, re.MULTILINE)
        column = re.search(r"^\.Va (\w+) :$", item, re.MULTILINE)
        keys[key[1]] = {"default": default[1].replace(r"\(dq", "") if default else None,
                        "range": bounds.groups() if bounds else (None, None)}
        if column:
            columns[key[1]] = column[1]
    return keys, columns


def example_keys():
    """Keys of the example file; a key of the alarm sections must be in all three alike."""
    sections = {"": {}}
    section = ""
    for line in text(EXAMPLE).splitlines():
        if match := re.fullmatch(r"#alarm (\w+) \{", line):
            section = match[1]
            sections[section] = {}
        elif line == "#}":
            section = ""
        elif match := re.fullmatch(r'# *([\w-]+) = ("?)(.*)\2', line):
            sections[section][match[1]] = match[3]
        elif not re.fullmatch(r"# .*|", line):
            sys.exit(f"names: {EXAMPLE}: neither comment nor a key with its default: {line}")
    return sections


def config_faults(daemon):
    expected = expected_keys(daemon)
    keys, columns = manual_keys()
    yield from differences("key", "the daemon", expected, CONFIG_MANUAL, keys)
    for key, (name, *_) in daemon.settings.items():
        if key in keys and columns.get(key) != name:
            yield (f"key {key}: column: subagent/settings.def has {name}, {CONFIG_MANUAL} has"
                   f" {columns.get(key)}")
    sections = example_keys()
    for metric in ["", *daemon.enumerations["TcpResetMetric"]]:
        ours = {key: {"default": each["default"]} for key, each in expected.items()
                if (key in daemon.settings) == bool(metric)}
        theirs = {key: {"default": value} for key, value in sections.pop(metric, {}).items()}
        yield from differences(f"key of {metric}" if metric else "key", "the daemon", ours,
                               EXAMPLE, theirs)
    for section in sections:
        yield f"{EXAMPLE}: alarm {section}: there is no such metric"
    yield from uncommented_faults()


def uncommented_faults():
    """The example with every key taken in must be good."""
    lines = [line[1:] for line in text(EXAMPLE).splitlines() if not line.startswith("# ")]
    with tempfile.TemporaryDirectory() as directory:
        file = pathlib.Path(directory) / "rstwatchd.conf"
        file.write_text("\n".join(lines) + "\n")
        result = subprocess.run([ROOT / DAEMON, "-c", file, "-S", directory, "--check-config"],
                                capture_output=True, text=True)
        if result.returncode != 0:
            yield f"{EXAMPLE}: with every key taken in: {result.stderr.strip()}"


def word_faults(daemon, module):
    """Every name and number of the MIB that people are told exists, and goes together."""
    known = {*module.nodes, *module.types}
    root = module.nodes["tcpResetMIB"].get("oid")
    for path in TEXTS:
        for name in sorted(set(re.findall(r"\b[tT]cpReset[A-Z]\w*", text(path))) - known):
            yield f"{path}: {name} is not in {MODULE}"
        for name, arcs in re.findall(r"Va (\w+) No (\.[\d.]+\d)", text(path)):
            if name in module.nodes and module.nodes[name].get("oid") != root + arcs:
                yield (f"{path}: {name} has {arcs}, {MODULE} has"
                       f" {module.nodes[name].get('oid').removeprefix(root)}")
        for oid in re.findall(r"\b1\.3\.6\.1\.4\.1(?:\.\d+)+", text(path)):
            if not (oid + ".").startswith(root + "."):
                yield f"{path}: {oid} is not below {root}, the root of {MODULE}"
    for name in daemon.notifications:
        if not re.search(rf"^\.It Va {name} No ", text(MANUAL), re.MULTILINE):
            yield f"notification {name}: in the daemon, not in {MANUAL}"


def option_faults():
    """Options of --help and of the manual."""
    told = set(re.findall(r"^  (?:-(\w)|--([\w-]+))", run(ROOT / DAEMON, "--help"), re.MULTILINE))
    help_options = {short or long for short, long in told} | {"help"}  # in the line of --version
    manual_options = {option.lstrip("-") for option in
                      re.findall(r"^\.It Fl (-?[\w-]+)", text(MANUAL), re.MULTILINE)}
    for option in sorted(help_options ^ manual_options):
        where = f"{DAEMON} --help" if option in help_options else MANUAL
        yield f"option {option}: only in {where}"


def version_faults(daemon):
    newest = re.search(r"^## (\S+)", text("NEWS.md"), re.MULTILINE)
    if not newest or not daemon.version.endswith(f" {newest[1]}"):
        yield (f"version: the daemon has {daemon.version}, NEWS.md begins with"
               f" {newest[1] if newest else 'none'}")


def root_fault(daemon, module):
    """One line in place of one for each object."""
    root = module.nodes["tcpResetMIB"].get("oid")
    outside = [each["OID"] for each in daemon.objects.values()
               if not each["OID"].startswith(root + ".")]
    return f"root: {MODULE} has {root}, the daemon has {outside[0]}" if outside else None


def main():
    daemon, module = Daemon(), Module()
    if fault := root_fault(daemon, module):
        sys.exit(f"names: {fault}")
    faults = [*object_faults(daemon, module), *notification_faults(daemon, module),
              *counter_faults(daemon, module), *cause_faults(daemon),
              *enumeration_faults(daemon, module), *setting_faults(daemon, module),
              *config_faults(daemon), *word_faults(daemon, module), *option_faults(),
              *version_faults(daemon)]
    for fault in sorted(set(faults)):
        print(fault)
    print(f"names: {len(daemon.objects)} objects, {len(daemon.counters)} counters,"
          f" {len(daemon.notifications)} notifications, {len(daemon.settings)} settings;"
          f" {len(set(faults))} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
