"""The difference between the server's clock and this machine's, stored between runs of `apply`.

`apply` runs every minute and asks the server only if something may be due. On a machine whose clock is wrong by hours
nothing would seem due at the right time, so the difference is measured every hour.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

from oncallctl.config.private_files import naming_file, open_private, replace_private
from oncallctl.errors import InvalidInput
from oncallctl.times import now

MAX_AGE = timedelta(hours=1)


def remembered(folder: Path, server: str) -> timedelta | None:
    """Return the difference measured within the last hour, or None."""
    try:
        with os.fdopen(open_private(_path(folder, server), os.O_RDONLY), encoding="utf-8") as file:
            measured_at, seconds = file.read().split()
        age = now() - datetime.fromisoformat(measured_at)
        skew = timedelta(seconds=float(seconds))
    except (OSError, ValueError, OverflowError, InvalidInput):  # missing or unusable
        return None
    return skew if timedelta() <= age < MAX_AGE else None  # negative: this machine's clock was set back since


def remember(folder: Path, server: str, skew: timedelta) -> None:
    """Store the difference.

    Raises:
        InvalidInput: the file cannot be written.
    """
    path = _path(folder, server)
    with naming_file(path):
        replace_private(path, f"{now().isoformat()} {skew.total_seconds()}\n".encode())


def _path(folder: Path, server: str) -> Path:
    return folder / f"clock-{hashlib.sha256(server.encode()).hexdigest()[:12]}"
