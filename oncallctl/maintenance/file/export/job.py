"""The job: the command, its profile and its environment."""

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

# The output format is omitted, because the job prints no results.
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
        text: its content.
        program: the words that start this program; the first is an absolute path.
        profile: the profile to use; None if this machine has none that the job could use.
        environment: the variables that locate the program's files here, but are not set for the job.
        dialect: the variant of the server.
    """

    file: Path
    text: str
    program: tuple[str, ...]
    profile: Profile | None
    environment: Mapping[str, str]
    dialect: str = "oss"

    @property
    def name(self) -> str:
        """A name for units and objects, such as ``oncallctl-windows``, valid in DNS, systemd and file systems."""
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
        """The arguments of the program."""
        return self.arguments_for(str(self.file))

    def arguments_for(self, file: str) -> list[str]:
        """Return the arguments of the program if the file has another path."""
        # Named even if it is the default: `auth switch` must not move the windows to another server.
        profile = ["--profile", self.profile.name] if self.profile else []
        return ["maintenance", "apply", file, "--quiet", *profile]

    def config(self, profile: Profile, token_file: str) -> str:
        """Return a config.toml with only this profile, whose token is in a file. It contains no secret."""
        import tomlkit

        values = {key: getattr(profile, key) for key in _CONFIG} | {"api": self.dialect, "token_file": token_file}
        table = {key: value for key, value in values.items() if value not in (None, False)}
        return tomlkit.dumps({"default_profile": profile.name, "profiles": {profile.name: table}})


def program() -> tuple[str, ...]:
    """Return the words that start this program from any folder: its script, or Python and the module."""
    script = Path(sysconfig.get_path("scripts"), "oncallctl")
    return (str(script),) if script.is_file() else (sys.executable, "-m", "oncallctl")


def plain(text: str, what: str) -> str:
    """Return a text that is safe in a line of a file.

    Raises:
        InvalidInput: it contains line breaks or control characters.
    """
    if not text.isprintable():
        raise InvalidInput(f"{what} contains a character that cannot be written: {text!r}", hint="rename it")
    return text
