"""Files that an option names."""

from __future__ import annotations

import contextlib
from pathlib import Path

from oncallctl.config.settings import Settings
from oncallctl.errors import InvalidInput
from oncallctl.output.render import render_text


def write_file(settings: Settings, path: str, option: str, text: str) -> None:
    """Write a file that an option names, whole or not at all; ``-`` is stdout.

    Raises:
        InvalidInput: it cannot be written.
    """
    if path == "-":
        render_text(settings, text)
        return
    target = Path(path).resolve()  # a link stays one
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists() and not target.is_file():  # a device or a pipe is written to, never replaced
            with target.open("w", encoding="utf-8") as device:
                device.write(text)
        else:
            part.unlink(missing_ok=True)
            with part.open("x", encoding="utf-8") as file:  # not through a link that somebody put there
                file.write(text)
            part.replace(target)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise InvalidInput(f"{option}: cannot write {path!r}: {error.strerror}") from error
    settings.note(f"written: {path}")
