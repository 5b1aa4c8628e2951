"""Maintenance windows on integrations: a module for each kind of verb, in the order of the help."""

# isort: off
from oncallctl.commands.maintenance import windows
from oncallctl.commands.maintenance import status
from oncallctl.commands.maintenance import run
from oncallctl.commands.maintenance import files
from oncallctl.commands.maintenance import export
from oncallctl.commands.maintenance import journal
from oncallctl.commands.maintenance import debrief
from oncallctl.commands.maintenance import orphans
from oncallctl.commands.maintenance.app import app
# isort: on

__all__ = ["app", "debrief", "export", "files", "journal", "orphans", "run", "status", "windows"]
