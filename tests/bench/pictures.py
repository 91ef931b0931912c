"""Pictures of what `make bench` has measured, by gnuplot: SVG beside this file, for the README.

timeline.svg: the average, its true crossings, our notifications and those of snmpd's monitor.
peers.svg: processor time at rest and under a flood, and the error of the number, beside the peers'.
"""

import csv
import subprocess
from pathlib import Path

HERE = Path(__file__).parent

TIMELINE = """
set terminal svg size 900,330 font "sans,12"
set output "{output}"
set key outside top horizontal
set xlabel "seconds"
set ylabel "resets received a second, 10 s average"
set yrange [0:40]
set xrange [14:44]
set grid ytics lc rgb "#dddddd"
plot {limit} with lines dt 2 lc rgb "#999999" title "limit", \\
     "{points}" index 0 using 1:2 with steps lw 2 lc rgb "#2774a4" title "average", \\
     "{points}" index 1 using 1:2 with points pt 2 ps 1.2 lc rgb "#000000" title "true crossing", \\
     "{points}" index 2 using 1:2 with points pt 9 ps 1 lc rgb "#1a7c11" title "rstwatchd's notification", \\
     "{points}" index 3 using 1:2 with points pt 5 ps 0.8 lc rgb "#f63100" title "snmpd's monitor"
"""

PEERS = """
set terminal svg size 900,230 noenhanced font "sans,12"
set output "{output}"
# A title that is not shown is in the file all the same: by default, the path of the points.
set multiplot layout 1,3
set style fill solid 0.8
set xrange [0:*]
set yrange [*:*] reverse
set offsets 0, 0, 0.6, 0.6
set grid xtics lc rgb "#dddddd"
set ytics scale 0
unset key
bar(n) = n + 0.35
set xtics 0.05
set title "CPU at rest, % of a core"
plot "{points}" index 0 using 2:0:(0):2:(bar($0)-0.7):(bar($0)):ytic(1) with boxxyerror lc rgb "#2774a4" title "at rest"
set title "CPU under a flood, % of a core"
plot "{points}" index 1 using 2:0:(0):2:(bar($0)-0.7):(bar($0)):ytic(1) with boxxyerror lc rgb "#2774a4" title "flood"
set xtics 25
set title "median error of the number, %"
plot "{points}" index 2 using 2:0:(0):2:(bar($0)-0.7):(bar($0)):ytic(1) with boxxyerror lc rgb "#f63100" title "error"
unset multiplot
"""

# {table: (column, {row: its name in the picture})}
BARS = {
    "idle CPU": ("median", {
        "100 ms: both": "rstwatchd, 100 ms", "1000 ms: both": "rstwatchd, 1 s",
        "node_exporter, a scrape every 10 s": "node_exporter", "100 ms: its snmpd": "snmpd",
        "lldpd (both processes)": "lldpd"}),
    "flood": ("median", {
        "sampler": "rstwatchd, sampler", "agent": "rstwatchd, agent",
        "node_exporter, a scrape a flood": "node_exporter", "its snmpd": "snmpd",
        "lldpd (both processes)": "lldpd"}),
    "error": ("median error", {
        "rstwatchd, tcpResetReceivedAvg10s": "rstwatchd", "AttemptFails": "AttemptFails",
        "AttemptFails + EstabResets": "+ EstabResets"}),
}


def draw(script, name, blocks, **values):
    """blocks: lists of (x, y), as gnuplot's `index` counts them."""
    points = HERE / f"{name}.points"
    points.write_text("\n\n\n".join("\n".join(f'"{x}" {y}' if isinstance(x, str) else f"{x} {y}"
                                              for x, y in block) for block in blocks) + "\n")
    subprocess.run(["gnuplot"], input=script.format(output=HERE / f"{name}.svg", points=points,
                                                    **values), text=True, check=True)
    points.unlink()


def draw_timeline(times, crossings, ours, peers, limits, levels, seconds=(14, 44)):
    """Of one metric: ns of each reset and of what came of it; the part between these seconds."""
    zero = times[0]

    def shown(moments, height):
        return [(s, height) for s in ((ns - zero) / 1e9 for ns in moments)
                if seconds[0] <= s <= seconds[1]]

    average = [((ns - zero) / 1e9, level / 10) for ns, level in levels]
    limit = limits.rising / 10
    draw(TIMELINE, "timeline", [
        [(s, rate) for s, rate in average if seconds[0] <= s <= seconds[1]],
        shown(crossings, limit), shown(ours, limit + 1.5), shown(peers, limit - 2)], limit=limit)


def draw_peers(path):
    """path: of bench.csv."""
    with open(path, newline="", encoding="utf-8") as file:
        values = {(row["table"], row["row"], row["column"]): row["value"]
                  for row in csv.DictReader(file)}
    draw(PEERS, "peers", [[(label, values[table, row, column]) for row, label in names.items()]
                          for table, (column, names) in BARS.items()])
