"""A token in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import stat
from pathlib import Path

from oncallctl.config.credentials.text import MAX_BYTES, first_line, named, reason
from oncallctl.errors import NoCredentials

_CREDENTIALS_DIRECTORY = re.compile(r"\$(?:\{CREDENTIALS_DIRECTORY\}|CREDENTIALS_DIRECTORY\b)")


def read_token_file(path: str) -> str:
    """Return the token on the first line of a file that only its owner can read.

    `~` and `$CREDENTIALS_DIRECTORY` (systemd's LoadCredential=) are resolved and links followed; what is judged is the
    file that was opened, not its name. Raises NoCredentials.
    """
    file = _expanded(path)
    where = f"token file {named(str(file))}"
    try:
        # Without O_NONBLOCK opening a named pipe would wait for its writer.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise NoCredentials(
            f"{where}: does not exist", hint="check the path, or log in again with --token-file FILE"
        ) from None
    except PermissionError:
        raise NoCredentials(
            f"{where}: this user may not read it",
            hint=f"run as its owner, or find what forbids it: namei -l {shlex.quote(str(file))}",
        ) from None
    except (OSError, ValueError) as error:
        raise NoCredentials(f"{where}: {reason(error)}", hint="check the path of the token file") from None
    try:
        _judge(descriptor, file, where)
        return first_line(_read(descriptor), where)
    except OSError as error:
        raise NoCredentials(f"{where}: {reason(error)}", hint="check the file system that it is on") from None
    finally:
        os.close(descriptor)


def _expanded(path: str) -> Path:
    with contextlib.suppress(RuntimeError):  # the home of nobody: `~` stays, and no such file is found
        path = str(Path(path).expanduser())
    if not _CREDENTIALS_DIRECTORY.search(path):
        return Path(path)
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        raise NoCredentials(
            f"token file {named(path)}: CREDENTIALS_DIRECTORY is not set",
            hint="systemd sets it for a unit that has LoadCredential=NAME:FILE",
        )
    return Path(_CREDENTIALS_DIRECTORY.sub(lambda _: directory, path))


def _judge(descriptor: int, file: Path, where: str) -> None:
    """Raise NoCredentials when the open file is no regular file or when somebody else can read or change it."""
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        raise NoCredentials(f"{where}: is a directory", hint="name the file in it that holds the token")
    if not stat.S_ISREG(status.st_mode):
        raise NoCredentials(
            f"{where}: is not a regular file", hint="a token that a program prints is for --token-command"
        )
    if status.st_uid not in (os.geteuid(), 0):
        raise NoCredentials(
            f"{where}: belongs to another user (uid {status.st_uid}), who could change it",
            hint=f"chown {os.geteuid()} {shlex.quote(str(file))}",
        )
    others = stat.S_IRWXO
    # systemd gives a credential to the user of the unit by an ACL, and the mask of an ACL shows as the group's bits.
    if not _is_credential(file, status):
        others |= stat.S_IRWXG
    if status.st_mode & others:
        raise NoCredentials(
            f"{where}: is open to other users (mode {stat.S_IMODE(status.st_mode):04o})",
            hint=f"chmod 600 {shlex.quote(str(file))}",
        )


def _is_credential(file: Path, opened: os.stat_result) -> bool:
    directory = os.environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return False
    resolved = file.resolve()
    # A link that was turned since the file was opened says nothing about the file.
    return resolved.is_relative_to(Path(directory).resolve()) and os.path.samestat(resolved.stat(), opened)


def _read(descriptor: int) -> bytes:
    content = b""
    while len(content) < MAX_BYTES and (part := os.read(descriptor, MAX_BYTES - len(content))):
        content += part
    return content
