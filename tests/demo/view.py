"""What is on the screen: lines of styled pieces, made from a reading.

A line is a list of (style, text). How a style looks is the display's matter.
"""

from commands import commands

HEAD, TITLE, FAINT, GOOD, WARNING, BAD, BAR_GOOD, BAR_WARNING, BAR_BAD, BAR_EMPTY, PLAIN = (
    "head", "title", "faint", "good", "warning", "bad", "bar-good", "bar-warning", "bar-bad",
    "bar-empty", "plain")

NAME_WIDTH, NUMBER_WIDTH, LIMIT_WIDTH, STATE_WIDTH = 11, 8, 9, 10
WIDE = 100  # columns from which there is room for more
BAR_FULL = 2.5  # times the rising limit: the whole bar

STATE_STYLES = {"normal": GOOD, "pending": WARNING, "raised": BAD, "clearing": WARNING}
BAR_STYLES = {"normal": BAR_GOOD, "pending": BAR_WARNING, "raised": BAR_BAD,
              "clearing": BAR_WARNING}


class View:
    def __init__(self, scene):
        self._commands = commands(scene.station.snmpd.port)

    def commands(self):
        return self._commands

    def screen(self, reading, traffic, seconds, columns, rows):
        """All lines of a screen of that size."""
        top = [*self._head(reading, seconds, columns), *alarm_lines(reading, columns),
               [], *self._situation(reading, traffic), []]
        bottom = [[], [(TITLE, "In another shell, in this directory"),
                       (FAINT, "   (Ctrl-C here ends all of it)")],
                  *([(PLAIN, line)] for line in self._commands)]
        room = rows - len(top) - len(bottom) - 1
        middle = notification_lines(reading, max(room, 1), columns)
        return [cut(line, columns) for line in [*top, *middle, *bottom][:rows]]

    def _head(self, reading, seconds, columns):
        left = " rstwatch   TCP resets of a host, read over SNMP once a second"
        clock = f"{int(seconds) // 60}:{int(seconds) % 60:02} "
        right = clock if reading.answered else "NO ANSWER "
        return [[(HEAD, left + right.rjust(columns - len(left)))], []]

    def _situation(self, reading, traffic):
        in_use = {"true": (BAD, "some were sent in the last 10 s"),
                  "false": (GOOD, "none sent in the last 10 s")}
        return [
            [label("SYN cookies"), (PLAIN, f"{reading.syn_cookie_state}; "),
             in_use.get(reading.syn_cookies_in_use, (FAINT, "not known"))],
            [label("Counting"), (PLAIN, f"{reading.method} by {reading.sources}"),
             (FAINT, f"   {reading.version}")],
            [label("Resets"), (PLAIN, traffic)],
            [label("Peers"), (PLAIN, peers(reading) or "none in the last 10 s")],
        ]


def peers(reading):
    """The heaviest one of each direction."""
    return "; ".join(f"{done} {peer}" for done, peer in reading.peers.items())


def label(text):
    return (FAINT, text.ljust(NAME_WIDTH + 1))


def alarm_lines(reading, columns):
    width = bar_width(columns)
    head = (" " * NAME_WIDTH + "now/s".rjust(NUMBER_WIDTH) + "  "
            + "10 s average and its limits".ljust(width) + "average".rjust(NUMBER_WIDTH + 1)
            + "limit".rjust(LIMIT_WIDTH + 1) + "  alarm")
    return [[(FAINT, head)], *(alarm_line(alarm, width) for alarm in reading.alarms)]


def bar_width(columns):
    others = NAME_WIDTH + NUMBER_WIDTH + 2 + NUMBER_WIDTH + 1 + LIMIT_WIDTH + 1 + STATE_WIDTH
    return max(columns - others, 10)


def alarm_line(alarm, width):
    style = STATE_STYLES.get(alarm.state, FAINT)
    return [(PLAIN, alarm.metric.ljust(NAME_WIDTH)), (PLAIN, number(alarm.now, 1) + "  "),
            *bar(alarm, width),
            (style, " " + number(alarm.average, 2)), (PLAIN, " " + limit(alarm).rjust(LIMIT_WIDTH)),
            (style, "  " + alarm.state)]


def limit(alarm):
    """What would change the alarm: above the rising limit, or not above the falling one."""
    if alarm.rising is None or alarm.falling is None:
        return "-"
    if alarm.state in ("raised", "clearing"):
        return f"<= {alarm.falling:.2f}"
    return f"> {alarm.rising:.2f}"


def number(value, digits):
    return "-".rjust(NUMBER_WIDTH) if value is None else f"{value:{NUMBER_WIDTH}.{digits}f}"


def bar(alarm, width):
    """The average, with ':' at the falling and '|' at the rising limit."""
    if alarm.average is None or not alarm.rising:
        return [(FAINT, "not known".ljust(width))]
    per_column = BAR_FULL * alarm.rising / width
    filled = min(round(alarm.average / per_column), width)
    marks = {int(alarm.falling / per_column): ":", int(alarm.rising / per_column): "|"}
    text = "".join(marks.get(column, " ") for column in range(width))
    return [(BAR_STYLES.get(alarm.state, BAR_GOOD), text[:filled]), (BAR_EMPTY, text[filled:])]


def notification_lines(reading, room, columns):
    """The newest at the bottom; filled up, so that what follows stays in its place."""
    lines = [[(TITLE, "Notifications at snmptrapd")]]
    newest = reading.notifications[-room:]
    lines += [notification_line(each, columns) for each in newest]
    if not newest:
        lines.append([(FAINT, "none yet")])
    return lines + [[]] * (room + 1 - len(lines))


def notification_line(each, columns):
    style = {"raise": BAD, "clear": GOOD}.get(each.word, WARNING)
    name = each.name if columns >= WIDE else each.name.removeprefix("tcpResetAlarm").lower()
    return [(FAINT, each.clock + " "), (style, name + " "), (PLAIN, each.summary)]


def cut(line, columns):
    """No longer than the screen is wide."""
    pieces, room = [], columns
    for style, text in line:
        pieces.append((style, text[:room]))
        room -= len(pieces[-1][1])
    return pieces
