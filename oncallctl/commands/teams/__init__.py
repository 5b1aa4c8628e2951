"""The commands of `teams`."""

from oncallctl.commands.teams import handoff, on_call, rota
from oncallctl.commands.teams.app import app

__all__ = ["app", "handoff", "on_call", "rota"]
