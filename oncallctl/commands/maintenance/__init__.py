"""Maintenance windows on integrations: a module for each kind of verb."""

from oncallctl.commands.maintenance import files, journal, windows
from oncallctl.commands.maintenance.app import app

__all__ = ["app", "files", "journal", "windows"]
