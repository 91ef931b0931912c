"""Writes template.yaml for Zabbix 6.0 from the module: make.py MODULE MODULE-DIRECTORIES > template.yaml

Takes smidump (libsmi). What the module says of an object decides its item: rates become resets
a second, counters their growth a second, enumerations get value maps.
"""

import ast
import hashlib
import json
import os
import re
import subprocess
import sys

TEMPLATE = "rstwatch by SNMP"
GROUP = {"uuid": "a571c0d144b14fd4a87a9d9b2aa9fcd6", "name": "Templates/Applications"}

# Tables whose rows are discovered: the column that names a row, and the columns that are watched.
# Events come as traps (and are kept on the host): rows that only grow are no items. The heaviest
# peers and ports change all the time: one line each is enough.
TABLES = {
    "tcpResetAlarmTable": ("alarm", "tcpResetAlarmName", None),
    "tcpResetCauseTable": ("cause", "tcpResetCauseLabel",
                           ["tcpResetCauseCount", "tcpResetCauseMethod"]),
    "tcpResetPeerTable": ("peer", "tcpResetPeerText", ["tcpResetPeerText"]),
    "tcpResetPortTable": ("port", "tcpResetPortText", ["tcpResetPortText"]),
    "tcpResetPeerTotalTable": ("peers", "tcpResetPeerTotal", None),
}
DIRECTIONS = {1: "received", 2: "sent"}
SOON, LATER = "10s", "1m"
SOON_FOR = re.compile("Avg10s$|AlarmState$|AlarmSummary$|SampleAge$")

DATE_AND_TIME = """var b = value.trim().split(/[ :]+/).map(function (x) { return parseInt(x, 16); });
function two(n) { return (n < 10 ? '0' : '') + n; }
return (b[0] * 256 + b[1]) + '-' + two(b[2]) + '-' + two(b[3]) + ' ' + two(b[4]) + ':' + two(b[5])
    + ':' + two(b[6]) + (b.length > 8 ? ' ' + String.fromCharCode(b[8]) + two(b[9]) + two(b[10]) : '');"""
TWO_INDEXES = """var names = {1: 'received', 2: 'sent'}, rows = JSON.parse(value);
rows.forEach(function (row) { row['{#DIRECTION}'] = names[row['{#SNMPINDEX}'].split('.')[0]]; });
return JSON.stringify(rows);"""

SUMMARY = """var found = value.match(/(?:%s[.]|tcpResetEventSummary[.])\\d+\\W+([^"\\n]*)/);
return found ? found[1] : value;"""

GRAPH_COLORS = ["1A7C11", "F63100", "2774A4", "A54F10", "FC6EA3", "6C59DC", "AC8C14", "611F27",
                "F230E0", "5CCD18", "BB2A02", "5A2B57", "89ABF8"]


def uuid(*words):
    """The same for the same thing in each version of the template: of the form of a version 4."""
    digits = hashlib.md5("/".join(("rstwatch", *words)).encode()).hexdigest()
    return digits[:12] + "4" + digits[13:16] + "8" + digits[17:]


def module(path, directories):
    text = subprocess.run(["smidump", "-c", os.devnull, "-f", "python", path], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          env={**os.environ, "SMIPATH": directories}).stdout
    return ast.literal_eval(text[text.index("MIB = ") + len("MIB = "):].strip())


class Maker:
    def __init__(self, mib):
        self.mib, self.nodes = mib, mib["nodes"]
        self.root = self.nodes["tcpResetMIB"]["oid"]
        self.valuemaps = {}

    # Items

    def syntax(self, node):
        """(name of the type, its numbers if it is an enumeration)."""
        kind = node["syntax"]["type"]
        if "basetype" not in kind:
            declared = self.mib["typedefs"].get(kind["name"], {})
            name, kind = kind["name"], declared
        else:
            name = kind["basetype"]
        if name == "TruthValue":
            return name, {1: "true", 2: "false"}
        numbers = {int(each["number"]): label for label, each in kind.items()
                   if isinstance(each, dict) and "number" in each}
        return name, numbers if kind.get("basetype") == "Enumeration" else {}

    def valuemap(self, name, numbers):
        self.valuemaps[name] = {
            "uuid": uuid("valuemap", name), "name": name,
            "mappings": [{"value": str(number), "newvalue": label}
                         for number, label in sorted(numbers.items())]}
        return {"name": name}

    def form(self, name):
        """How values of this object are taken and kept."""
        node = self.nodes[name]
        kind, numbers = self.syntax(node)
        units = node.get("units", "")
        if numbers:
            mapped = self.valuemap(name if kind == "Enumeration" else kind, numbers)
            return {"valuemap": mapped, "trends": "0"}
        if kind in ("Counter64", "Counter32"):
            return {"value_type": "FLOAT", "units": f"!{units}/s",
                    "preprocessing": [{"type": "CHANGE_PER_SECOND", "parameters": [""]}]}
        if units.startswith("0.01 "):
            what = units.removeprefix("0.01 ").replace(" per second", "/s").replace("per second", "/s")
            return {"value_type": "FLOAT", "units": f"!{what}",
                    "preprocessing": [{"type": "MULTIPLIER", "parameters": ["0.01"]}]}
        if kind in ("TimeTicks", "TimeStamp"):
            return {"value_type": "FLOAT", "units": "s", "trends": "0",
                    "preprocessing": [{"type": "MULTIPLIER", "parameters": ["0.01"]}]}
        if kind == "DateAndTime":
            return {"value_type": "CHAR", "trends": "0",
                    "preprocessing": [{"type": "JAVASCRIPT", "parameters": [DATE_AND_TIME]}]}
        if kind in ("OctetString", "SnmpAdminString", "InetAddress", "TcpResetCauseSet", "Bits"):
            return {"value_type": "TEXT", "trends": "0"}
        return {"units": {"milliseconds": "!ms", "seconds": "s", "octets": "B", "percent": "%"}
                .get(units, f"!{units}" if units else "")}

    @staticmethod
    def words(name, without="tcpReset"):
        words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=\d)(?=[A-Z])", " ", name.removeprefix(without).removeprefix("tcpReset"))
        words = re.sub(r"[A-Z](?=[a-z])", lambda letter: letter[0].lower(), words)
        words = re.sub(r"(avg|peak)(\d+)s", lambda found: {
            "avg": "average of", "peak": "peak of"}[found[1]] + f" {found[2]} s", words).strip()
        return re.sub(r"\b(ip(?=v)|syn|acks)", lambda found: {
            "ip": "IP", "syn": "SYN", "acks": "ACKs"}[found[1]], words)

    def item(self, name, *, label, index="0", key="", **more):
        """What the host does not know has no value, and is no fault."""
        node, form = self.nodes[name], self.form(name)
        if name != "tcpResetSampleAge":
            form["preprocessing"] = [{"type": "CHECK_NOT_SUPPORTED", "parameters": [""],
                                      "error_handler": "DISCARD_VALUE"},
                                     *form.get("preprocessing", [])]
        item = {"uuid": uuid("item", name, key), "name": label, "type": "SNMP_AGENT",
                "snmp_oid": f"{node['oid']}.{index}", "key": f"{name}{key}",
                "delay": SOON if SOON_FOR.search(name) else LATER, **form,
                "description": node["description"].strip(),
                "tags": [{"tag": "component", "value": "tcp-resets"}], **more}
        return {key: value for key, value in item.items() if value}

    def scalars(self):
        return [self.item(name, label=f"TCP resets: {self.words(name)}",
                          triggers=self.triggers(name))
                for name, node in self.nodes.items() if node["nodetype"] == "scalar"]

    def cause_averages(self):
        """Each by its number, so that one graph can have all of them."""
        _, numbers = self.syntax(self.nodes["tcpResetCauseId"])
        for direction, way in DIRECTIONS.items():
            for number, label in sorted(numbers.items()):
                if number == 0:
                    continue
                yield self.item("tcpResetCauseAvg10s", label=f"TCP resets: {way}, {label}",
                                index=f"{direction}.{number}", key=f"[{direction}.{number}]")

    # Triggers

    def trigger(self, name, expression, priority, **more):
        return {"uuid": uuid("trigger", name), "expression": expression, "name": name,
                "priority": priority, **more}

    @staticmethod
    def of(function, key, *arguments):
        return f"{function}({', '.join([f'/{TEMPLATE}/{key}', *arguments])})"

    def triggers(self, name):
        last = self.of("last", name)
        if name == "tcpResetSampleAge":
            return [self.trigger("TCP resets: nothing is measured any more",
                                 f"{last}>{{$TCPRESET.AGE.MAX}}", "AVERAGE",
                                 description="The newest sample is too old: look at rstwatchd's log."),
                    self.trigger("TCP resets: the host does not answer",
                                 f"{self.of('nodata', name, '{$TCPRESET.NODATA}')}=1", "WARNING",
                                 description="Is snmpd there, and rstwatchd connected to it?")]
        if name == "tcpResetStorageState":
            return [self.trigger("TCP resets: events and settings are not stored",
                                 f"{last}<>1", "WARNING",
                                 description="tcpResetStorageError says why.")]
        if name == "tcpResetSynCookieState":
            return [self.trigger("TCP resets: SYN cookies are off", f"{last}=1", "INFO",
                                 description="A SYN flood fills the queue: RUNBOOK.md.")]
        if name == "tcpResetEventsDropped":
            return [self.trigger("TCP resets: events were dropped before they were told",
                                 f"{last}>0", "WARNING")]
        way = {"tcpResetReceivedAvg10s": "RECEIVED", "tcpResetSentAvg10s": "SENT"}.get(name)
        if not way:
            return []
        limit = f"{{$TCPRESET.{way}.MAX}}"
        return [self.trigger(
            f"TCP resets: more than {limit} a second {way.lower()}", f"{last}>{limit}", "WARNING",
            recovery_mode="RECOVERY_EXPRESSION", recovery_expression=f"{last}<{limit}/10",
            status="DISABLED", description="For hosts whose own alarm is switched off: a limit of "
            "Zabbix's, as exact as its polling.")]

    # Discovery

    def alarm_triggers(self):
        """By poll, and at once by trap: what the trap has said, the poll does not say again."""
        told = self.trap_key("[12]", "Alarm(Raised|Cleared)")
        trap = self.trigger(
            "TCP resets {#NAME}: alarm (trap)",
            f"{self.of('find', told, '', chr(34) + 'regexp' + chr(34), self.told('1', 'Raised'))}=1",
            "HIGH", recovery_mode="RECOVERY_EXPRESSION", recovery_expression=
            f"{self.of('find', told, '', chr(34) + 'regexp' + chr(34), self.told('2', 'Cleared'))}=1",
            opdata="{ITEM.LASTVALUE1}", manual_close="YES",
            description="RUNBOOK.md, beside the module, says for each cause what to do.")
        state = "tcpResetAlarmState[{#SNMPINDEX}]"
        poll = self.trigger(
            "TCP resets {#NAME}: alarm", f"{self.of('last', state)}>=3", "HIGH",
            dependencies=[{"name": trap["name"], "expression": trap["expression"],
                           "recovery_expression": trap["recovery_expression"]}],
            description="tcpResetAlarmSummary says it in a line; RUNBOOK.md, beside the module, "
            "what to do.")
        return trap, poll

    def told(self, arc, name):
        return f'"{self.root}.0.{arc}([^0-9.]|$)|tcpResetAlarm{name}"'

    def trap_key(self, arcs, names):
        """Text of a trap: by numbers (snmptrapd -On) or by names; of the metric {#NAME}."""
        return (f'snmptrap["({self.root}.0.{arcs}[^0-9.]|tcpReset{names})[\\s\\S]*'
                f'({self.root}.1.6.5.1.7.|tcpResetEventMetricName[.])[0-9]+\\W+{{#NAME}}\\W"]')

    def trap_item(self):
        trap, poll = self.alarm_triggers()
        key = self.trap_key("[12]", "Alarm(Raised|Cleared)")
        item = {"uuid": uuid("trap", "alarm"), "name": "TCP resets {#NAME}: alarm traps",
                "type": "SNMP_TRAP", "key": key, "delay": "0", "trends": "0", "value_type": "LOG",
                "tags": [{"tag": "component", "value": "tcp-resets"}], "trigger_prototypes": [trap]}
        return item, poll

    def columns(self, table):
        entry = self.nodes[table]["oid"] + ".1."
        return [name for name, node in self.nodes.items()
                if node["nodetype"] == "column" and node["oid"].startswith(entry)
                and node["access"] in ("readonly", "readwrite")]

    def rule(self, table):
        what, named_by, chosen = TABLES[table]
        indexes = self.nodes[table.replace("Table", "Entry")]["linkage"]
        directed = self.syntax(self.nodes[indexes[0]])[0] == "TcpResetDirection"
        row = {"alarm": "{#NAME}", "cause": "{#DIRECTION}, {#NAME}",
               }.get(what, f"{{#DIRECTION}}, {what} {{#SNMPINDEX}}")
        items = [self.item(name, label=f"TCP resets {row}: "
                           f"{self.words(name, 'tcpReset' + what.capitalize())}",
                           index="{#SNMPINDEX}", key="[{#SNMPINDEX}]")
                 for name in chosen or self.columns(table)]
        rule = {"uuid": uuid("rule", table), "name": f"TCP resets: {what} rows",
                "type": "SNMP_AGENT", "key": f"{table}.discovery", "delay": LATER,
                "snmp_oid": f"discovery[{{#NAME}},{self.nodes[named_by]['oid']}]",
                "lifetime": "1d", "item_prototypes": items}
        if directed:
            rule["preprocessing"] = [{"type": "JAVASCRIPT", "parameters": [TWO_INDEXES]}]
        if what == "alarm":
            trap, poll = self.trap_item()
            next(each for each in items if each["key"].startswith("tcpResetAlarmState"))[
                "trigger_prototypes"] = [poll]
            items.append(trap)
        return rule

    # Pictures

    def graph(self, name, keys, stacked=False):
        return {"uuid": uuid("graph", name), "name": name, "type": "STACKED" if stacked else "NORMAL",
                "ymin_type_1": "FIXED", "graph_items": [
                    {"sortorder": str(n), "color": GRAPH_COLORS[n % len(GRAPH_COLORS)],
                     "drawtype": "FILLED_REGION" if stacked else "BOLD_LINE",
                     "item": {"host": TEMPLATE, "key": key}} for n, key in enumerate(keys)]}

    def dashboard(self, graphs):
        def widget(kind, name, place, *fields):
            x, y, width, height = map(str, place)
            return {"type": kind, "name": name, "x": x, "y": y, "width": width, "height": height,
                    "fields": [dict(zip(("type", "name", "value"), field)) for field in fields]}

        def picture(graph, place):
            return widget("GRAPH_CLASSIC", graph["name"], place, ("INTEGER", "source_type", "0"),
                          ("GRAPH", "graphid", {"host": TEMPLATE, "name": graph["name"]}))

        def figure(name, key, x):
            value, change = "2", "4"  # without its name and time
            return widget("ITEM", name, (x, 0, 6, 3),
                          ("ITEM", "itemid", {"host": TEMPLATE, "key": key}),
                          ("INTEGER", "show", value), ("INTEGER", "show", change),
                          ("INTEGER", "value_size", "32"), ("INTEGER", "decimal_size", "24"),
                          ("INTEGER", "units_size", "20"))

        rates, cookies, received, sent = graphs
        return {"uuid": uuid("dashboard"), "name": "TCP resets", "pages": [{"widgets": [
            figure("Received a second", "tcpResetReceivedAvg10s", 0),
            figure("Sent a second", "tcpResetSentAvg10s", 6),
            figure("SYN cookies", "tcpResetSynCookieState", 12),
            figure("Storage", "tcpResetStorageState", 18),
            picture(rates, (0, 3, 12, 6)), picture(cookies, (12, 3, 12, 6)),
            picture(received, (0, 9, 12, 8)), picture(sent, (12, 9, 12, 8)),
            widget("PLAIN_TEXT", "Events", (0, 17, 24, 8),
                   ("INTEGER", "show_lines", "25"), ("INTEGER", "dynamic", "0"),
                   ("ITEM", "itemids", {"host": TEMPLATE, "key": self.event_log()["key"]})),
        ]}]}

    def event_log(self):
        return {"uuid": uuid("trap", "all"), "name": "TCP resets: event log", "type": "SNMP_TRAP",
                "key": f'snmptrap["{self.root}.0.|tcpReset(Alarm|SynCookieState|Method)"]',
                "delay": "0", "trends": "0", "value_type": "LOG",
                "preprocessing": [{"type": "JAVASCRIPT", "parameters": [
                    SUMMARY % self.nodes["tcpResetEventSummary"]["oid"]]}],
                "tags": [{"tag": "component", "value": "tcp-resets"}]}

    def export(self):
        causes = list(self.cause_averages())
        graphs = [
            self.graph("TCP resets a second",
                       ["tcpResetReceivedAvg10s", "tcpResetSentAvg10s"]),
            self.graph("SYN cookies a second", ["tcpResetSynCookiesAvg10s"]),
            *(self.graph(f"TCP resets {way}, by cause",
                         [each["key"] for each in causes if each["key"].startswith(
                             f"tcpResetCauseAvg10s[{direction}.")], stacked=True)
              for direction, way in DIRECTIONS.items())]
        template = {
            "uuid": uuid("template"), "template": TEMPLATE, "name": TEMPLATE,
            "description": "TCP resets of a host with rstwatchd: rates, causes, SYN cookies, "
                           "alarms by poll and by trap.",
            "groups": [{"name": GROUP["name"]}],
            "items": [*self.scalars(), *causes, self.event_log()],
            "discovery_rules": [self.rule(table) for table in TABLES if table in self.nodes],
            "macros": [
                {"macro": "{$TCPRESET.AGE.MAX}", "value": "5000", "description": "ms"},
                {"macro": "{$TCPRESET.NODATA}", "value": "5m"},
                *({"macro": f"{{$TCPRESET.{way}.MAX}}", "value": "50",
                   "description": "resets a second, for the triggers of Zabbix's own"}
                  for way in ("RECEIVED", "SENT"))],
            "dashboards": [self.dashboard(graphs)]}
        template["valuemaps"] = [self.valuemaps[name] for name in sorted(self.valuemaps)]
        return {"zabbix_export": {"version": "6.0", "date": "2026-11-25T00:00:00Z",
                                  "groups": [GROUP], "templates": [template], "graphs": graphs}}


def yaml(value, indent=0):
    """As YAML; strings as JSON has them, which is YAML, too."""
    space = "  " * indent
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, (dict, list)):
                yield f"{space}{key}:"
                yield from yaml(each, indent + 1)
            else:
                yield f"{space}{key}: {json.dumps(each)}"
    else:
        for each in value:
            if isinstance(each, dict):
                first, *rest = yaml(each, indent + 1)
                yield f"{space}- {first.lstrip()}"
                yield from rest
            else:
                yield f"{space}- {json.dumps(each)}"


if __name__ == "__main__":
    print("# Made by make.py from the module.", *yaml(Maker(module(*sys.argv[1:])).export()), sep="\n")
