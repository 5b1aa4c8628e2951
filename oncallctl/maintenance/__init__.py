"""Maintenance windows.

The choices of command-line options are here, where no heavy library is loaded.
"""

from enum import StrEnum


class Mode(StrEnum):
    """What happens to alerts during a window; `debug` and `maintenance` are the names on self-hosted engines."""

    SILENCE = "silence_escalations"
    GROUP = "group_alerts"
    DISABLE = "disable_alerts"
    DEBUG = "debug"
    MAINTENANCE = "maintenance"

    @property
    def in_cloud_words(self) -> str:
        """The name of the mode on Cloud, used everywhere except in requests to a self-hosted engine."""
        return {Mode.DEBUG: Mode.SILENCE, Mode.MAINTENANCE: Mode.GROUP}.get(self, self).value


class IfActive(StrEnum):
    """What to do if another window is active."""

    FAIL = "fail"
    KEEP = "keep"
    REPLACE = "replace"
