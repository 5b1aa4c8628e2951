"""The commands: nouns and their verbs, and a few verbs without a noun.

Commands are built on first use: building all of them would take most of the start-up time.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from oncallctl.api import nouns

if TYPE_CHECKING:
    import typer

API_NOUNS = {noun.name: noun for noun in nouns.NOUNS}
"""The nouns that `oncallctl.api.nouns` declares, by name."""

NOUNS = {
    **{noun.name: noun.summary for noun in nouns.NOUNS},
    "maintenance": "Maintenance windows, during which alerts page nobody.",
    "auth": "Log in and out, and choose the profile.",
    "config": "Show and change config.toml: profiles, defaults and aliases.",
    "sandbox": "The sandbox: a local OnCall server that pages nobody.",
}
"""Noun -> its summary in the help."""

VERBS = {
    "api": "Call any API endpoint with the profile's credentials.",
    "commands": "List all commands.",
    "completion": "Print the completion script for a shell.",
    "cover": "Take over a user's shifts for a time, or hand over your own.",
    "doctor": "Check the configuration, the credentials and the server, and suggest fixes.",
    "escalate": "Page a team or users.",
    "help": "Show the help of a command, or about a topic.",
}
"""Command without a noun -> its summary: the first sentence of its docstring."""


def app_of(name: str) -> typer.Typer:
    """Return the app of a noun or verb: that of its module, or of the noun's declaration if it has no module."""
    module = "help_topics" if name == "help" else name.replace("-", "_")
    if find_spec(f"{__name__}.{module}"):
        app: typer.Typer = import_module(f"{__name__}.{module}").app
        return app
    from oncallctl.commands import generic

    return generic.app_of(API_NOUNS[name])
