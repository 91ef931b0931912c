"""mib/nms/telegraf: the file as TOML, and each of its numbers asked of a host. No Telegraf runs."""

import tomllib

from lab import paths
from lab.snmp import Missing

FILE = paths.ROOT / "mib/nms/telegraf/rstwatch.conf"


def play(_, station, ends):
    station.start()
    [snmp] = tomllib.loads(FILE.read_text())["inputs"]["snmp"]
    fields, tables = snmp["field"], snmp["table"]
    for field in fields:
        assert not isinstance(station.manager.get(field["oid"]), Missing), field
    columns = [field for table in tables for field in table["field"]]
    for column in columns:
        assert station.manager.walk(column["oid"]), column
    print(f"telegraf: {len(fields)} objects and {len(columns)} columns are there (no Telegraf ran)")
