"""Tokens in the desktop keyring, each bound to a profile and a host."""

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


def read_keyring(profile: str, origin: str) -> str:
    """Return the token of a profile at an origin.

    Args:
        profile: the name of the profile.
        origin: such as ``https://oncall.example.org``.

    Raises:
        NoCredentials: there is no such entry, or the keyring cannot be used; after at most 3 s.
    """
    token = _with_keyring(profile, lambda keyring: keyring.get_password(SERVICE, _entry(profile, origin)))
    if token is None:
        raise NoCredentials(
            f"the keyring has no token of profile {profile} for {origin}",
            hint=f"oncallctl auth login {shlex.quote(profile)}",
        )
    return valid_token(token, f"keyring entry of profile {profile} for {origin}")


def write_keyring(profile: str, origin: str, token: str) -> None:
    """Store the token of a profile at an origin, replacing an older one.

    Raises:
        NoCredentials: the token is invalid, or the keyring cannot be used; after at most 3 s.
    """
    token = valid_token(token, "the token")
    _with_keyring(profile, lambda keyring: keyring.set_password(SERVICE, _entry(profile, origin), token), secret=token)


def delete_keyring(profile: str, origin: str) -> bool:
    """Remove the token of a profile at an origin.

    Returns:
        False if there was no entry.

    Raises:
        NoCredentials: the keyring cannot be used; after at most 3 s.
    """

    def delete(keyring: KeyringBackend) -> bool:
        # Read first, because PasswordDeleteError means "no entry" in one backend and "failed" in another.
        exists = keyring.get_password(SERVICE, _entry(profile, origin)) is not None
        if exists:
            keyring.delete_password(SERVICE, _entry(profile, origin))
        return exists

    return _with_keyring(profile, delete)


def _entry(profile: str, origin: str) -> str:
    # The origin is part of the name: a changed url does not get the old host's token.
    return f"{profile} {origin}"


def check_keyring(profile: str, login: str) -> None:
    """Check that there is an unlocked keyring.

    Args:
        profile: the name of the profile.
        login: the command that logs in with a token file, for the hint.

    Raises:
        NoCredentials: the machine has no such keyring, or it does not respond within 3 s.
    """
    _with_keyring(profile, lambda _: None, login=login)


def _with_keyring(
    profile: str, operation: Callable[[KeyringBackend], T], *, secret: str = "", login: str | None = None
) -> T:
    """Run an operation on the keyring; raise NoCredentials if it fails or takes more than 3 s.

    A hanging Secret Service blocks for 120 s and then raises other errors than KeyringError; finding a backend may hang
    as well. So the operation runs in a daemon thread, which does not keep the program alive, unlike one of an executor.
    """
    login = login or f"oncallctl auth login {shlex.quote(profile)} --url URL --token-file FILE"
    outcomes: list[T | NoCredentials] = []

    def work() -> None:
        try:
            outcomes.append(operation(_open_keyring()))
        except BaseException as error:  # noqa: BLE001  # backends raise anything, even SystemExit
            outcomes.append(_explained(error, login, secret))

    worker = threading.Thread(target=work, name="keyring", daemon=True)
    worker.start()
    worker.join(KEYRING_SECONDS)
    outcome = outcomes[0] if outcomes else _explained(TimeoutError(), login, secret)
    if isinstance(outcome, NoCredentials):
        raise outcome
    return outcome


class _Locked(Exception):
    """The keyring is locked."""


class _Absent(Exception):
    """There is no keyring; the argument is the reason."""


def _open_keyring() -> KeyringBackend:
    """Return the backend chosen by PYTHON_KEYRING_BACKEND, by keyring's configuration or by the desktop."""
    import keyring.core
    from keyring.backends import fail, null

    try:
        # A backend that keyring does not recommend, such as a plain file, is used only if it is configured by name.
        keyring.core.init_backend(limit=keyring.core.recommended)
    except (RuntimeError, ConnectionError, FileNotFoundError) as error:
        # A backend configured by name raises these if it does not work here.
        raise _Absent(reason(error)) from None
    backend = keyring.get_keyring()
    if isinstance(backend, null.Keyring):
        raise _Absent("keyring is configured to store nothing")
    if isinstance(backend, fail.Keyring):
        no_bus = sys.platform == "linux" and "DBUS_SESSION_BUS_ADDRESS" not in os.environ
        raise _Absent("there is no D-Bus session" if no_bus else "no Secret Service and no other keyring was found")
    for member in getattr(backend, "backends", [backend]):  # a ChainerBackend has several backends
        if type(member).__module__ in ("keyring.backends.SecretService", "keyring.backends.libsecret"):
            _require_unlocked_service(getattr(member, "preferred_collection", None))
    return backend


def _require_unlocked_service(path: str | None) -> None:
    """Raise _Locked or _Absent if keyring would open a prompt on the desktop, which may go unseen."""
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


def _explained(error: BaseException, login: str, secret: str) -> NoCredentials:
    """Turn an exception of the keyring into an error with the cause and the alternatives."""
    alternatives = (
        f"use a file ({login}) or ONCALLCTL_URL with ONCALLCTL_TOKEN; cron needs one of these, because keyrings open "
        "only on a desktop"
    )
    kind = type(error).__name__
    if isinstance(error, _Locked) or kind == "KeyringLocked":
        return NoCredentials("the keyring is locked", hint=f"unlock it in the desktop session, or {alternatives}")
    if isinstance(error, _Absent) or kind == "NoKeyringError":
        return NoCredentials(f"no keyring available: {masked(reason(error), secret)}", hint=alternatives)
    if isinstance(error, TimeoutError):
        return NoCredentials(
            f"the keyring did not respond within {KEYRING_SECONDS:g} s",
            hint=f"check for an open prompt in the desktop session, or {alternatives}",
        )
    return NoCredentials(f"the keyring failed: {kind}: {masked(reason(error), secret)}", hint=alternatives)
