"""Tokens in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
from pathlib import Path

from oncallctl.config.credentials.text import MAX_BYTES, display_name, reason, token_on_first_line
from oncallctl.config.private_files import make_folder, replace_private
from oncallctl.errors import NoCredentials

_CREDENTIALS_DIRECTORY = re.compile(r"\$(?:\{CREDENTIALS_DIRECTORY\}|CREDENTIALS_DIRECTORY\b)")


def read_token_file(path: str) -> str:
    """Return the token on the first line of a file that only its owner can read.

    ``~`` and ``$CREDENTIALS_DIRECTORY`` (systemd's LoadCredential=) are expanded, and links followed. Owner
    and mode are those of the open file, because another file may take its path meanwhile.

    Raises:
        NoCredentials: the file is missing, open to other users, or contains no token.
    """
    file = _expanded(path)
    where = f"token file {display_name(str(file))}"
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise NoCredentials(
            f"{where}: does not exist", hint="check the path, or log in again with --token-file FILE"
        ) from None
    except PermissionError:
        raise NoCredentials(
            f"{where}: permission denied",
            hint=f"run as its owner, or check the folders above it: namei -l {shlex.quote(str(file))}",
        ) from None
    except (OSError, ValueError) as error:
        raise NoCredentials(f"{where}: {reason(error)}", hint="check the path of the token file") from None
    try:
        _require_private(descriptor, file, where)
        return token_on_first_line(_read(descriptor), where)
    except OSError as error:
        raise NoCredentials(f"{where}: {reason(error)}", hint="check its file system") from None
    finally:
        os.close(descriptor)


def write_token_file(file: Path, token: str) -> None:
    """Store a token in a file of mode 0600, replacing an older one atomically.

    Raises:
        NoCredentials: the file cannot be written.
    """
    try:
        make_folder(file.parent)
        replace_private(file, f"{token}\n".encode())
    except OSError as error:
        raise NoCredentials(
            f"token file {display_name(str(file))}: cannot be written: {reason(error)}",
            hint="check the permissions of its folder and the free disk space",
        ) from None


def _expanded(path: str) -> Path:
    with contextlib.suppress(RuntimeError):  # no such user: `~` stays, and the file is reported as missing
        path = str(Path(path).expanduser())
    if not _CREDENTIALS_DIRECTORY.search(path):
        return Path(path)
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise NoCredentials(
            f"token file {display_name(path)}: CREDENTIALS_DIRECTORY is not set",
            hint="systemd sets it for units with LoadCredential=NAME:FILE",
        )
    return Path(_CREDENTIALS_DIRECTORY.sub(lambda _: directory, path))


def _require_private(descriptor: int, file: Path, where: str) -> None:
    """Raise NoCredentials unless the open file is a regular one that no other user can read or change."""
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise NoCredentials(f"{where}: is a directory", hint="give the path of the token file in this directory")
    if not stat.S_ISREG(status.st_mode):
        raise NoCredentials(
            f"{where}: is not a regular file", hint="use --token-command for a program that prints the token"
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise NoCredentials(
            f"{where}: belongs to another user (uid {status.st_uid}), who could change it",
            hint=f"chown {os.geteuid()} {shlex.quote(str(file))}",
        )
    others = stat.S_IRWXO
    # systemd grants a unit its credentials by an ACL, whose mask appears as the permissions of the group.
    if not _is_systemd_credential(file, status):
        others |= stat.S_IRWXG
    if status.st_mode & others:
        raise NoCredentials(
            f"{where}: is open to other users (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"chmod 600 {shlex.quote(str(file))}",
        )


def _is_systemd_credential(file: Path, opened: os.stat_result) -> bool:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return False
    resolved = file.resolve()
    # A link may point elsewhere since the file was opened, so compare with the open file.
    return resolved.is_relative_to(Path(directory).resolve()) and os.path.samestat(resolved.stat(), opened)


def _read(descriptor: int) -> bytes:
    content = b""
    while len(content) < MAX_BYTES and (part := os.read(descriptor, MAX_BYTES - len(content))):
        content += part
    return content
