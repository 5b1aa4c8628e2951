"""Where the program begins: signals and streams are put in order before anything else is loaded."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from oncallctl.errors import Signal


def main() -> NoReturn:
    """Run the program and leave it with its exit status."""
    try:
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(signum) is not signal.SIG_IGN:  # what nohup ignores stays ignored
                signal.signal(signum, _arrive)
        for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
            if getattr(sys, name) is None:  # closed by whoever started us
                setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115
        for stream in (sys.stdout, sys.stderr):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a locale without the character
        from oncallctl.cli import app

        app()
    except Signal as early:
        sys.exit(128 + early.signum)
    raise AssertionError


def _arrive(signum: int, _frame: FrameType | None) -> NoReturn:
    raise Signal(signum)


if __name__ == "__main__":
    main()
