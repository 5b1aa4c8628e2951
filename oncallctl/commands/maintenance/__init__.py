"""Maintenance windows on integrations: a module for each kind of verb."""

from oncallctl.commands.maintenance import debrief, files, journal, run, windows
from oncallctl.commands.maintenance.app import app

__all__ = ["app", "debrief", "files", "journal", "run", "windows"]
