"""Interactive bash, zsh and fish at a terminal, with the completions loaded."""

from __future__ import annotations

import os
import pty
import select
import shlex
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.places import COMPLETIONS
from tests.system.needs import need

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {"bash": "oncallctl.bash", "zsh": "_oncallctl", "fish": "oncallctl.fish"}
SHELLS = list(FILES)

# In each shell, Ctrl-T inserts all completions into the line, and Ctrl-Y writes the line to a file.
BASH = """\
PS1='ready> '
source {completions}/oncallctl.bash
bind '"\\C-t": insert-completions'
dump() {{ printf '%s\\n' "$READLINE_LINE" >{out}.new; mv {out}.new {out}; READLINE_LINE=; }}
bind -x '"\\C-y": dump'
"""
ZSH = """\
PS1='ready> '
unsetopt prompt_sp
{load}
all() {{ _main_complete; compstate[insert]=all; compstate[list]= }}
zle -C all complete-word all
dump() {{ print -r -- "$BUFFER" >{out}.new; mv {out}.new {out}; BUFFER= }}
zle -N dump
bindkey '^I' complete-word '^T' all '^Y' dump
"""
FISH = """\
function fish_prompt; echo 'ready> '; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
source {completions}/oncallctl.fish
function all
    set -l words (complete -C (commandline) | string replace -r '\\t.*' '')
    set -q words[1]
    and commandline (string replace -r '\\S*$' '' -- (commandline))(string join -- ' ' $words)
end
function dump
    commandline >{out}.new
    mv {out}.new {out}
    commandline ''
end
bind \\ct all
bind \\cy dump
"""
ZSH_AUTOLOADED = "fpath=({completions} $fpath); autoload -Uz compinit; compinit -D -u"
ZSH_SOURCED = "autoload -Uz compinit; compinit -D -u; source {completions}/_oncallctl"


class Shell:
    """An interactive shell at a terminal. The end of the context kills it and its children.

    Attributes:
        home: HOME and working directory.
        screen: output.
    """

    def __init__(self, home: Path, words: list[str], variables: dict[str, str]) -> None:
        self.home = home
        self.screen = b""
        self._line = home / "line"
        settings = {"HOME": str(home), "PATH": f"{stubs(home)}:/usr/bin:/bin", "TERM": "xterm", "LANG": "C.UTF-8"}
        leader, follower = pty.openpty()
        termios.tcsetwinsize(follower, (50, 200))
        # A session leader that opens a terminal controls it, so job control and Ctrl-C work.
        self._program = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&1', os.ttyname(follower), *words],
            cwd=home,
            env=settings | variables,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._terminal = leader
        self._follower = follower

    def __enter__(self) -> Self:
        try:
            self.wait_for(lambda: b"ready> " in self.screen)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        os.killpg(self._program.pid, signal.SIGKILL)
        self._program.wait()
        os.close(self._terminal)
        os.close(self._follower)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._terminal, keys.encode())

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Read output until a condition holds."""
        give_up = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < give_up, self.screen.decode(errors="replace")
            if select.select([self._terminal], [], [], 0.02)[0]:
                self.screen += os.read(self._terminal, 65536)

    def after(self, keys: str) -> str:
        """Press keys, and return the command line."""
        self._line.unlink(missing_ok=True)
        self.type(f"{keys}\x19")
        self.wait_for(self._line.exists)
        return self._line.read_text(encoding="utf-8").removesuffix("\n")

    def tab(self, line: str) -> str:
        """Return a line after TAB, without a trailing space or the = that zsh adds."""
        return self.after(f"{line}\t").rstrip(" =")

    def offered(self, line: str) -> list[str]:
        """Return the sorted completions of the last word of a line; options only if it begins with a hyphen."""
        done = self.after(f"{line}\x14")
        words = [] if done == line else done[line.rindex(" ") :].split()
        # If nothing else matches, zsh offers options.
        return sorted(word for word in words if line[line.rindex(" ") :] != " " or not word.startswith("-"))

    def has_run_a_command(self) -> bool:
        """True if oncallctl was run for anything but names."""
        return (self.home / "started").exists()


def stubs(home: Path, otherwise: str = "") -> Path:
    """Create a directory with an oncallctl that runs `completion names` and records every other call.

    Args:
        home: parent of the directory.
        otherwise: shell code for other calls, instead of recording them.
    """
    folder = home / "bin"
    folder.mkdir(exist_ok=True)
    program = f"{shlex.quote(sys.executable)} -m oncallctl"
    mark = f"echo started >>{shlex.quote(str(home / 'started'))}"
    stub = folder / "oncallctl"
    stub.write_text(
        f'#!/bin/sh\n[ "$1 $2" = "completion names" ] && exec {program} "$@"\n{otherwise or mark}\n', encoding="utf-8"
    )
    stub.chmod(0o755)
    return folder


def start(
    name: str,
    home: Path,
    variables: dict[str, str] | None = None,
    *,
    zsh: str = ZSH_AUTOLOADED,
    completions: Path = COMPLETIONS,
) -> Shell:
    """Start bash, zsh or fish with the startup files of the test instead of the user's."""
    program = need(name, name)
    places = {"completions": shlex.quote(str(completions)), "out": shlex.quote(str(home / "line"))}
    text = {"bash": BASH, "zsh": ZSH, "fish": FISH}[name].format(**places, load=zsh.format(**places))
    file = home / (".zshrc" if name == "zsh" else f"rc.{name}")
    file.write_text(text, encoding="utf-8")
    words = {
        "bash": [program, "--noprofile", "--rcfile", str(file), "-i"],
        "zsh": [program, "-d", "-i"],
        "fish": [program, "--no-config", "-i", "--init-command", f"source {shlex.quote(str(file))}"],
    }[name]
    return Shell(home, words, variables or {})
