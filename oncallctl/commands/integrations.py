"""Integrations: the sources of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput
from oncallctl.output.linked_names import TEAM, with_names
from oncallctl.output.progress import progress
from oncallctl.output.prompts import confirm, name_all
from oncallctl.output.render import REQUEST, Secrets, limited, render, render_done
from oncallctl.parsing.framework import noun
from oncallctl.parsing.options import (
    DryRunOption,
    LimitOption,
    MatchOption,
    ShowSecretsOption,
    TeamOption,
    YesOption,
    given_targets,
    key_value,
    read_text,
    text_value,
)

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.resources.base import Change
    from oncallctl.api.resources.integrations import Integration

COLUMNS = {
    "ID": "id",
    "NAME": "name",
    "TYPE": "type",
    "TEAM": "team.name",
    "MAINTENANCE": "maintenance_mode",
    "UNTIL": "maintenance_end_at",
}
TYPES = {"TYPE": "type", "INTEGRATIONS": "count"}
OUTCOMES = {"ID": "id", "NAME": "name", "STATUS": "status", "ERROR": "error.message"}

IntegrationArgument = Annotated[str, typer.Argument(metavar="INTEGRATION", help="Name or id.")]
IntegrationsArgument = Annotated[
    list[str], typer.Argument(metavar="INTEGRATION...", help="Names or ids; - reads them from stdin.")
]
LabelsOption = Annotated[
    list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="With this label (Cloud); may be repeated.")
]
NameOption = Annotated[str | None, typer.Option("--name", metavar="NAME", help="Its name.")]
OfTeamOption = Annotated[
    str | None, typer.Option("--team", metavar="TEAM", help="Its team (name or ID; none: no team).")
]
DescriptionOption = Annotated[str | None, typer.Option("--description", metavar="TEXT", help="What it is for.")]
ChainOption = Annotated[
    str | None, typer.Option("--escalation-chain", metavar="CHAIN", help="The chain of its default route (name or ID).")
]
TemplatesOption = Annotated[
    list[str] | None,
    typer.Option("--template", metavar="PATH=TEXT|@FILE", help="A template, such as slack.title=…; may be repeated."),
]
DynamicLabelsOption = Annotated[
    list[str] | None,
    typer.Option("--dynamic-label", metavar="KEY=JINJA", help="A label made from each alert (Cloud); may be repeated."),
]
FromOption = Annotated[
    str | None, typer.Option("--from", metavar="FILE|-", help="A definition as `get -o json` writes it.")
]

app = noun()


@app.command("list")
def list_integrations(
    ctx: typer.Context,
    team: TeamOption = None,
    type_: Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Those of this type.")] = None,
    match: MatchOption = None,
    label: LabelsOption = None,
    in_maintenance: Annotated[
        bool | None,
        typer.Option(
            "--in-maintenance/--not-in-maintenance",
            help="Those that are, or are not, in maintenance.",
            show_default=False,
        ),
    ] = None,
    limit: LimitOption = None,
) -> None:
    """List the integrations."""
    from oncallctl.integrations.selection import IntegrationFilter

    labels = [key_value(each, "--label") for each in label or ()]
    conditions = IntegrationFilter(team, type_, match, tuple(labels), in_maintenance)
    with connect(ctx.obj) as oncall:
        found = conditions.apply(oncall, limit and limit + 1)
        shown = limited(ctx.obj, (each.raw for each in found), limit)
        render(ctx.obj, with_names(oncall, ctx.obj, shown, TEAM), COLUMNS, secrets=Secrets.IN_JSON)


@app.command()
def get(ctx: typer.Context, integrations: IntegrationsArgument, show_secrets: ShowSecretsOption = False) -> None:
    """Show integrations; -o json shows them whole."""
    from oncallctl.api import lookup

    with connect(ctx.obj) as oncall:
        raw = [each.raw for each in lookup.integrations(oncall, given_targets(integrations))]
        found = list(with_names(oncall, ctx.obj, raw, TEAM))
    render(
        ctx.obj,
        found[0] if len(found) == 1 else found,
        COLUMNS,
        secrets=Secrets.SHOWN if show_secrets else Secrets.IN_JSON,
    )


@app.command()
def types(ctx: typer.Context) -> None:
    """List the types that integrations here have; a server may know more."""
    from collections import Counter

    with connect(ctx.obj) as oncall:
        counts = Counter(each.type for each in oncall.integrations.list())
    render(ctx.obj, [{"id": each, "type": each, "count": count} for each, count in sorted(counts.items())], TYPES)


@app.command()
def create(
    ctx: typer.Context,
    type_: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="Its type, such as webhook or alertmanager.")
    ] = None,
    name: NameOption = None,
    team: OfTeamOption = None,
    description: DescriptionOption = None,
    escalation_chain: ChainOption = None,
    template: TemplatesOption = None,
    label: LabelsOption = None,
    dynamic_label: DynamicLabelsOption = None,
    source: FromOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Create an integration."""
    from oncallctl.api import lookup
    from oncallctl.integrations.fields import Definition

    base = _base(source)
    if not (type_ or base.get("type")):
        raise InvalidInput(
            "an integration needs a type", hint="--type webhook; oncallctl integrations types lists those in use"
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
        look = ["integrations", "list", "--match", str(body.get("name") or "*")]
        _send_or_show(ctx, oncall, oncall.integrations.create(body), look, dry_run=dry_run)


@app.command()
def update(
    ctx: typer.Context,
    integration: IntegrationArgument,
    name: NameOption = None,
    team: OfTeamOption = None,
    description: DescriptionOption = None,
    escalation_chain: ChainOption = None,
    template: TemplatesOption = None,
    reset_template: Annotated[
        list[str] | None, typer.Option("--reset-template", metavar="PATH", help="Back to the default; may be repeated.")
    ] = None,
    label: LabelsOption = None,
    dynamic_label: DynamicLabelsOption = None,
    remove_label: Annotated[
        list[str] | None, typer.Option("--remove-label", metavar="KEY", help="Take a label away; may be repeated.")
    ] = None,
    source: FromOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Change an integration; what is not mentioned stays."""
    from oncallctl.api import lookup
    from oncallctl.integrations.fields import Definition

    base = _base(source)
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
            oncall.cloud_only("labels")
        present = lookup.integration(oncall, integration)
        change = oncall.integrations.update(present.id, definition.body(base, present))
        _send_or_show(ctx, oncall, change, ["integrations", "get", present.id], dry_run=dry_run)


@app.command()
def delete(
    ctx: typer.Context, integrations: IntegrationsArgument, yes: YesOption = False, dry_run: DryRunOption = False
) -> None:
    """Delete integrations; their alert groups stay."""
    from oncallctl.batch import Outcome, Report, Target, for_each
    from oncallctl.integrations.selection import IntegrationSelector, select

    with connect(ctx.obj) as oncall:
        targets = select(oncall, IntegrationSelector(given_targets(integrations)))
        look = "oncallctl integrations list"

        def remove(target: Target[Integration]) -> Outcome[Integration]:
            oncall.integrations.remove(target.found)
            return Outcome(target, "deleted")

        if dry_run:
            changes = [oncall.described(oncall.integrations.delete(target.found.id)) for target in targets]
            report = Report(
                [
                    Outcome(target, "would-delete", requests=[change])
                    for target, change in zip(targets, changes, strict=True)
                ],
                look,
            )
        else:
            confirm(oncall.profile, f"Delete {name_all(targets)}?", yes=yes)
            with progress(ctx.obj, "deleting", len(targets)) as finished:
                report = for_each(targets, lambda target: target, remove, finished, look)
    columns = {**OUTCOMES, "REQUESTS": "requests"} if dry_run else OUTCOMES
    render_done(ctx.obj, [outcome.document() for outcome in report.outcomes], columns)
    report.raise_failures()


def _base(source: str | None) -> dict[str, Any]:
    from oncallctl.integrations.fields import from_json

    return from_json(read_text(source, "--from"), "--from") if source else {}


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
        raise InvalidInput(f"{option} names a key twice")
    return dict(pairs)


def _send_or_show(
    ctx: typer.Context, oncall: OnCall, change: Change[Integration], look: list[str], *, dry_run: bool
) -> None:
    """Send a change, or show it; `look` is the command that shows what became of one whose answer was lost."""
    from oncallctl.api.lost_responses import send_once

    if dry_run:
        render(ctx.obj, oncall.described(change), REQUEST)
    else:
        sent = send_once(oncall, change, "the change", look)
        with oncall.impatient():  # what was done is to be told soon, if need be with an id
            (shown,) = with_names(oncall, ctx.obj, [sent.raw], TEAM)
        render_done(ctx.obj, shown, COLUMNS, secrets=Secrets.IN_JSON)
