"""Alert groups: selecting them, and the actions on them.

The values of options stand here because this module loads nothing heavy.
"""

from enum import StrEnum


class State(StrEnum):
    """State of an alert group; the filter of the API calls firing groups `new`."""

    FIRING = "firing"
    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    SILENCED = "silenced"

    @property
    def in_filter(self) -> str:
        """The value for the filter of the API (alert_groups recordings)."""
        return State.NEW.value if self is State.FIRING else self.value


OPEN = (State.FIRING, State.ACKNOWLEDGED, State.SILENCED)


class GroupBy(StrEnum):
    """Values of `alert-groups list --group-by`."""

    TITLE = "title"
