"""What teams, integrations and people are called, kept for TAB: a real call leaves it, and completions only read it.

A file for each profile and kind: a line that says whose names they are, then a name a line, in the order of their
bytes. A shell offers them only where that line is what it finds in config.toml itself, so that names are never those of
another server that has come to the same profile name.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import time
from collections.abc import Callable, Collection
from pathlib import Path

from oncallctl.api.noun import Noun
from oncallctl.api.nouns import CACHED
from oncallctl.config.profiles import NAME, Profile
from oncallctl.text import visible

FOLDER = "names"
MOST = 5000
LONGEST = 256  # characters
ABANDONED = 60.0  # seconds after which a file that is being written no longer is

# What a command would not take for a name as it is: a reading that is forced, an option, stdin, an id; what could be
# taken for the first line; a tilde, which fish does not quote at the beginning of what it offers; and no team.
_NOT_PLAIN = re.compile(r"(?:id|name):|[-#~]|[A-Z][A-Z1-9]{12,}$|none$")


class NameCache:
    """Keeps what members of collections are called; that it cannot is no concern of a command.

    Args:
        profile: whose names they are; one that the environment made has no name for completions to find them by.
        config: where config.toml is.
        debug: told, on demand, why names are not kept.
    """

    def __init__(self, profile: Profile, config: Callable[[], Path], debug: Callable[[str], None]) -> None:
        self._profile = profile
        self._config = config
        self._debug = debug

    def keep(self, noun: Noun, names: Collection[str]) -> None:
        """Store the names of all members of a collection; leave an up-to-date file alone."""
        try:
            keep(self._profile, self._config().absolute(), noun.path, names)
        except OSError as error:
            self._debug(f"names are not kept for completions: {error}")


def keep(profile: Profile, config: Path, kind: str, names: Collection[str]) -> None:
    """Keep the names of a collection, all of which have been read; a file that says so already is left alone.

    Raises:
        OSError: it cannot be written.
    """
    path = _path(_folder(), profile.name, kind)
    data = "".join(f"{line}\n" for line in [_place(profile, config), *offered(names)]).encode()
    if not _is_kept(path, data):
        _write(path, data)


def load(profile: Profile, config: Path, kind: str) -> list[str]:
    """Return the names kept for a profile, as they have to be typed.

    None are returned if they are another server's, or if the file could have been written or read by others.

    Raises:
        OSError: there is no such file.
    """
    path = _path(_base() / FOLDER, profile.name, kind)
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="utf-8", errors="strict") as file:
        if not (_is_private(path.parent.lstat(), stat.S_IFDIR) and _is_private(os.fstat(descriptor), stat.S_IFREG)):
            return []
        first, *names = file.read().split("\n")
    return [name for name in names if name and visible(name) == name] if first == _place(profile, config) else []


def forget(name: str) -> None:
    """Forget what a profile's server has told, as far as that can be done."""
    with contextlib.suppress(OSError):
        folder = _folder()
        for kind in CACHED:
            _path(folder, name, kind).unlink(missing_ok=True)


def offered(names: Collection[str]) -> list[str]:
    """What is to be typed for these names, in the order of bytes; those that no line should hold are left out."""
    fit = {name for name in names if name.strip() and len(name) <= LONGEST and visible(name) == name}
    typed = {f"name:{name}" if _NOT_PLAIN.match(name) else name for name in fit}
    return sorted(typed, key=str.encode)[:MOST]


def _folder() -> Path:
    """The folder of the names, made when it is not there; its owner's alone."""
    base = _base()
    base.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in (base, base / FOLDER):
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise PermissionError(f"{folder} is not a folder of this user's own")
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
    return base / FOLDER


def _base() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("oncallctl")


def _is_private(found: os.stat_result, kind: int) -> bool:
    """True if it is of this kind, and only this user may read or write it."""
    return stat.S_IFMT(found.st_mode) == kind and found.st_uid == os.geteuid() and not found.st_mode & 0o077


def _path(folder: Path, name: str, kind: str) -> Path:
    if not NAME.fullmatch(name):
        raise OSError(f"completions do not know a profile called {name!r}")
    return folder / f"{name}.{kind}"


def _place(profile: Profile, config: Path) -> str:
    """The first line: the profile, its server, and the file that says so."""
    if profile.is_sandbox:
        return f"# {profile.name}"
    place = f"# {profile.name} {profile.url} {config}"
    if visible(place) != place:
        raise OSError(f"completions do not know a place like {config}")
    return place


def _is_kept(path: Path, data: bytes) -> bool:
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        mine = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if mine and stat.S_IMODE(found.st_mode) == 0o600 and found.st_size == len(data):
            return path.read_bytes() == data
    return False


def _write(path: Path, data: bytes) -> None:
    """Put the file there in one step: at any moment the old or the new one is there, whole."""
    beside = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        if time.time() - beside.lstat().st_mtime > ABANDONED:
            beside.unlink()
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:  # another run is about to say the same
        return
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
