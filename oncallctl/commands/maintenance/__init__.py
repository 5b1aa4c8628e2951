"""Maintenance windows on integrations: a module for each kind of verb."""

from oncallctl.commands.maintenance import journal, windows
from oncallctl.commands.maintenance.app import app

__all__ = ["app", "journal", "windows"]
