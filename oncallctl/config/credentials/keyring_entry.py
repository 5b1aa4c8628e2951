"""A token in the keyring of the desktop, bound to its profile and to the host that it is for."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
import threading
from typing import TYPE_CHECKING, TypeVar

from oncallctl.config.credentials.text import masked, reason, valid_token
from oncallctl.errors import NoCredentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

SERVICE = "oncallctl"
KEYRING_SECONDS = 3.0

T = TypeVar("T")


def read_keyring(profile: str, origin: str, *former: str) -> str:
    """Return the token of a profile at an origin ("https://oncall.example.org"), or raise NoCredentials within 3 s.

    Args:
        profile: its name.
        origin: the one that entries are stored under.
        former: other spellings of it, under which older versions stored entries.
    """

    def read(keyring: KeyringBackend) -> str | None:
        for each in _entries(profile, origin, *former):
            if (token := keyring.get_password(SERVICE, each)) is not None:
                return token
        return None

    token = _ask_keyring(profile, read)
    if token is None:
        raise NoCredentials(
            f"the keyring holds no token of profile {profile} for {origin}",
            hint=f"oncallctl auth login {shlex.quote(profile)}",
        )
    return valid_token(token, f"keyring entry of profile {profile} for {origin}")


def write_keyring(profile: str, origin: str, token: str) -> None:
    """Store the token of a profile at an origin in place of an older one, or raise NoCredentials within 3 s."""
    token = valid_token(token, "the token")
    _ask_keyring(profile, lambda keyring: keyring.set_password(SERVICE, _entry(profile, origin), token), secret=token)


def delete_keyring(profile: str, *origins: str) -> bool:
    """Remove the token of a profile at an origin, in each of its spellings, or raise NoCredentials within 3 s.

    Returns:
        False if there was none.
    """

    def delete(keyring: KeyringBackend) -> bool:
        # Asked first because PasswordDeleteError means "none" in one backend and "failed" in the other.
        found = [each for each in _entries(profile, *origins) if keyring.get_password(SERVICE, each) is not None]
        for each in found:
            keyring.delete_password(SERVICE, each)
        return bool(found)

    return _ask_keyring(profile, delete)


def _entries(profile: str, *origins: str) -> list[str]:
    return list(dict.fromkeys(_entry(profile, origin) for origin in origins))


def _entry(profile: str, origin: str) -> str:
    # The origin is part of the name: a changed url does not get the old host's token.
    return f"{profile} {origin}"


def _ask_keyring(profile: str, question: Callable[[KeyringBackend], T], secret: str = "") -> T:
    """Return the answer of the keyring, or raise NoCredentials when there is none within 3 s.

    A Secret Service that hangs does so for 120 s, and then ends in anything but a KeyringError. A daemon thread, unlike
    one of an executor, does not keep the program alive until then. Finding a backend may hang as well.
    """
    outcomes: list[T | NoCredentials] = []

    def work() -> None:
        try:
            outcomes.append(question(_open_keyring()))
        except BaseException as error:  # noqa: BLE001  # whatever a backend raises, the main thread waits for a word
            outcomes.append(_explained(error, profile, secret))

    worker = threading.Thread(target=work, name="keyring", daemon=True)
    worker.start()
    worker.join(KEYRING_SECONDS)
    outcome = outcomes[0] if outcomes else _explained(TimeoutError(), profile, secret)
    if isinstance(outcome, NoCredentials):
        raise outcome
    return outcome


class _Locked(Exception):  # a state, not a failure
    """The keyring would have to be unlocked first."""


class _Absent(Exception):
    """There is no keyring; the argument says why."""


def _open_keyring() -> KeyringBackend:
    """Return the backend that PYTHON_KEYRING_BACKEND, keyring's own configuration or the desktop decides on."""
    import keyring.core
    from keyring.backends import fail, null

    try:
        # Not asked for by name, a backend that keyring does not recommend (a plain file) gets no token.
        keyring.core.init_backend(limit=keyring.core.recommended)
    except (RuntimeError, ConnectionError, FileNotFoundError) as error:
        # How a backend that was asked for by name says that it does not work here.
        raise _Absent(reason(error)) from None
    backend = keyring.get_keyring()
    if isinstance(backend, null.Keyring):
        raise _Absent("keyring is configured to keep nothing")
    if isinstance(backend, fail.Keyring):
        no_bus = sys.platform == "linux" and "DBUS_SESSION_BUS_ADDRESS" not in os.environ
        raise _Absent("there is no D-Bus session" if no_bus else "no Secret Service and no other keyring was found")
    for member in getattr(backend, "backends", [backend]):  # those of a ChainerBackend
        if type(member).__module__ in ("keyring.backends.SecretService", "keyring.backends.libsecret"):
            _look_at_secret_service(getattr(member, "preferred_collection", None))
    return backend


def _look_at_secret_service(path: str | None) -> None:
    """Raise _Locked or _Absent where keyring would open a prompt, which nobody may be there to see."""
    import secretstorage

    with contextlib.closing(secretstorage.dbus_init()) as bus:
        try:
            collection = secretstorage.Collection(bus, path) if path else secretstorage.Collection(bus)
        except secretstorage.ItemNotFoundException:
            raise _Absent("the Secret Service has no default keyring yet") from None
        except secretstorage.SecretServiceNotAvailableException as error:
            raise _Absent(reason(error)) from None
        if collection.is_locked():
            raise _Locked


def _explained(error: BaseException, profile: str, secret: str) -> NoCredentials:
    """Turn what came out of the keyring into an error that says which kind it is and what to do."""
    way_out = (
        f"use a file (oncallctl auth login {shlex.quote(profile)} --url URL --token-file FILE) or ONCALLCTL_URL with "
        "ONCALLCTL_TOKEN; cron needs one of these, a keyring does not open without a desktop"
    )
    kind = type(error).__name__
    if isinstance(error, _Locked) or kind == "KeyringLocked":
        return NoCredentials("the keyring is locked", hint=f"unlock it in the desktop session, or {way_out}")
    if isinstance(error, _Absent) or kind == "NoKeyringError":
        return NoCredentials(f"there is no keyring here: {masked(reason(error), secret)}", hint=way_out)
    if isinstance(error, TimeoutError):
        return NoCredentials(
            f"the keyring did not answer within {KEYRING_SECONDS:g} s",
            hint=f"look for a prompt in the desktop session that waits for an answer, or {way_out}",
        )
    return NoCredentials(f"the keyring failed: {kind}: {masked(reason(error), secret)}", hint=way_out)
