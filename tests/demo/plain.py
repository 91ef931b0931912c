"""The same without a terminal: a line every few seconds, and each notification."""

PERIOD = 5  # seconds


class PlainLines:
    def __init__(self, view):
        self._view = view
        self._next = 0
        self._shown = 0

    def __enter__(self):
        say("In another shell, in this directory:")
        for command in self._view.commands():
            say(f"    {command}")
        return self

    def __exit__(self, *_):
        pass

    def show(self, reading, traffic, seconds):
        for each in reading.notifications[self._shown:]:
            say(f"{seconds:4.0f} s  {each.name} at snmptrapd: {each.summary}")
        self._shown = len(reading.notifications)
        if seconds >= self._next:
            self._next = seconds - seconds % PERIOD + PERIOD
            say(f"{seconds:4.0f} s  {summary(reading)}")


def summary(reading):
    if not reading.answered:
        return "no answer"
    alarms = ", ".join(f"{each.metric} {text(each.average)}/s {each.state}"
                       for each in reading.alarms)
    return f"10 s averages: {alarms}; SYN cookies {reading.syn_cookie_state}" \
        + "".join(f"; {done} {peer}" for done, peer in reading.peers.items())


def text(rate):
    return "-" if rate is None else f"{rate:.2f}"


def say(line):
    print(line, flush=True)
