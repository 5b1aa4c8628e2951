"""Cached names for TAB completion: commands write them, completions only read them.

Each profile has a file per kind of object. The first line contains the profile, its server and the path of config.toml.
The other lines contain a name each, sorted by their bytes. Alert groups are identified by ID, so their file contains
the IDs in the output of the latest command, each followed by a tab and the title.

Names are offered only if the first line matches the current config.toml. After the URL of a profile changes, completion
thus ignores the names of the old server.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from oncallctl.api.noun import Noun
from oncallctl.api.nouns import CACHED
from oncallctl.config.profiles import NAME, Profile
from oncallctl.text import cut, visible

FOLDER = "names"
MAX_NAMES = 5000
MAX_LENGTH = 256  # characters
ALERT_GROUPS = "alert-groups"
MAX_ALERT_GROUPS = 300
MAX_TITLE = 80  # characters
ABANDONED = 60.0  # seconds; an older temporary file is from a process that was killed

_ID = r"[A-Z][A-Z0-9]{1,31}"

# Names that are offered as name:NAME. Without the prefix, a command would read them as an option, stdin, an ID or "no
# team"; the cache would read "#" as its first line; and fish would not quote "~".
_NOT_PLAIN = r"(?:id|name):|[-#~]|[A-Z][A-Z1-9]{12,}$|none$"


class NameCache:
    """Caches names for a command, which does not fail if they cannot be cached.

    Args:
        profile: the profile in use.
        config: returns the path of config.toml.
        debug: logs the reason for a failure.
    """

    def __init__(self, profile: Profile, config: Callable[[], Path], debug: Callable[[str], None]) -> None:
        self._profile = profile
        self._config = config
        self._debug = debug

    def keep(self, noun: Noun, names: Collection[str]) -> None:
        """Store the names of all members of a collection; leave an up-to-date file alone."""
        self._try(lambda config: write_names(self._profile, config, noun.path, names))

    def keep_alert_groups(self, titles: Mapping[str, str]) -> None:
        """Store the IDs and titles of the alert groups that a command printed."""
        self._try(lambda config: write_alert_groups(self._profile, config, titles))

    def _try(self, store: Callable[[Path], None]) -> None:
        try:
            store(self._config().absolute())
        except OSError as error:
            self._debug(f"names are not cached for completion: {error}")


def write_names(profile: Profile, config: Path, kind: str, names: Collection[str]) -> None:
    """Write the names of a collection, unless the file has them already.

    Raises:
        OSError: the file cannot be written.
    """
    _replace(profile, config, kind, completion_words(names))


def write_alert_groups(profile: Profile, config: Path, titles: Mapping[str, str]) -> None:
    """Write the IDs of alert groups with their titles, in the given order, up to `MAX_ALERT_GROUPS`.

    Raises:
        OSError: the file cannot be written.
    """
    lines = [
        f"{ident}\t{visible(cut(title, MAX_TITLE))}" for ident, title in titles.items() if re.fullmatch(_ID, ident)
    ]
    _replace(profile, config, ALERT_GROUPS, lines[:MAX_ALERT_GROUPS])


def _replace(profile: Profile, config: Path, kind: str, lines: Iterable[str]) -> None:
    path = _path(_folder(), profile.name, kind)
    data = "".join(f"{line}\n" for line in [_header(profile, config), *lines]).encode()
    if not _is_current(path, data):
        _write(path, data)


def load(profile: Profile, config: Path, kind: str) -> list[str]:
    """Return the cached names of a profile, in the form to type. IDs of alert groups are followed by a tab and a title.

    The list is empty if the names are from another server, or if other users may read or write the file.

    Raises:
        OSError: the file does not exist.
    """
    path = _path(_base() / FOLDER, profile.name, kind)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="utf-8", errors="strict") as file:
        if not (_is_private(path.parent.lstat(), stat.S_IFDIR) and _is_private(os.fstat(descriptor), stat.S_IFREG)):
            return []
        first, *names = file.read().split("\n")
    if first != _header(profile, config):
        return []
    return [name for name in names if name and all(visible(part) == part for part in name.split("\t", 1))]


def forget(name: str) -> None:
    """Delete the cached names of a profile, ignoring failures."""
    with contextlib.suppress(OSError):
        folder = _folder()
        for kind in (*CACHED, ALERT_GROUPS):
            _path(folder, name, kind).unlink(missing_ok=True)


def completion_words(names: Collection[str]) -> list[str]:
    """Return names in the form to type, sorted by their bytes.

    Blank and long names, and those with control characters, are left out: a line of the file cannot hold them.
    """
    usable = {name for name in names if name.strip() and len(name) <= MAX_LENGTH and visible(name) == name}
    words = {f"name:{name}" if re.match(_NOT_PLAIN, name) else name for name in usable}
    return sorted(words, key=str.encode)[:MAX_NAMES]


def _folder() -> Path:
    """Return the cache folder. Create it if it is missing, with mode 0700."""
    base = _base()
    base.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (base, base / FOLDER):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is not a folder of this user")
        if stat.S_IMODE(status.st_mode) != 0o700:
            folder.chmod(0o700)
    return base / FOLDER


def _base() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("oncallctl")


def _is_private(status: os.stat_result, file_type: int) -> bool:
    """True if a file has this type, and only this user may read or write it."""
    return stat.S_IFMT(status.st_mode) == file_type and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def _path(folder: Path, name: str, kind: str) -> Path:
    if not NAME.fullmatch(name):
        raise OSError(f"profile name not supported by completion: {name!r}")
    return folder / f"{name}.{kind}"


def _header(profile: Profile, config: Path) -> str:
    """Return the first line: the profile, its server and the path of config.toml."""
    if profile.is_sandbox:
        return f"# {profile.name}"
    header = f"# {profile.name} {profile.url} {config}"
    if visible(header) != header:
        raise OSError(f"path not supported by completion: {config}")
    return header


def _is_current(path: Path, data: bytes) -> bool:
    with contextlib.suppress(FileNotFoundError):
        status = path.lstat()
        is_private = _is_private(status, stat.S_IFREG) and stat.S_IMODE(status.st_mode) == 0o600
        if is_private and status.st_size == len(data):
            return path.read_bytes() == data
    return False


def _write(path: Path, data: bytes) -> None:
    """Replace the file atomically."""
    temporary = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        if time.time() - temporary.lstat().st_mtime > ABANDONED:
            temporary.unlink()
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:  # another process is writing this file
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
