"""Alert groups: choosing them, and what people do to them.

The words that command lines use for them are here, where nothing heavy is loaded.
"""

from enum import StrEnum


class State(StrEnum):
    """The state of an alert group; `new` is the filter's word for what the body calls firing."""

    FIRING = "firing"
    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    SILENCED = "silenced"

    @property
    def in_filter(self) -> str:
        """The word that the filter of the API takes (alert_groups recordings)."""
        return State.NEW.value if self is State.FIRING else self.value


OPEN = (State.FIRING, State.ACKNOWLEDGED, State.SILENCED)
