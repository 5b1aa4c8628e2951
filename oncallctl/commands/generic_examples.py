"""The examples of the commands that follow from the declaration of a noun; they work on the sandbox."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oncallctl.api.noun import Noun


def of_verb(noun: Noun, verb: str) -> list[str]:
    """Return the examples of one of the verbs `list`, `get`, `create`, `update` and `delete`."""
    return {"list": _list, "get": _get, "create": _create, "update": _update, "delete": _delete}[verb](noun)


def _list(noun: Noun) -> list[str]:
    command = f"oncallctl {noun.name} list"
    filters = [
        f"{command} --{each.option} {shlex.quote(each.noun.sample)}" if each.noun else f"{command} --{each.option}"
        for each in noun.filters
    ]
    team = [f"{command} --team platform"] if noun.team_field else []
    return [command, *filters, *team, f"{command} -o json"][:4]


def _get(noun: Noun) -> list[str]:
    command = " ".join(["oncallctl", noun.name, "get", *_sample(noun)])
    return [command, f"{command} -o json"]


def _create(noun: Noun) -> list[str]:
    command = f"oncallctl {noun.name} create --file -"
    source = f"echo {shlex.quote(noun.sample_create)}"
    if not noun.sample_create:
        source = " ".join(["oncallctl", noun.name, "get", *_sample(noun), "-o", "json"])
    return [f"{source} | {command} --dry-run", f"{source} | {command}"]


def _update(noun: Noun) -> list[str]:
    command = " ".join(["oncallctl", noun.name, "update", *_sample(noun), "--file", "-"])
    source = f"echo {shlex.quote(noun.sample_update)}"
    return [f"{source} | {command} --dry-run", f"{source} | {command}"]


def _delete(noun: Noun) -> list[str]:
    command = " ".join(["oncallctl", noun.name, "delete", *_sample(noun)])
    return [f"{command} --dry-run", f"{command} --yes"]


def _sample(noun: Noun) -> list[str]:
    return [shlex.quote(noun.sample)] if noun.sample else []
