"""Checks of installed completion scripts: whether they match this version."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from oncallctl.doctor.finding import Finding, doubtful, good

SHELLS = ("bash", "zsh", "fish")


def examine(script: Callable[[str], str]) -> Iterator[Finding]:
    """Check the shell in use, and every other shell with an installed script."""
    mine = Path(os.environ.get("SHELL", "")).name
    found = [finding for shell in SHELLS if (finding := _shell(shell, script, needed=shell == mine))]
    yield from found or [good("completions", "not installed (no supported shell detected)")]


def _shell(shell: str, script: Callable[[str], str], *, needed: bool) -> Finding | None:
    check = f"completions-{shell}"
    first, *others = _places(shell)
    installed = [place for place in (first, *others) if place.is_file()]
    wanted = script(shell)
    for place in installed:
        if _text(place) != wanted:
            fix = f"oncallctl completion {shell} > {shlex.quote(str(place))}"
            return doubtful(check, f"{place} is from another version", fix)
    if installed:
        return good(check, f"{installed[0]} is current")
    for file in _startup_files(shell):
        if re.search(rf"^[^#\n]*oncallctl\s+completion\s+{shell}\b", _text(file), re.MULTILINE):
            return good(check, f"{file} loads them from the program")
    if not needed:
        return None
    folder = shlex.quote(str(first.parent))
    fix = f"mkdir -p {folder} && oncallctl completion {shell} > {shlex.quote(str(first))}"
    if shell == "zsh":
        fix += f"; and in .zshrc, before compinit: fpath=({folder} $fpath)"
    return doubtful(check, "not installed", fix)


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _home(variable: str, below_home: str) -> Path:
    named = os.environ.get(variable, "")
    return Path(named) if named.startswith("/") else Path.home() / below_home


def _places(shell: str) -> list[Path]:
    """Return the usual locations of a shell's completions, the user's own first."""
    data = _home("XDG_DATA_HOME", ".local/share")
    shared = [Path(each) for each in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")]
    shared += [Path("/opt/homebrew/share")]
    if shell == "bash":
        mine = os.environ.get("BASH_COMPLETION_USER_DIR") or data / "bash-completion"
        return [
            Path(mine, "completions/oncallctl"),
            *(folder / "bash-completion/completions/oncallctl" for folder in shared),
            Path("/etc/bash_completion.d/oncallctl"),
            Path("/opt/homebrew/etc/bash_completion.d/oncallctl"),
        ]
    if shell == "zsh":
        own = [data / "zsh/site-functions", Path.home() / ".zfunc", Path.home() / ".zsh/completions"]
        system = [folder / "zsh" / name for folder in shared for name in ("site-functions", "vendor-completions")]
        return [folder / "_oncallctl" for folder in [*own, *system]]
    settings = _home("XDG_CONFIG_HOME", ".config")
    folders = [settings / "fish/completions", data / "fish/vendor_completions.d", Path("/etc/fish/completions")]
    folders += [folder / "fish/vendor_completions.d" for folder in shared]
    return [folder / "oncallctl.fish" for folder in folders]


def _startup_files(shell: str) -> list[Path]:
    home = Path.home()
    if shell == "bash":
        return [home / ".bashrc", home / ".bash_profile", home / ".profile"]
    if shell == "zsh":
        return [_home("ZDOTDIR", "") / ".zshrc"]
    return [_home("XDG_CONFIG_HOME", ".config") / "fish/config.fish"]
