"""A file system that is soon full."""

import subprocess
from contextlib import contextmanager

from lab import cleanup


def fill_up(path):
    """A file there takes all the room that is left."""
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 1024):
                pass
        except OSError:
            pass  # full, as wanted


@contextmanager
def small_file_system(directory):
    """A file system of 512 KiB at `directory`; gives a function that fills it up.

    That function returns another one, which makes room again.
    """
    _run("mount", "-t", "tmpfs", "-o", "size=512k,mode=0700", "rstw-small", directory)
    cleanup.register(directory, lambda: _run("umount", "--lazy", directory))

    def fill():
        filling = directory / "filling"
        fill_up(filling)
        return filling.unlink

    try:
        yield fill
    finally:
        cleanup.forget(directory)
        _run("umount", "--lazy", directory)


def _run(*command):
    subprocess.run(list(map(str, command)), check=True, timeout=10)
