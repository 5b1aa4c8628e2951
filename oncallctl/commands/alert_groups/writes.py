"""The commands that change alert groups, given by ID or by the filters of `list`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.nouns import ALERT_GROUPS
from oncallctl.commands.alert_groups.app import IntegrationOption, MineOption, SinceOption, StateOption, app
from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput
from oncallctl.output.dry_run import render_requests
from oncallctl.output.progress import progress
from oncallctl.output.prompts import MANY, Proposal, confirm, interactive, name_all, on_targets
from oncallctl.output.render import render_done
from oncallctl.parsing.options import (
    DryRunOption,
    TeamOption,
    YesOption,
    given_targets,
    length,
    since_value,
    text_value,
)

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from oncallctl.alert_groups import State
    from oncallctl.alert_groups.actions import GroupAction, GroupChange
    from oncallctl.alert_groups.choosing import GroupSelector, Selection
    from oncallctl.api.client import OnCall
    from oncallctl.config.settings import Settings

OUTCOMES = {
    "ID": "id",
    "TITLE": "title",
    "STATUS": "status",
    "STATE": "alert_group.state",
    "ERROR": "error.message",
}

AlertGroupsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="IDs of alert groups; - reads them from stdin.", show_default=False),
]


def _add(verb: str, summary: str, *examples: str) -> None:
    """Add a command for the transition of the same name, which needs only targets."""

    def act(
        ctx: typer.Context,
        alert_groups: AlertGroupsArgument = None,
        state: StateOption = None,
        team: TeamOption = None,
        integration: IntegrationOption = None,
        since: SinceOption = None,
        mine: MineOption = False,
        yes: YesOption = False,
        dry_run: DryRunOption = False,
    ) -> None:
        from oncallctl.alert_groups import transitions

        chosen = _selector(alert_groups, state, team, integration, since_value(ctx.obj, since), mine=mine)
        _carry_out(ctx, getattr(transitions, verb.upper()), chosen, yes=yes, dry_run=dry_run)

    app.command(verb, help=summary, examples=[f"oncallctl {line}" for line in examples])(act)


_add(
    "acknowledge",
    "Acknowledge alert groups and stop their escalation. Filters select firing groups.",
    "alert-groups acknowledge IWM9M5WQXRBEN",
    "alert-groups acknowledge --team platform --since 2h --yes",
    "alert-groups list --state firing -o id | oncallctl alert-groups acknowledge - --dry-run",
)
_add(
    "unacknowledge",
    "Undo an acknowledgment: the groups fire and page again. Filters select acknowledged groups.",
    "alert-groups unacknowledge ITZS8C3IAPIQD",
    "alert-groups unacknowledge --mine --dry-run",
)
_add(
    "resolve",
    "Resolve alert groups. Filters select groups that are not resolved.",
    "alert-groups resolve IWM9M5WQXRBEN",
    "alert-groups resolve --integration login --yes",
)
_add(
    "unresolve",
    "Undo a resolution: the groups fire and page again. Filters select resolved groups.",
    "alert-groups unresolve IXVZICTNDV9PQ",
    "alert-groups unresolve --team platform --since 12h --dry-run",
)


@app.command(
    examples=[
        "oncallctl alert-groups silence IWM9M5WQXRBEN 1h",
        "oncallctl alert-groups silence IWM9M5WQXRBEN ISHJTMEUMF6E6 --for 1h",
        "oncallctl alert-groups silence --team platform --for 2h --yes",
    ]
)
def silence(
    ctx: typer.Context,
    alert_groups: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]... [DURATION]",
            help="IDs of alert groups; - reads them from stdin. A duration may follow a single ID.",
            show_default=False,
        ),
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option("--for", metavar="DURATION", help="How long the silence lasts, for example 90m, 2h30m or 1d."),
    ] = None,
    state: StateOption = None,
    team: TeamOption = None,
    integration: IntegrationOption = None,
    since: SinceOption = None,
    mine: MineOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Silence alert groups for a given time. Silencing again restarts the clock. Filters select firing groups."""
    from oncallctl.alert_groups import transitions

    alert_groups, for_ = _value_after_id(alert_groups, for_, "--for DURATION")
    duration = length(ctx.obj, for_)
    chosen = _selector(alert_groups, state, team, integration, since_value(ctx.obj, since), mine=mine)
    _carry_out(ctx, transitions.silence(duration), chosen, yes=yes, dry_run=dry_run)


_add(
    "unsilence",
    "End a silence early: the groups fire and page again. Filters select silenced groups.",
    "alert-groups unsilence ISHJTMEUMF6E6",
    "alert-groups unsilence --team platform --dry-run",
)


@app.command(
    examples=[
        "oncallctl alert-groups note IWM9M5WQXRBEN 'disk replaced'",
        "oncallctl alert-groups note --integration login --text 'deploy rolled back' --yes",
    ]
)
def note(
    ctx: typer.Context,
    alert_groups: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ID]... [TEXT]",
            help="IDs of alert groups; - reads them from stdin. The text may follow a single ID.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[str | None, typer.Option("--text", metavar="TEXT|@FILE|-", help="Text of the note.")] = None,
    state: StateOption = None,
    team: TeamOption = None,
    integration: IntegrationOption = None,
    since: SinceOption = None,
    mine: MineOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Add a resolution note, unless the group has it already. Filters select groups that are not resolved."""
    from oncallctl.alert_groups.notes import Note

    alert_groups, text = _value_after_id(alert_groups, text, "--text TEXT")
    if text == "-" and "-" in (alert_groups or ()):
        raise InvalidInput("stdin can hold the IDs or the text, not both", hint="use --text @FILE")
    action = Note.of(text_value(text, "--text") or "")
    chosen = _selector(alert_groups, state, team, integration, since_value(ctx.obj, since), mine=mine)
    _carry_out(ctx, action, chosen, yes=yes, dry_run=dry_run)


def _value_after_id(words: list[str] | None, value: str | None, option: str) -> tuple[list[str] | None, str]:
    """Return targets and the value of an option, which may stand after a single ID instead.

    Raises:
        InvalidInput: the value is missing; an ID in its place is not taken for it.
    """
    from oncallctl.api.lookup import is_id

    if value is not None:
        return words, value
    match words:
        case [ident, text] if ident != "-" and not is_id(text.removeprefix("id:")):
            return [ident], text
    raise InvalidInput(f"missing option {option}", hint="add it, or give the value after a single ID")


def _selector(
    alert_groups: list[str] | None,
    state: list[State] | None,
    team: str | None,
    integration: str | None,
    since: datetime | timedelta | None,
    *,
    mine: bool,
) -> GroupSelector:
    """Return the targets of the command line; ``-`` reads IDs from stdin."""
    from oncallctl.alert_groups.choosing import GroupFilter, GroupSelector

    return GroupSelector(given_targets(alert_groups), GroupFilter(state or (), team, integration, since, mine))


def _carry_out(ctx: typer.Context, action: GroupAction, selector: GroupSelector, *, yes: bool, dry_run: bool) -> None:
    """Fetch the targets, ask for confirmation if there are many, send the changes and report each outcome."""
    from oncallctl.alert_groups import actions
    from oncallctl.alert_groups.choosing import select

    with connect(ctx.obj) as oncall:
        selection = select(oncall, selector, action.states)
        steps = actions.plan(oncall, action, selection.targets)
        _note_left_out(ctx.obj, oncall, selection)
        if dry_run:
            report = actions.rehearse(oncall, action, steps)
        else:
            if not yes and (proposal := _proposal(oncall, action, steps, selector)):
                confirm(ctx.obj, oncall.profile, proposal)
            with progress(ctx.obj, action.verb, len(steps)) as finished:
                report = actions.carry_out(oncall, action, steps, finished)
    write = render_requests if dry_run else render_done
    write(ctx.obj, [outcome.document() for outcome in report.outcomes], OUTCOMES)
    report.raise_failures()
    if not selector.given and not any(step.request for step in steps):
        ctx.obj.note(f"nothing to {action.verb}: {'already done' if steps else 'no alert group matches'}")


def _note_left_out(settings: Settings, oncall: OnCall, selection: Selection) -> None:
    """Show a note about the own groups of maintenance windows, which filters omit."""
    from oncallctl.api.lost_responses import command_line
    from oncallctl.batch import Target

    if selection.own_groups:
        omitted = name_all([Target(group.id, group, ALERT_GROUPS) for group in selection.own_groups])
        stop = command_line(oncall, ["maintenance", "stop"])
        settings.note(f"omitted {omitted}, which maintenance windows created; to stop the windows: {stop}")


def _proposal(
    oncall: OnCall, action: GroupAction, steps: list[GroupChange], selector: GroupSelector
) -> Proposal | None:
    """Return the proposal to confirm before these steps, or None if none of them is dangerous."""
    from oncallctl.alert_groups import actions

    changing = [step.target for step in steps if step.request]
    # A script with many IDs must learn at once that it needs --yes, even if nothing has to change.
    many = len(steps) > MANY and (changing or not interactive()) if selector.given else len(changing) > 1
    unlisted = actions.of_unlisted_integrations(oncall, changing) if action.ends_windows else []
    if not many and not unlisted:
        return None
    proposal = on_targets(action.verb.capitalize(), changing or [step.target for step in steps])
    if not unlisted:
        return proposal
    danger = (
        f"The integration of {name_all(unlisted)} is not listed. If it is the own group of a group_alerts window, the"
        " window ends and everything that it collected is resolved, even alerts that are still firing."
    )
    return replace(proposal, dangers=[danger])
