"""config.toml: the profiles, and which of them is the default."""

from __future__ import annotations

import os
import shlex
import stat
import tomllib
from pathlib import Path
from typing import Any

from oncallctl.api.urls import base_url, stack_url
from oncallctl.config.private_files import (
    is_foreign,
    locked,
    make_folder,
    replace_private,
    state_folder,
)
from oncallctl.config.profiles import APIS, SANDBOXES, TOKEN_SOURCES, Profile, sandbox
from oncallctl.config.settings import LONGEST_TIMEOUT, Format
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.times import parse_duration, zone

_KEYS: dict[str, type | tuple[type, ...]] = {
    "url": str,
    "grafana_url": str,
    "api": str,
    "token_source": str,
    "token_file": str,
    "token_command": str,
    "allow_http": bool,
    "output": str,
    "tz": str,
    "timeout": (int, float),
    "longest_window": str,
    "most_targets": int,
    "reason_required": bool,
    "modes_allowed": list,
}

_LOGIN_KEEPS = (
    "allow_http",
    "output",
    "tz",
    "timeout",
    "longest_window",
    "most_targets",
    "reason_required",
    "modes_allowed",
)

_MODES = ("silence_escalations", "group_alerts", "disable_alerts")


class Config:
    """config.toml: the profiles and which of them is the default.

    Args:
        path: where it is; it need not exist.

    Raises:
        InvalidInput: it exists and cannot be read or used.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._document = self._load()
        profiles = self._document.get("profiles", {})
        if not isinstance(profiles, dict) or not all(isinstance(table, dict) for table in profiles.values()):
            raise self._problem("profiles must be tables, such as [profiles.prod]")
        self._profiles: dict[str, dict[str, Any]] = profiles
        for name in SANDBOXES.keys() & profiles.keys():
            raise self._problem(f"the profile {name} is built in; choose another name")

    @property
    def default(self) -> str | None:
        """The name of the default profile."""
        name = self._document.get("default_profile")
        if name is not None and not isinstance(name, str):
            raise self._problem("default_profile is not the name of a profile")
        return name

    @property
    def names(self) -> list[str]:
        """The profiles in the file."""
        return list(self._profiles)

    def profile(self, name: str) -> Profile:
        """Read one profile.

        Raises:
            NotFound: there is none of this name.
            InvalidInput: it cannot be used.
        """
        if name in SANDBOXES:
            return sandbox(name)
        if name not in self._profiles:
            known = ", ".join([*self._profiles, *SANDBOXES])
            raise NotFound(
                f"no profile {name!r}", hint=f"there are: {known}; make one with oncallctl auth login {name} --url URL"
            )
        table = self._profiles[name]
        self._check(name, table)
        values = {key: value for key, value in table.items() if key in _KEYS}
        try:
            values["url"] = base_url(table["url"], allow_http=table.get("allow_http", False))
            if "grafana_url" in table:
                values["grafana_url"] = stack_url(table["grafana_url"])
            zone(table.get("tz"))
            parse_duration(table.get("longest_window", "1d"))
        except InvalidInput as error:
            raise InvalidInput(f"{self.path}: profile {name}: {error.message}", hint=error.hint) from error
        values.setdefault("token_source", _implied_source(table))
        return Profile(name=name, **values)

    def save(self, profile: Profile) -> None:
        """Add or replace a profile, leaving the rest of the file as it is; the first one becomes the default."""
        table = {
            key: getattr(profile, key)
            for key in _KEYS
            if getattr(profile, key) not in (None, False) and (key, getattr(profile, key)) != ("api", "auto")
        }

        def change(document: Any) -> None:  # noqa: ANN401  # tomlkit's documents are typed as Any
            profiles = document.setdefault("profiles", {})
            kept = profiles.get(profile.name, {})
            for key in _LOGIN_KEEPS:
                if key in kept:
                    table.setdefault(key, kept[key])
            profiles[profile.name] = table
            document.setdefault("default_profile", profile.name)

        self._rewrite(change)

    def switch(self, name: str) -> None:
        """Make a profile the default."""
        self.profile(name)
        self._rewrite(lambda document: document.update({"default_profile": name}))

    def remove(self, name: str) -> None:
        """Forget a profile; if it was the default, there is none."""

        def change(document: Any) -> None:  # noqa: ANN401
            document.get("profiles", {}).pop(name, None)  # another process may have been quicker
            if document.get("default_profile") == name:
                del document["default_profile"]

        self._rewrite(change)

    def _load(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self._read())
        except FileNotFoundError:
            return {}
        except (OSError, RuntimeError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:  # a ring of links
            raise self._problem(getattr(error, "strerror", None) or str(error)) from error

    def _read(self) -> str:
        """Read the file, unless others could have changed it: it may name a command that is run."""
        for folder in {self.path.parent, self.path.resolve().parent}:
            if folder.exists():
                self._judge_folder(folder)
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if is_foreign(status):
                raise self._problem("it belongs to another user")
            if status.st_mode & 0o022:
                raise self._open_to_others("it", self.path)
            return file.read().decode()

    def _judge_folder(self, folder: Path) -> None:
        status = folder.stat()
        if is_foreign(status):
            raise self._problem(f"its folder {folder} belongs to another user")
        # Volumes of Kubernetes are open to everybody by their mode, and read-only or root's.
        own = status.st_uid == os.geteuid() and os.access(folder, os.W_OK)
        if own and status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
            raise self._open_to_others(f"its folder {folder}", folder)

    def _open_to_others(self, what: str, path: Path) -> InvalidInput:
        return self._problem(f"others may write to {what}", hint=f"chmod go-w {shlex.quote(str(path))}")

    def _check(self, name: str, table: dict[str, Any]) -> None:
        if not isinstance(table.get("url"), str):
            raise self._problem(f"profile {name} has no url")
        for key, value in table.items():
            if key not in _KEYS:
                raise self._problem(f"profile {name}: unknown key {key!r}; there are {', '.join(_KEYS)}")
            if not isinstance(value, _KEYS[key]) or isinstance(value, bool) is not (_KEYS[key] is bool):
                raise self._problem(f"profile {name}: {key} is not of the right kind")
        for key, choices in (("api", APIS), ("token_source", TOKEN_SOURCES), ("output", tuple(Format))):
            if key in table and table[key] not in choices:
                raise self._problem(f"profile {name}: {key} must be one of {', '.join(choices)}")
        if any(mode not in _MODES for mode in table.get("modes_allowed", [])):
            raise self._problem(f"profile {name}: modes_allowed holds some of {', '.join(_MODES)}")
        if not 0 < table.get("timeout", 1) <= LONGEST_TIMEOUT:
            raise self._problem(f"profile {name}: timeout must be seconds, more than 0 and at most {LONGEST_TIMEOUT}")
        if "token_file" in table and "token_command" in table and "token_source" not in table:
            raise self._problem(f"profile {name} has both token_file and token_command")

    def _problem(self, what: str, hint: str = "mend the file") -> InvalidInput:
        return InvalidInput(f"{self.path}: {what}", hint=f"{hint}, or name another one with ONCALLCTL_CONFIG")

    def _rewrite(self, change: Any) -> None:  # noqa: ANN401
        """Change the file, keeping its comments and order; the old or the new one is there at any moment."""
        import tomlkit

        with locked(state_folder() / "config.lock"):
            try:
                document = tomlkit.parse(self._read() if self.path.exists() else "")
                change(document)
                make_folder(self.path.parent)
                replace_private(self.path.resolve(), tomlkit.dumps(document).encode())
            except OSError as error:
                raise self._problem(f"cannot write: {error.strerror}") from error
        self.__init__(self.path)  # type: ignore[misc]  # read again what was written


def _implied_source(table: dict[str, Any]) -> str:
    if "token_file" in table:
        return "file"
    return "command" if "token_command" in table else "keyring"
