"""Keys of config.toml, such as ``profiles.prod.timeout``: parse, read, set and unset them."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from oncallctl.config.config_file import KEYS, Config, Table, put
from oncallctl.config.profiles import NAME, SANDBOXES
from oncallctl.errors import InvalidInput, NotFound

DEFAULT_PROFILE = "default_profile"
PROFILES = "profiles"
ALIASES = "aliases"

_HINT = "keys are default_profile, profiles.NAME.FIELD and aliases.NAME; see oncallctl config list"


@dataclass(frozen=True)
class Key:
    """A key: ``default_profile``, ``profiles.NAME.FIELD`` or ``aliases.NAME``.

    Attributes:
        tables: the names of the tables that lead to the key.
        name: its last part.
    """

    tables: tuple[str, ...]
    name: str

    def __str__(self) -> str:
        return ".".join([*self.tables, self.name])


def parse_key(text: str) -> Key:
    """Parse a key. The name of a profile may contain dots.

    Raises:
        InvalidInput: config.toml has no such key.
    """
    first, _, rest = text.partition(".")
    if text == DEFAULT_PROFILE:
        return Key((), DEFAULT_PROFILE)
    if first == ALIASES and rest:
        return Key((ALIASES,), rest)
    if first == PROFILES and "." in rest:
        return _profile_key(*rest.rpartition(".")[::2])
    if first in {PROFILES, ALIASES}:
        raise InvalidInput(f"not a key but a table: {text!r}", hint=_HINT)
    near = difflib.get_close_matches(text, [DEFAULT_PROFILE, PROFILES, ALIASES], 1)
    raise InvalidInput(f"unknown key: {text!r}{_suggestion(near)}", hint=_HINT)


def _profile_key(profile: str, field: str) -> Key:
    if profile in SANDBOXES:
        raise InvalidInput(f"the profile {profile} is built in and has no keys")
    if not NAME.fullmatch(profile):
        raise InvalidInput(f"invalid profile name: {profile!r}", hint="use letters, digits, _, . and -")
    if field not in KEYS:
        near = difflib.get_close_matches(field, KEYS, 1)
        raise InvalidInput(
            f"unknown field of a profile: {field!r}{_suggestion(near)}", hint=f"fields are {', '.join(KEYS)}"
        )
    return Key((PROFILES, profile), field)


def _suggestion(near: list[str]) -> str:
    return f" (did you mean {near[0]}?)" if near else ""


def known_keys(file: Config) -> Iterable[str]:
    """Yield the keys of all profiles and aliases in the file, except those with malformed names."""
    yield DEFAULT_PROFILE
    for profile in filter(NAME.fullmatch, file.names):
        yield from (f"{PROFILES}.{profile}.{field}" for field in KEYS)
    yield from (f"{ALIASES}.{alias}" for alias in file.aliases)


def get(file: Config, key: Key) -> object:
    """Return the value of a key.

    Raises:
        NotFound: the key is not set.
    """
    entries = file.entries()
    if str(key) not in entries:
        raise NotFound(f"{key} is not set", hint=f"oncallctl config set {key} VALUE")
    return entries[str(key)]


def set_text(file: Config, key: Key, text: str) -> None:
    """Set a key from text: a number, ``true`` or ``false``, or items separated by commas, if the field takes these.

    Raises:
        InvalidInput: the value is not valid for this key; the file stays as it is.
        NotFound: there is no such profile. Setting ``url`` creates one.
    """
    _require_profile(file, key, creates=key.name == "url")
    value = _PARSERS.get(key.name, str)(text) if key.tables[:1] == (PROFILES,) else text

    def change(document: Table) -> None:
        table = document
        for name in key.tables:
            table = table.setdefault(name, {})
            if not isinstance(table, Mapping):
                raise InvalidInput(f"{file.path}: {name} must be a table", hint="fix the file")
        put(table, key.name, value)

    file.edit(change)


def unset(file: Config, key: Key) -> bool:
    """Remove a key; return False if it was not set.

    Raises:
        InvalidInput: the key is required; the file stays as it is.
        NotFound: there is no such profile.
    """
    _require_profile(file, key, creates=False)
    if str(key) not in file.entries():
        return False

    def change(document: Table) -> None:
        table = document
        for name in key.tables:
            table = table.get(name, {})
        table.pop(key.name, None)  # another process may have removed it

    file.edit(change)
    return True


def _require_profile(file: Config, key: Key, *, creates: bool) -> None:
    if key.tables[:1] == (PROFILES,) and key.tables[1] not in file.names and not creates:
        file.unvalidated(key.tables[1])  # raises NotFound


def show(value: object) -> str:
    """Format a value like `set_text` reads it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _boolean(text: str) -> bool | str:
    return {"true": True, "false": False}.get(text, text)


def _number(text: str) -> float | str:
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


def _integer(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


def _path(text: str) -> str:
    """Return an absolute path, because commands run in other folders; ``~`` and ``$CREDENTIALS_DIRECTORY`` stay."""
    from oncallctl.config.credentials.text import looks_like_a_token

    if looks_like_a_token(text):
        raise InvalidInput(
            "token_file is the path of a file, not a token", hint="store the token: oncallctl auth login"
        )
    return text if text.startswith(("~", "$")) else str(Path(text).absolute())


# A text that does not parse stays as it is: the schema reports the type it should have.
_PARSERS: Mapping[str, Callable[[str], object]] = {
    "allow_http": _boolean,
    "reason_required": _boolean,
    "cover_for_others": _boolean,
    "timeout": _number,
    "most_targets": _integer,
    "modes_allowed": _items,
    "token_file": _path,
}
