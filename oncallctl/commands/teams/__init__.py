"""The commands of `teams`."""

from oncallctl.commands.teams import on_call, rota
from oncallctl.commands.teams.app import app

__all__ = ["app", "on_call", "rota"]
