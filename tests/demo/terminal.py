"""The live view on a terminal: redraws only lines that have changed.

So a line that was selected with the mouse, a command say, stays selected.
"""

import os
import shutil
import sys
import termios

from lab import cleanup

from view import (BAD, BAR_BAD, BAR_EMPTY, BAR_GOOD, BAR_WARNING, FAINT, GOOD, HEAD, PLAIN,
                  TITLE, WARNING)

_ESCAPE = "\x1b["
_RESET = f"{_ESCAPE}0m"
_STYLES = {  # of 16 colours, so that the terminal's own theme decides
    HEAD: "1;7", TITLE: "1", FAINT: "2", GOOD: "32", WARNING: "33", BAD: "1;31", PLAIN: "0",
    BAR_GOOD: "30;42", BAR_WARNING: "30;43", BAR_BAD: "97;41", BAR_EMPTY: "37;100",
}
_ENTER = f"{_ESCAPE}?1049h{_ESCAPE}?25l{_ESCAPE}2J"  # other screen, no cursor, empty
_LEAVE = f"{_ESCAPE}0m{_ESCAPE}?25h{_ESCAPE}?1049l"


def is_usable(stream):
    return stream.isatty() and os.environ.get("TERM", "dumb") != "dumb"


class Terminal:
    def __init__(self, view):
        self._view = view
        self._drawn = []
        self._size = None
        self._settings = None

    def __enter__(self):
        cleanup.register(self, self._leave)
        self._without_echo()
        sys.stdout.write(_ENTER)
        return self

    def __exit__(self, *_):
        cleanup.forget(self)
        self._leave()

    def show(self, reading, traffic, seconds):
        size = shutil.get_terminal_size()
        lines = [styled(line) for line in self._view.screen(reading, traffic, seconds, *size)]
        if size != self._size:
            self._size, self._drawn = size, []
            sys.stdout.write(f"{_RESET}{_ESCAPE}2J")
        lines += [""] * (len(self._drawn) - len(lines))
        drawn = self._drawn + [None] * (len(lines) - len(self._drawn))
        for row, (new, old) in enumerate(zip(lines, drawn), start=1):
            if new != old:
                sys.stdout.write(f"{_ESCAPE}{row};1H{new}{_RESET}{_ESCAPE}K")
        sys.stdout.flush()
        self._drawn = lines

    def _without_echo(self):
        """What is typed shall not spoil the view. Ctrl-C works as ever."""
        if not sys.stdin.isatty():
            return
        self._settings = termios.tcgetattr(sys.stdin)
        silent = list(self._settings)
        silent[3] &= ~termios.ECHO
        termios.tcsetattr(sys.stdin, termios.TCSANOW, silent)

    def _leave(self):
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()
        if self._settings:
            termios.tcsetattr(sys.stdin, termios.TCSAFLUSH, self._settings)


def styled(line):
    colours = "NO_COLOR" not in os.environ
    return "".join(f"{_ESCAPE}{_STYLES[style]}m{text}{_RESET}" if colours
                   else _without_colour(style, text) for style, text in line)


def _without_colour(style, text):
    """A bar is still a bar."""
    if style in (BAR_GOOD, BAR_WARNING, BAR_BAD):
        return text.replace(" ", "#")
    return text
