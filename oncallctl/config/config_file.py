"""config.toml: profiles, the default profile and aliases."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from oncallctl.api.urls import base_url
from oncallctl.config.aliases import split_alias
from oncallctl.config.private_files import (
    is_foreign,
    locked,
    make_folder,
    replace_private,
    state_folder,
)
from oncallctl.config.profiles import SANDBOXES, Profile, sandbox
from oncallctl.config.settings import LONGEST_TIMEOUT, Format
from oncallctl.errors import InvalidInput, NotFound
from oncallctl.times import zone

if TYPE_CHECKING:
    from oncallctl.config.schema import ConfigFile
    from oncallctl.config.toml_schema import TomlMistake

Parsed = TypeVar("Parsed")
Table = MutableMapping[str, Any]
"""A TOML table; its values may be anything that TOML can express."""

KEYS = tuple(field.name for field in fields(Profile) if field.name != "name")

# Keys without an option of `auth login`: a new login keeps them.
_LOGIN_KEEPS = (
    "allow_http",
    "output",
    "tz",
    "timeout",
    "longest_window",
    "most_targets",
    "reason_required",
    "modes_allowed",
    "cover_for_others",
)


class Config:
    """The contents of config.toml.

    Reading the file checks only its syntax and permissions. A profile is validated when it is used, so that a mistake
    in one profile does not stop commands that use another.

    Args:
        path: the file; it need not exist.

    Raises:
        InvalidInput: the file exists but cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reload()

    def _reload(self) -> None:
        self._text, self._document = self._load()
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
            raise self._problem("default_profile must be the name of a profile")
        return name

    @property
    def names(self) -> list[str]:
        """The names of the profiles in the file."""
        return list(self._profiles)

    @property
    def aliases(self) -> dict[str, str]:
        """The aliases in the file.

        Raises:
            InvalidInput: an alias is malformed; see `split_alias`.
        """
        table = self._document.get("aliases", {})
        if not isinstance(table, dict):
            raise self._problem("aliases must be a table, such as [aliases]")
        for name, line in table.items():
            try:
                split_alias(name, line)
            except InvalidInput as error:
                raise self._problem(f"aliases {error.message}") from error
        return table

    def profile(self, name: str) -> Profile:
        """Return a validated profile.

        Raises:
            NotFound: there is no profile of this name.
            InvalidInput: the profile has mistakes; the message lists all of them.
        """
        if name in SANDBOXES:
            return sandbox(name)
        table = self._validated({"profiles": {name: self._table(name)}}).profiles[name]
        return Profile(name=name, **{**table.model_dump(), "token_source": table.source})

    def unvalidated(self, name: str) -> Profile:
        """Return the URL and the defaults of a profile without importing pydantic, which is slow.

        Invalid defaults are ignored; `profile` reports them.

        Raises:
            NotFound: there is no profile of this name.
            InvalidInput: the URL of the profile is invalid.
        """
        if name in SANDBOXES:
            return sandbox(name)
        table = self._table(name)
        return Profile(
            name=name,
            url=base_url(str(table.get("url", "")), allow_http=True),
            output=_usable(Format, table.get("output")),
            tz=_usable(_zone_name, table.get("tz")),
            timeout=_usable_timeout(table.get("timeout")),
        )

    def check(self) -> None:
        """Validate all of the file.

        Raises:
            InvalidInput: the file has mistakes; the message lists all of them.
        """
        if mistakes := _mistakes(self._document, self._text):
            raise self._invalid(mistakes)

    def entries(self) -> dict[str, object]:
        """Return the values in the file by key, such as ``profiles.prod.url``; nothing is validated."""
        return dict(_entries(self._document, ""))

    def edit(self, change: Callable[[Table], None]) -> None:
        """Change the file, unless the change introduces a mistake.

        Mistakes that the file has already do not prevent it, so that they can be corrected one by one.

        Args:
            change: changes the document in place.

        Raises:
            InvalidInput: the changed file would have new mistakes, or cannot be written.
        """
        import tomllib

        import tomlkit

        from oncallctl.config.schema import describe

        def checked_change(document: Table) -> None:
            before = {describe(mistake) for mistake in _mistakes(self._document, "")}
            change(document)
            after = _mistakes(tomllib.loads(tomlkit.dumps(document)), "")
            if mistakes := [mistake for mistake in after if describe(mistake) not in before]:
                hint = next((mistake.hint for mistake in mistakes if mistake.hint), None)
                raise InvalidInput("; ".join(map(describe, mistakes)), hint=hint)

        self._rewrite(checked_change)

    def save(self, profile: Profile) -> None:
        """Add or replace a profile; the first one becomes the default. Other profiles and comments stay."""
        table = {
            key: getattr(profile, key)
            for key in KEYS
            if getattr(profile, key) not in (None, False) and (key, getattr(profile, key)) != ("api", "auto")
        }

        def change(document: Table) -> None:
            saved = document.setdefault("profiles", {}).setdefault(profile.name, {})
            for key in saved.keys() - table.keys() - set(_LOGIN_KEEPS):
                del saved[key]
            for key, value in table.items():
                put(saved, key, value)
            document.setdefault("default_profile", profile.name)

        self._rewrite(change)

    def switch(self, name: str) -> None:
        """Make a profile the default."""
        self.profile(name)
        self._rewrite(lambda document: document.update({"default_profile": name}))

    def remove(self, name: str) -> None:
        """Remove a profile. If it was the default, there is no default afterwards."""

        def change(document: Table) -> None:
            document.get("profiles", {}).pop(name, None)  # another process may have removed it
            if document.get("default_profile") == name:
                del document["default_profile"]

        self._rewrite(change)

    def _table(self, name: str) -> dict[str, Any]:
        if name not in self._profiles:
            known = ", ".join([*self._profiles, *SANDBOXES])
            raise NotFound(
                f"no profile {name!r}",
                hint=f"known profiles: {known}; create one with oncallctl auth login {shlex.quote(name)} --url URL",
            )
        return self._profiles[name]

    def _validated(self, document: Mapping[str, Any]) -> ConfigFile:
        from oncallctl.config.schema import validate

        found = validate(document, self._text)
        if isinstance(found, list):
            raise self._invalid(found)
        return found

    def _invalid(self, mistakes: list[TomlMistake]) -> InvalidInput:
        from oncallctl.config.schema import describe

        hint = next((mistake.hint for mistake in mistakes if mistake.hint), None)
        message = "; ".join(f"line {mistake.line}: {describe(mistake)}" for mistake in mistakes)
        return InvalidInput(f"{self.path}: {message}", hint=hint) if hint else self._problem(message)

    def _load(self) -> tuple[str, dict[str, Any]]:
        import tomllib

        try:
            text = self._read()
            return text, tomllib.loads(text)
        except FileNotFoundError:
            return "", {}
        except (
            OSError,
            RuntimeError,
            ValueError,
        ) as error:  # RuntimeError: a link loop, or deep nesting
            raise self._problem(getattr(error, "strerror", None) or str(error)) from error

    def _read(self) -> str:
        """Read the file. Refuse it if other users could have changed it, since it may name a command to run."""
        for folder in {self.path.parent, self.path.resolve().parent}:
            if folder.exists():
                self._check_folder(folder)
        with self.path.open("rb") as file:
            status = os.fstat(file.fileno())
            if is_foreign(status):
                raise self._problem("it belongs to another user")
            if status.st_mode & 0o022:
                raise self._open_to_others("it", self.path)
            return file.read().decode()

    def _check_folder(self, folder: Path) -> None:
        status = folder.stat()
        if is_foreign(status):
            raise self._problem(f"its folder {folder} belongs to another user")
        # Kubernetes volumes are world-writable by their mode, but read-only or owned by root.
        own = status.st_uid == os.geteuid() and os.access(folder, os.W_OK)
        if own and status.st_mode & 0o022 and not status.st_mode & stat.S_ISVTX:
            raise self._open_to_others(f"its folder {folder}", folder)

    def _open_to_others(self, name: str, path: Path) -> InvalidInput:
        return self._problem(f"others may write to {name}", hint=f"chmod go-w {shlex.quote(str(path))}")

    def _problem(self, message: str, hint: str = "fix the file") -> InvalidInput:
        return InvalidInput(f"{self.path}: {message}", hint=f"{hint}, or set ONCALLCTL_CONFIG to another file")

    def _rewrite(self, change: Callable[[Table], None]) -> None:
        """Change the file atomically, keeping its comments and order, and read it again."""
        import tomlkit

        with locked(state_folder() / "config.lock"):
            try:
                document = tomlkit.parse(self._read() if self.path.exists() else "")
                change(document)
                make_folder(self.path.parent)
                replace_private(self.path.resolve(), tomlkit.dumps(document).encode())
            except OSError as error:
                raise self._problem(f"cannot write: {error.strerror}") from error
        self._reload()


def put(table: Table, key: str, value: object) -> None:
    """Set a key of a tomlkit table. A new one goes below the last key, above comments that introduce the next table."""
    from tomlkit.items import Table as TomlTable

    body = table.value.body if isinstance(table, TomlTable) and key not in table else []
    comments = []
    while body and body[-1][0] is None:
        comments.append(body.pop())
    table[key] = value
    body.extend(reversed(comments))


def config_path() -> Path:
    """Return the path of config.toml: ONCALLCTL_CONFIG, or the platform's default.

    Raises:
        InvalidInput: the user has no home directory.
    """
    named = os.environ.get("ONCALLCTL_CONFIG")
    if named:
        return Path(named).expanduser()
    import platformdirs

    try:
        return platformdirs.user_config_path("oncallctl") / "config.toml"
    except RuntimeError as error:  # neither HOME nor an entry in /etc/passwd, as in some containers
        raise InvalidInput(
            "cannot locate config.toml: the user has no home directory", hint="set HOME or ONCALLCTL_CONFIG"
        ) from error


def own_token_file(profile: str) -> Path:
    """Return the path of the file in which `auth login` offers to store the token of a profile."""
    return config_path().absolute().parent / f"{profile}.token"


def config() -> Config:
    """Read config.toml."""
    return Config(config_path())


def aliases() -> dict[str, str]:
    """Return the table ``[aliases]`` of config.toml: names and the command lines for which they stand.

    Neither pydantic nor Typer is imported. Names that are commands are not refused here.

    Raises:
        InvalidInput: the file cannot be read, or an alias is malformed.
    """
    return config().aliases


def _mistakes(document: Mapping[str, Any], text: str) -> list[TomlMistake]:
    """Return the mistakes of a document, with their lines in `text`."""
    from oncallctl.config.schema import ConfigFile, validate
    from oncallctl.config.toml_schema import TomlLines, TomlMistake

    found = validate(document, text)
    mistakes = [] if isinstance(found, ConfigFile) else found
    default = document.get("default_profile")
    if isinstance(default, str) and default not in {*document.get("profiles", ()), *SANDBOXES}:
        path = ("default_profile",)
        mistakes.append(TomlMistake(TomlLines(text).of(path), path, f"default_profile: no profile {default!r}"))
    return mistakes


def _entries(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _entries(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _usable(parse: Callable[[str], Parsed], value: object) -> Parsed | None:
    if not isinstance(value, str):
        return None
    try:
        return parse(value)
    except (InvalidInput, ValueError):
        return None


def _usable_timeout(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 < value <= LONGEST_TIMEOUT else None


def _zone_name(name: str) -> str:
    zone(name)
    return name
