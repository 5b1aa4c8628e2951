"""Integrations: the sources of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.api.nouns import INTEGRATIONS
from oncallctl.commands import generic
from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput
from oncallctl.output.render import render
from oncallctl.parsing.options import (
    DryRunOption,
    LimitOption,
    MatchOption,
    TeamOption,
    key_value,
    read_object,
    text_value,
)

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall

TYPES = {"TYPE": "type", "INTEGRATIONS": "count"}

IntegrationArgument = Annotated[str, typer.Argument(metavar="INTEGRATION", help="Name or ID.")]
LabelsFilterOption = Annotated[
    list[str] | None,
    typer.Option(
        "--label", metavar="KEY=VALUE", help="Limit to integrations with this label (Cloud only). Can be repeated."
    ),
]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Label (Cloud only). Can be repeated.")
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Name of the integration.")]
OfTeamOption = Annotated[
    str | None,
    typer.Option("--team", metavar="TEAM", help="Team of the integration (name or ID); none means without a team."),
]
DescriptionOption = Annotated[
    str | None, typer.Option("--description", metavar="TEXT", help="Description of the integration.")
]
ChainOption = Annotated[
    str | None,
    typer.Option("--escalation-chain", metavar="CHAIN", help="Escalation chain of the default route (name or ID)."),
]
TemplatesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--template", metavar="PATH=TEXT|@FILE", help="Template, for example slack.title=TEXT. Can be repeated."
    ),
]
DynamicLabelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--dynamic-label", metavar="KEY=JINJA", help="Label computed from each alert (Cloud only). Can be repeated."
    ),
]
OptionalFileOption = Annotated[
    str | None,
    typer.Option("--file", "-f", metavar="FILE|-", help="JSON object as printed by `get -o json`; - is stdin."),
]

app = generic.app_of(INTEGRATIONS, without=("list", "create", "update", "delete"))


@app.command(
    "list",
    examples=[
        "oncallctl integrations list --team platform",
        "oncallctl integrations list --match 'checkout*'",
        "oncallctl integrations list --in-maintenance",
        "oncallctl integrations list --type webhook -o id",
    ],
)
def list_integrations(
    ctx: typer.Context,
    team: TeamOption = None,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Limit to integrations of this type.")
    ] = None,
    match: MatchOption = None,
    label: LabelsFilterOption = None,
    in_maintenance: Annotated[
        bool | None,
        typer.Option(
            "--in-maintenance/--not-in-maintenance",
            help="Limit to integrations that are, or are not, in maintenance.",
            show_default=False,
        ),
    ] = None,
    limit: LimitOption = None,
) -> None:
    """List integrations."""
    from oncallctl.integrations.selection import IntegrationFilter

    labels = [key_value(each, "--label") for each in label or ()]
    conditions = IntegrationFilter(team, type_, match, tuple(labels), in_maintenance)
    with connect(ctx.obj) as oncall:
        found = conditions.apply(oncall, limit and limit + 1)
        generic.show_list(ctx.obj, oncall, INTEGRATIONS, found, limit)


@app.command(
    examples=[
        "oncallctl integrations types",
        "oncallctl integrations types -o json",
    ],
)
def types(ctx: typer.Context) -> None:
    """List the types of existing integrations; the server may support others."""
    from collections import Counter

    with connect(ctx.obj) as oncall:
        counts = Counter(each.type for each in oncall.integrations.list())
    render(ctx.obj, [{"id": each, "type": each, "count": count} for each, count in sorted(counts.items())], TYPES)


@app.command(
    examples=[
        "oncallctl integrations create --type webhook --name deploys --team platform --dry-run",
        "oncallctl integrations create --type alertmanager --name batch --escalation-chain platform-default",
    ],
)
def create(
    ctx: typer.Context,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Type, for example webhook or alertmanager.")
    ] = None,
    name: NameOption = None,
    team: OfTeamOption = None,
    description: DescriptionOption = None,
    escalation_chain: ChainOption = None,
    template: TemplatesOption = None,
    label: LabelsOption = None,
    dynamic_label: DynamicLabelsOption = None,
    file: OptionalFileOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Create an integration."""
    from oncallctl.api import lookup
    from oncallctl.integrations.fields import Definition

    base = _base(file)
    if not (type_ or base.get("type")):
        raise InvalidInput(
            "missing option: --type", hint="add --type webhook; to list the types in use: oncallctl integrations types"
        )
    with connect(ctx.obj) as oncall:
        definition = Definition(
            type=type_,
            name=name,
            team=lookup.team_or_none(oncall, team),
            description=description,
            escalation_chain=_chain_id(oncall, escalation_chain),
            templates=_templates(template),
            labels=_pairs(label, "--label"),
            dynamic_labels=_pairs(dynamic_label, "--dynamic-label"),
        )
        body = definition.body(base)
        check = ["list", "--match", str(body.get("name") or "*")]
        change = oncall.integrations.create(body)
        generic.send_or_show(ctx.obj, oncall, INTEGRATIONS, change, check, dry_run=dry_run)


@app.command(
    examples=[
        'oncallctl integrations update checkout --description "card payments"',
        "oncallctl integrations update checkout --escalation-chain platform-default --dry-run",
    ],
)
def update(
    ctx: typer.Context,
    integration: IntegrationArgument,
    name: NameOption = None,
    team: OfTeamOption = None,
    description: DescriptionOption = None,
    escalation_chain: ChainOption = None,
    template: TemplatesOption = None,
    reset_template: Annotated[
        list[str] | None,
        typer.Option("--reset-template", metavar="PATH", help="Reset this template to the default. Can be repeated."),
    ] = None,
    label: LabelsOption = None,
    dynamic_label: DynamicLabelsOption = None,
    remove_label: Annotated[
        list[str] | None,
        typer.Option("--remove-label", metavar="KEY", help="Remove the label with this key. Can be repeated."),
    ] = None,
    file: OptionalFileOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Update an integration; options that are not given leave their fields unchanged."""
    from oncallctl.api import lookup
    from oncallctl.integrations.fields import Definition

    base = _base(file)
    base.pop("type", None)  # fixed at creation
    with connect(ctx.obj) as oncall:
        definition = Definition(
            name=name,
            team=lookup.team_or_none(oncall, team),
            description=description,
            escalation_chain=_chain_id(oncall, escalation_chain),
            templates=_templates(template) | dict.fromkeys(reset_template or ()),
            labels=_pairs(label, "--label"),
            dynamic_labels=_pairs(dynamic_label, "--dynamic-label"),
            remove_labels=remove_label or (),
        )
        if definition.needs_present_labels:
            oncall.require_cloud("labels")
        present = lookup.find(oncall.integrations, integration)
        change = oncall.integrations.update(present.id, definition.body(base, present))
        check = ["get", present.id]
        generic.send_or_show(ctx.obj, oncall, INTEGRATIONS, change, check, dry_run=dry_run, ident=present.id)


generic.add_delete(app, INTEGRATIONS)


def _base(file: str | None) -> dict[str, Any]:
    return read_object(file, "--file") if file else {}


def _chain_id(oncall: OnCall, chain: str | None) -> str | None:
    from oncallctl.api import lookup

    return lookup.existing_chain(oncall, chain).id if chain else None


def _templates(given: list[str] | None) -> dict[str, str | None]:
    from oncallctl.integrations.fields import known_template

    pairs = (key_value(each, "--template") for each in given or ())
    return {known_template(path): text_value(text, "--template") for path, text in pairs}


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    pairs = [key_value(each, option) for each in given or ()]
    if len(dict(pairs)) < len(pairs):
        raise InvalidInput(f"{option} repeats a key", hint="give each key once")
    return dict(pairs)
