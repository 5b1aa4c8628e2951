"""`make picture`: run commands on the sandbox in a terminal, and save what it shows as docs/terminal.svg."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import NIGHT_OWLISH
from rich.text import Text

ROOT = Path(__file__).parents[1]
PROGRAM = Path(sys.executable).with_name("oncallctl")
WIDTH, HEIGHT = 128, 60  # cells
LINES = (
    "who platform",
    'page --team platform --title "db down" --yes',
    'maintenance start checkout --for 45m --reason "failover"',
    "teams rota platform --days 2",
)


def main() -> None:
    """Write the picture."""
    console = Console(record=True, width=WIDTH, file=Path(os.devnull).open("w"), force_terminal=True)  # noqa: SIM115
    with tempfile.TemporaryDirectory() as home:
        for line in LINES:
            console.print(Text(f"$ oncallctl {line}", style="bold"))
            console.print(Text.from_ansi(_run(line, home)), soft_wrap=True)
    svg = console.export_svg(title="oncallctl --profile sandbox", theme=NIGHT_OWLISH, unique_id="oncallctl")
    # Images in a README may not load fonts, and the picture must not depend on another host.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    (ROOT / "docs" / "terminal.svg").write_text("\n".join(map(str.rstrip, svg.splitlines())) + "\n", encoding="utf-8")


def _run(line: str, home: str) -> str:
    """Return what a terminal receives from a command."""
    keep = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = {
        **keep,
        "HOME": home,
        "LC_ALL": "C.UTF-8",
        "ONCALLCTL_PROFILE": "sandbox",
        "TERM": "xterm-256color",
        "TZ": "UTC",
        "COLUMNS": str(WIDTH),
    }
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    command = f"{PROGRAM} {line}"
    with subprocess.Popen(  # noqa: S602  # a constant line, quoted as for a shell
        command, shell=True, stdin=theirs, stdout=theirs, stderr=theirs, env=environment
    ) as process:
        os.close(theirs)
        received = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux reports the end of a terminal as an error
                break
            if not chunk:
                break
            received += chunk
    os.close(ours)
    if process.returncode:
        raise SystemExit(f"oncallctl {line}: exit {process.returncode}")
    return received.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
