"""The commands of `alert-groups`."""

from oncallctl.commands.alert_groups import reads, writes
from oncallctl.commands.alert_groups.app import app

__all__ = ["app", "reads", "writes"]
