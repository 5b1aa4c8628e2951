"""The commands: nouns and their verbs.

The commands of a noun are built when it is used: to build all of them would take most of the start of the program.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from oncallctl.api import nouns

if TYPE_CHECKING:
    import typer

_OF_THE_API = {noun.name: noun for noun in nouns.NOUNS}

_WITH_A_MODULE = frozenset(
    {
        "alert-groups",
        "auth",
        "config",
        "escalation-chains",
        "integrations",
        "maintenance",
        "routes",
        "sandbox",
        "schedules",
        "teams",
        "users",
    }
)

NOUNS = {
    **{noun.name: noun.summary for noun in nouns.NOUNS},
    "maintenance": "Maintenance windows, during which alerts page nobody.",
    "auth": "Log in and out, and choose the profile.",
    "config": "Show and change config.toml: profiles, defaults and aliases.",
    "sandbox": "The sandbox: a local OnCall server that pages nobody.",
}
"""Noun -> its summary in the help."""


def app_of(name: str) -> typer.Typer:
    """Return the commands of a noun: from its module if it has one, else those that follow from its declaration."""
    if name in _WITH_A_MODULE:
        app: typer.Typer = import_module(f"oncallctl.commands.{name.replace('-', '_')}").app
        return app
    from oncallctl.commands import generic

    return generic.app_of(_OF_THE_API[name])
