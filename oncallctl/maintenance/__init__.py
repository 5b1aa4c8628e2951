"""Maintenance windows: what one is, and how windows are opened and ended.

The words that command lines use for them are here, where nothing heavy is loaded.
"""

from enum import StrEnum


class Mode(StrEnum):
    """What happens to alerts while a window is open, in Cloud's words; `debug` and `maintenance` are OSS's."""

    SILENCE = "silence_escalations"
    GROUP = "group_alerts"
    DISABLE = "disable_alerts"
    DEBUG = "debug"
    MAINTENANCE = "maintenance"

    @property
    def in_cloud_words(self) -> str:
        """The one name that a mode goes by everywhere but on the wire to an OSS server."""
        return {Mode.DEBUG: Mode.SILENCE, Mode.MAINTENANCE: Mode.GROUP}.get(self, self).value


class IfActive(StrEnum):
    """What to do where another window is open."""

    FAIL = "fail"
    KEEP = "keep"
    REPLACE = "replace"
