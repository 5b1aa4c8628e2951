"""Files that the user names with an option."""

from __future__ import annotations

import contextlib
from pathlib import Path

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.output.render import render_text


def write_file(settings: Settings, path: str, option: str, text: str) -> None:
    """Write a file atomically; ``-`` is stdout.

    Raises:
        InvalidInput: the file cannot be written.
    """
    if path == "-":
        render_text(settings, text)
        return
    target = Path(path).resolve()  # replaces the target of a link, not the link
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists() and not target.is_file():  # devices and pipes must not be replaced
            with target.open("w", encoding="utf-8") as device:
                device.write(text)
        else:
            part.unlink(missing_ok=True)
            with part.open("x", encoding="utf-8") as file:  # fails if somebody planted a link
                file.write(text)
            part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise InvalidInput(f"{option}: cannot write {path!r}: {error.strerror}") from error
    settings.note(f"written: {path}")
