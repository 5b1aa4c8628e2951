"""Entry point: set up signals and streams before anything else is imported."""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback until the handlers are installed

import gc
import io
import os
import sys
from typing import NoReturn

from oncallctl.errors import Signal
from oncallctl.process import core_dumps, interrupts

COLLECT_AFTER = 50_000  # new objects: importing creates many, and hardly any garbage


def main() -> NoReturn:
    """Run the program and exit with its status."""
    gc.set_threshold(COLLECT_AFTER)
    try:
        interrupts.install()
        core_dumps.disable()
        _open_streams()
        if sys.argv[1:3] == ["completion", "names"]:  # runs at every TAB: skip the command tree
            from oncallctl.completion import names

            sys.exit(names.main(sys.argv[3:]))
        from oncallctl.cli import app

        app()
    except Signal as early:
        sys.exit(128 + early.signum)
    finally:
        interrupts.end()
        _close_streams()
        # Python removes its handlers before it exits: from here on a signal would kill a program that has succeeded.
        signal.pthread_sigmask(signal.SIG_BLOCK, interrupts.SIGNALS)
        gc.freeze()  # Python's last collection would take as long as `python -c pass`
    raise AssertionError


def _open_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by the parent process
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115  # it stays open; pathlib is slow to import
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for locales that lack the character


def _close_streams() -> None:
    """Flush stdout and stderr, so that Python does not at exit: if that fails, it exits with a status of its own.

    After a signal, discard the buffers instead: writing to a pipe that nobody reads would block.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if interrupts.arrived() is None:
                stream.flush()
                continue
        except OSError:
            pass
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
