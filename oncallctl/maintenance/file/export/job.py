"""What is to run, wherever it runs."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from oncallctl.config.profiles import Profile
from oncallctl.errors import InvalidInput

WRITTEN = "# Written by `oncallctl maintenance export`"

# Not output: the job shows no results.
_CONFIG = (
    "url",
    "grafana_url",
    "api",
    "allow_http",
    "tz",
    "timeout",
    "longest_window",
    "most_targets",
    "reason_required",
    "modes_allowed",
)


@dataclass(frozen=True)
class Job:
    """`maintenance apply` of a file.

    Attributes:
        file: its absolute path.
        text: what is in it.
        program: the words that start this program, the first an absolute path.
        profile: whose server; None where this machine has none that the job could use.
        environment: what the program finds its files by here, and would not find there.
        dialect: which server it is.
    """

    file: Path
    text: str
    program: tuple[str, ...]
    profile: Profile | None
    environment: Mapping[str, str]
    dialect: str = "oss"

    @property
    def name(self) -> str:
        """A name for units and objects, such as ``oncallctl-windows``: what DNS, systemd and file systems all take."""
        words = re.sub(r"[^a-z0-9]+", "-", self.file.stem.lower()).strip("-")[:40].strip("-")
        return f"oncallctl-{words or 'windows'}"

    @property
    def place(self) -> str:
        """The profile and the host, for a comment."""
        if self.profile is None:
            return "the default profile"
        return f"profile {self.profile.name} ({'the sandbox' if self.profile.is_sandbox else self.profile.host})"

    @property
    def arguments(self) -> list[str]:
        """What follows the program."""
        return self.arguments_for(str(self.file))

    def arguments_for(self, file: str) -> list[str]:
        """What follows the program where the file is in another place."""
        # Named, not left to be the default one: `auth switch` must not send the windows to another server.
        profile = ["--profile", self.profile.name] if self.profile else []
        return ["maintenance", "apply", file, "--quiet", *profile]

    def config(self, profile: Profile, token_file: str) -> str:
        """A config.toml with a profile alone, whose token is in a file; there is no secret in it."""
        import tomlkit

        values = {key: getattr(profile, key) for key in _CONFIG} | {"api": self.dialect, "token_file": token_file}
        table = {key: value for key, value in values.items() if value not in (None, False)}
        return tomlkit.dumps({"default_profile": profile.name, "profiles": {profile.name: table}})


def program() -> tuple[str, ...]:
    """How this program is started from anywhere: its script, or Python and the module."""
    script = Path(sysconfig.get_path("scripts"), "oncallctl")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "oncallctl")


def plain(text: str, what: str) -> str:
    """Pass a text on that goes into a line of a file.

    Raises:
        InvalidInput: it would begin a new line, or do what control characters do.
    """
    if not text.isprintable():
        raise InvalidInput(f"{what} holds a character that cannot be written: {text!r}", hint="give it a plain name")
    return text
