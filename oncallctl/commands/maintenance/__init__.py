"""Maintenance windows on integrations: a module for each kind of verb."""

from oncallctl.commands.maintenance import debrief, export, files, journal, orphans, run, windows
from oncallctl.commands.maintenance.app import app

__all__ = ["app", "debrief", "export", "files", "journal", "orphans", "run", "windows"]
