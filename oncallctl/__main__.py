"""Where the program begins and ends: signals and streams are put in order before anything else is loaded."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from oncallctl.errors import Signal

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main() -> NoReturn:
    """Run the program and leave it with its exit status."""
    try:
        for signum in _SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:  # what nohup ignores stays ignored
                signal.signal(signum, _arrive)
        _open_streams()
        if sys.argv[1:3] == ["completion", "names"]:  # at every TAB: too often to load the command tree
            from oncallctl.completion import names

            sys.exit(names.main(sys.argv[3:]))
        from oncallctl.cli import app

        app()
    except Signal as early:
        sys.exit(128 + early.signum)
    finally:
        _close_streams()
    raise AssertionError


def _arrive(signum: int, _frame: FrameType | None) -> NoReturn:
    for each in _SIGNALS:  # a second one must not cut short what is said of the first
        signal.signal(each, lambda *_: None)
    raise Signal(signum)


def _open_streams() -> None:
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a locale without the character


def _close_streams() -> None:
    """Leave nothing to be written at exit: where that fails, Python ends with a status of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
