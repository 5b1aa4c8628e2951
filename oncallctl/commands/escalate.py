"""The command `escalate`, which pages people by hand."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.api.nouns import TEAMS, USERS
from oncallctl.config.connect import connect
from oncallctl.errors import Conflict, Interrupted, InvalidInput, OncallError, Signal
from oncallctl.output.dry_run import render_request
from oncallctl.output.prompts import Proposal, ask_text, choose, interactive, prompt
from oncallctl.output.render import render_done
from oncallctl.parsing.framework import verb
from oncallctl.parsing.options import DryRunOption, YesOption, text_value
from oncallctl.times import parse_duration

if TYPE_CHECKING:
    from datetime import timedelta

    from oncallctl.api.client import OnCall
    from oncallctl.api.lookup import Named
    from oncallctl.api.noun import Noun
    from oncallctl.api.resources.alert_groups import AlertGroup
    from oncallctl.config.settings import Settings
    from oncallctl.escalation.page import Page
    from oncallctl.escalation.reach import Reach


app = verb()


class Wait(StrEnum):
    """Values of `escalate --wait`."""

    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


COLUMNS = {"ID": "id", "STATE": "state", "TITLE": "title", "CREATED": "created_at", "WEB": "permalinks.web"}


@app.command(
    examples=[
        'oncallctl escalate --team platform --title "db down" --dry-run',
        'oncallctl escalate --team platform --title "db down" --message "no replica left"',
        "oncallctl escalate --user carol --alert-group IWM9M5WQXRBEN",
    ]
)
def escalate(
    ctx: typer.Context,
    team: Annotated[str | None, typer.Option("--team", metavar="TEAM", help="Page this team (name or ID).")] = None,
    user: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="USER", help="Page this user (name, email or ID). Can be repeated."),
    ] = None,
    important_user: Annotated[
        list[str] | None,
        typer.Option(
            "--important-user",
            metavar="USER",
            help="Page this user by their important notification rules. Can be repeated.",
        ),
    ] = None,
    important: Annotated[
        bool, typer.Option("--important", help="Page the team, or every --user, as important.")
    ] = False,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title of the page.")] = None,
    message: Annotated[
        str | None,
        typer.Option("--message", metavar="TEXT|@FILE|-", help="Message of the page: a text, a file, or - for stdin."),
    ] = None,
    source_url: Annotated[
        str | None, typer.Option("--source-url", metavar="URL", help="Link to the source of the problem.")
    ] = None,
    alert_group: Annotated[
        str | None, typer.Option("--alert-group", metavar="ID", help="Add the responders to this existing alert group.")
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Page even if nobody would be reached.")] = False,
    wait: Annotated[
        Wait | None, typer.Option("--wait", help="Wait until the page is acknowledged or resolved; exit 10 on timeout.")
    ] = None,
    within: Annotated[
        str | None, typer.Option("--within", metavar="DURATION", help="Timeout of --wait. [default: 10m]")
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Page a team or users. On a terminal, prompts for a missing recipient and title, and for confirmation."""
    from oncallctl.escalation.page import Page, combine_users
    from oncallctl.escalation.send import send

    asks = interactive() and not yes and not dry_run
    users = [*(user or ()), *(important_user or ())]
    _check(team, users, alert_group, [title, message, source_url])
    if not team and not users and not asks:
        raise InvalidInput("no recipient", hint="use --team, --user or --important-user")
    if within and not wait:
        raise InvalidInput("--within needs --wait", hint="add --wait acknowledged")
    timeout = parse_duration(within or "10m")
    title = _not_blank(ctx.obj, title, "--title")
    text = _not_blank(ctx.obj, text_value(message, "--message"), "--message")
    with connect(ctx.obj) as oncall:
        oncall.require_user_token("paging people")
        page = Page(
            team=_resolve(oncall, TEAMS, team) if team else None,
            important=important,
            users=combine_users(
                [_resolve(oncall, USERS, each) for each in user or ()],
                [_resolve(oncall, USERS, each) for each in important_user or ()],
                important=important,
            ),
            title=title,
            message=text,
            source_url=source_url,
            alert_group=alert_group.removeprefix("id:") if alert_group else None,
        )
        if not page.team and not page.users:
            page = _choose_recipient(oncall, page)
        found = _check_reach(ctx.obj, oncall, page, anyway=anyway)
        summary = f"; {found.summary}" if found.summary else ""
        if dry_run:
            ctx.obj.note(f"would page {page}{summary}")
            render_request(ctx.obj, oncall.dry_run_document(page.change(oncall)))
            return
        if asks:
            page = _confirm(ctx.obj, oncall, page, found.summary)
        else:
            ctx.obj.note(f"paging {page}{summary}")
        group = send(oncall, page)
        if oncall.profile.is_sandbox:
            ctx.obj.note("sandbox: nobody was paged")
        if page.team:  # users who are paged by name are notified directly, whatever the route
            _compare_route(ctx.obj, oncall, group, found, anyway=anyway)
        if wait:
            _follow(ctx.obj, oncall, group, wait, timeout)
        else:
            render_done(ctx.obj, group.raw, COLUMNS, rows=[group.row])


def _choose_recipient(oncall: OnCall, page: Page) -> Page:
    """Let the user choose a team or a person. People can be added to an alert group, but no team."""
    from oncallctl.escalation.candidates import candidates

    kinds = "person" if page.alert_group else "team or person"
    found = candidates(oncall, with_teams=not page.alert_group)
    declined = "no recipient was chosen; nobody was paged"
    chosen = choose(f"Page which {kinds}? Part of the name:", found, lambda each: each.names, declined)
    if chosen.noun is TEAMS:
        return replace(page, team=chosen.named)
    return replace(page, users=((chosen.named, page.important),))


def _resolve(oncall: OnCall, noun: Noun, text: str) -> Named:
    """Look up a name. The message of a failure says that nobody was paged."""
    from oncallctl.api import lookup

    try:
        return lookup.resolve(oncall, noun, text)
    except OncallError as error:
        error.message = f"{error.message}; nobody was paged"
        raise


def _check(team: str | None, users: list[str], alert_group: str | None, texts: list[str | None]) -> None:
    if team and users:
        raise InvalidInput(
            "--team and --user exclude each other", hint="page the team, then add people with --alert-group"
        )
    if alert_group and any(text is not None for text in texts):
        raise InvalidInput("--alert-group excludes --title, --message and --source-url", hint="omit them")
    if alert_group == "id:":
        raise InvalidInput("--alert-group needs an ID")
    if alert_group and team:
        raise InvalidInput("--alert-group excludes --team: the server would page nobody", hint="name users with --user")


def _check_reach(settings: Settings, oncall: OnCall, page: Page, *, anyway: bool) -> Reach:
    """Refuse a page that would notify nobody. With --anyway, or if the check fails, warn instead."""
    from oncallctl.escalation.reach import Reach, check

    try:
        found = check(oncall, page)
    except OncallError as error:
        settings.warn(f"could not check whether anybody would be notified: {error.message}")
        return Reach()
    if found.obstacle:
        problem = f"a page to {page} would notify nobody: {found.obstacle}"
        if not anyway:
            raise Conflict(problem, hint="name users with --user, or add --anyway")
        settings.warn(problem)
    if found.doubt:
        settings.warn(found.doubt)
    return found


def _confirm(settings: Settings, oncall: OnCall, page: Page, summary: str) -> Page:
    """Ask for confirmation, and for a missing title. Return the page with its title."""
    from oncallctl.escalation.page import describe_alert_group

    if page.alert_group:
        about = [f"alert group {describe_alert_group(oncall, page.alert_group)}"]
    else:
        page = replace(page, title=page.title or ask_text("Title [chosen by the server]: ") or None)
        about = [f"title {page.title!r}"] if page.title else []
    items = [*about, *([summary] if summary else [])]
    prompt(settings, oncall.profile, Proposal(f"Page {page}", items, is_destructive=True))
    return page


def _compare_route(settings: Settings, oncall: OnCall, group: AlertGroup, found: Reach, *, anyway: bool) -> None:
    """Compare the route in the response. If it has no chain, show the alert group and fail."""
    from oncallctl.escalation.send import compare_route

    try:
        compare_route(oncall, group, found.routes, settings.warn)
    except Conflict as problem:
        if not anyway:
            render_done(settings, group.raw, COLUMNS, rows=[group.row])
            raise
        settings.warn(problem.message)


def _follow(settings: Settings, oncall: OnCall, group: AlertGroup, wait: Wait, within: timedelta) -> None:
    """Wait until the page is taken, and write the alert group in any case."""
    from oncallctl.escalation.follow import Follower

    follower = Follower(oncall, group, settings)
    paged = f"alert group {group.id} was paged once"
    try:
        follower.follow(wait, within)
    except Signal as signal:
        raise Interrupted(signal.signum, f"interrupted while waiting; {paged}") from signal
    except OncallError as error:
        error.message = f"{error.message}; {paged}"
        raise
    finally:
        render_done(settings, follower.group.raw, COLUMNS, rows=[follower.group.row])


def _not_blank(settings: Settings, text: str | None, option: str) -> str | None:
    """Drop a blank text with a warning. The server would refuse the page, but somebody must be woken."""
    if text is None or text.strip():
        return text
    settings.warn(f"{option} is blank and was omitted")
    return None
