"""The commands that follow from the declaration of a noun: `list`, `get`, `create`, `update` and `delete`.

A module of a noun with verbs of its own starts from `app_of` and adds them. Each `add_…` function adds one command.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.api.nouns import USERS
from oncallctl.commands import generic_examples
from oncallctl.config.connect import connect
from oncallctl.errors import InvalidInput
from oncallctl.output.columns import Row
from oncallctl.output.dry_run import render_request, render_requests
from oncallctl.output.linked_names import for_a_person, with_names
from oncallctl.output.progress import progress
from oncallctl.output.prompts import confirm, on_targets
from oncallctl.output.render import Secrets, limited, render, render_done, render_text
from oncallctl.parsing.framework import Commands, noun as new_app
from oncallctl.parsing.options import (
    DryRunOption,
    FileOption,
    LimitOption,
    ShowSecretsOption,
    TeamOption,
    YesOption,
    given_targets,
    read_object,
)

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.noun import ListFilter, Noun
    from oncallctl.api.resources.base import Change, ServerObject
    from oncallctl.batch import Outcome, Target
    from oncallctl.config.settings import Settings

Described = Callable[[Any], Row]


def app_of(noun: Noun, *, without: Sequence[str] = (), described: Described | None = None) -> Commands:
    """Return the commands of a noun.

    Args:
        noun: the noun.
        without: verbs that the caller adds itself.
        described: turns an object into the row of a table, for columns that the server's object lacks.
    """
    app = new_app()
    if "list" not in without:
        add_list(app, noun, described)
    if "get" not in without:
        add_get(app, noun, described)
    for verb, add in (("create", add_create), ("update", add_update), ("delete", add_delete)):
        if verb in noun.writes and verb not in without:
            add(app, noun)
    return app


def add_list(app: Commands, noun: Noun, described: Described | None = None) -> None:
    """Add `list`, with an option for each filter."""

    def list_objects(ctx: typer.Context, **options: Any) -> None:  # noqa: ANN401  # what Typer inspects
        from oncallctl.api import lookup

        limit, team_name = options.pop("limit"), options.pop("team", None)
        with connect(ctx.obj) as oncall:
            filters = _filters(oncall, noun, options)
            team = lookup.team_filter(oncall, team_name, noun.team_field)
            found = oncall.collection(noun).of_team(team, limit and limit + 1, **filters)
            show_list(ctx.obj, oncall, noun, found, limit, described)

    parameters = [_option(each.option.replace("-", "_"), _filter_option(noun, each)) for each in noun.filters]
    if noun.team_field:
        parameters.append(_option("team", TeamOption))
    _add(app, noun, "list", f"List {noun.plural}.", list_objects, [*parameters, _option("limit", LimitOption)])


def add_get(app: Commands, noun: Noun, described: Described | None = None) -> None:
    """Add `get`."""

    def get(
        ctx: typer.Context, targets: list[str] | None = None, target: str | None = None, *, show_secrets: bool = False
    ) -> None:
        from oncallctl.api import lookup
        from oncallctl.api.resources.base import OWN

        with connect(ctx.obj) as oncall:
            given = given_targets(targets) or [target or OWN]
            collection = oncall.collection(noun)
            found = lookup.users(oncall, given) if noun is USERS else lookup.several(collection, given)
            show(ctx.obj, oncall, noun, found, described, show_secrets=show_secrets)

    parameters = [_argument(noun, many=not noun.own_only)]
    if noun.has_secrets:
        parameters.append(_option("show_secrets", ShowSecretsOption, default=False))
    _add(app, noun, "get", f"Show {f'the {noun.singular}' if noun.own_only else noun.plural}.", get, parameters)


def add_create(app: Commands, noun: Noun) -> None:
    """Add `create`."""

    def create(ctx: typer.Context, file: str, *, dry_run: bool) -> None:
        body = _body(noun, file)
        with connect(ctx.obj) as oncall:
            send_or_show(ctx.obj, oncall, noun, oncall.collection(noun).create(body), ["list"], dry_run=dry_run)

    article = "an" if noun.singular[0] in "aeio" else "a"
    text = f"Create {article} {noun.singular} from a JSON object."
    _add(app, noun, "create", text, create, [_file(), _option("dry_run", DryRunOption, default=False)])


def add_update(app: Commands, noun: Noun) -> None:
    """Add `update`."""

    def update(ctx: typer.Context, target: str, file: str, *, dry_run: bool) -> None:
        from oncallctl.api import lookup

        body = _body(noun, file)
        with connect(ctx.obj) as oncall:
            ident = lookup.resolve(oncall, noun, target).id
            change = oncall.collection(noun).update(ident, body)
            send_or_show(ctx.obj, oncall, noun, change, ["get", ident], dry_run=dry_run, ident=ident)

    article = "an" if noun.singular[0] in "aeio" else "a"
    text = f"Update {article} {noun.singular} from a JSON object; fields that it lacks are unchanged."
    _add(app, noun, "update", text, update, [_argument(noun), _file(), _option("dry_run", DryRunOption, default=False)])


def add_delete(app: Commands, noun: Noun) -> None:
    """Add `delete`."""

    def delete(ctx: typer.Context, targets: list[str], *, yes: bool, dry_run: bool) -> None:
        with connect(ctx.obj) as oncall:
            _delete(ctx.obj, oncall, noun, _distinct(oncall, noun, given_targets(targets)), yes=yes, dry_run=dry_run)

    text = f"Delete {noun.plural}{f'; {noun.note_on_delete}' if noun.note_on_delete else ''}."
    parameters = [_option("yes", YesOption, default=False), _option("dry_run", DryRunOption, default=False)]
    _add(app, noun, "delete", text, delete, [_argument(noun, many=True), *parameters])


def show_list(
    settings: Settings,
    oncall: OnCall,
    noun: Noun,
    found: Iterable[ServerObject],
    limit: int | None,
    described: Described | None = None,
) -> None:
    """Show at most `limit` objects, with the names of linked objects."""
    rows = _rows(settings, oncall, noun, limited(settings, found, limit), described)
    render(settings, rows, noun.columns, secrets=_secrets(noun), empty=f"no {noun.plural}")


def show(
    settings: Settings,
    oncall: OnCall,
    noun: Noun,
    found: Sequence[ServerObject],
    described: Described | None = None,
    *,
    show_secrets: bool = False,
) -> None:
    """Show objects that were named: as cards on a terminal, else with the names of linked objects."""
    from oncallctl.output import card

    if card.wanted(settings):
        show_cards(settings, oncall, noun, found, show_secrets=show_secrets)
        return
    rows = list(_rows(settings, oncall, noun, found, described))
    secrets = Secrets.SHOWN if show_secrets else _secrets(noun)
    render(settings, rows[0] if len(rows) == 1 else rows, noun.columns, secrets=secrets)


def show_cards(
    settings: Settings, oncall: OnCall, noun: Noun, found: Iterable[ServerObject], *, show_secrets: bool = False
) -> None:
    """Show objects as cards, with an empty line between two of them."""
    from oncallctl.output import card
    from oncallctl.output.cards.build import build

    for index, made in enumerate(build(oncall, settings, noun, found, show_secrets=show_secrets)):
        if index:
            render_text(settings, "\n")
        card.print_card(settings, made)


def send_or_show(
    settings: Settings,
    oncall: OnCall,
    noun: Noun,
    change: Change[Any],
    check: Sequence[str],
    *,
    dry_run: bool,
    ident: str | None = None,
) -> None:
    """Send a change once and show the object in the response; with --dry-run, show the request.

    Args:
        settings: the settings.
        oncall: the server.
        noun: the kind of object.
        change: the request.
        check: the verb and arguments that show the result if the response is lost.
        dry_run: True to send nothing.
        ident: the ID that the object in the response must have.

    Raises:
        OutcomeUnknown: the response was lost, or shows another object.
    """
    from oncallctl.api.lost_responses import command_line, send_once
    from oncallctl.errors import OutcomeUnknown

    if dry_run:
        render_request(settings, oncall.dry_run_document(change))
        return
    words = [noun.name, *check]
    sent = send_once(oncall, change, "the change", words)
    if ident and sent.id != ident:
        raise OutcomeUnknown(
            f"the response to {change.method} {change.path} shows another {noun.singular}: {sent.id}",
            hint=command_line(oncall, words),
        )
    with oncall.without_retries():  # do not delay the report of a change that was made
        (row,) = _rows(settings, oncall, noun, [sent], None)
    render_done(settings, row, noun.columns, secrets=_secrets(noun))


def _delete(
    settings: Settings, oncall: OnCall, noun: Noun, targets: Sequence[Target[Any]], *, yes: bool, dry_run: bool
) -> None:
    from oncallctl.batch import Outcome, for_each

    collection, check = oncall.collection(noun), f"oncallctl {noun.name} list"

    def remove(target: Target[Any]) -> Outcome[Any]:
        collection.remove(target.found)
        return Outcome(target, "deleted")

    title = {"NAME": noun.title} if noun.title else {noun.caption.replace("_", " ").upper(): noun.caption}
    columns = {"ID": "id", **title, "STATUS": "status", "ERROR": "error.message"}
    if dry_run:
        requests = [[oncall.dry_run_document(collection.delete(target.found.id))] for target in targets]
        pairs = zip(targets, requests, strict=True)
        planned = [Outcome(target, "would-delete", requests=each) for target, each in pairs]
        render_requests(settings, [outcome.document() for outcome in planned], columns)
        return
    confirm(settings, oncall.profile, on_targets("Delete", targets, is_destructive=True), yes=yes)
    with progress(settings, "deleting", len(targets)) as finished:
        report = for_each(targets, lambda target: target, remove, finished, check)
    render_done(settings, [outcome.document() for outcome in report.outcomes], columns)
    report.raise_failures()


def _distinct(oncall: OnCall, noun: Noun, given: Sequence[str]) -> list[Target[Any]]:
    """Fetch the targets, each object once."""
    from oncallctl.api import lookup
    from oncallctl.batch import Target

    once: dict[str, Target[Any]] = {}
    for text, found in zip(given, lookup.several(oncall.collection(noun), given), strict=True):
        once.setdefault(found.id, Target(text, found, noun))
    return list(once.values())


def _rows(
    settings: Settings, oncall: OnCall, noun: Noun, objects: Iterable[ServerObject], described: Described | None
) -> Iterable[Row]:
    """Return the server's objects; for tables with names and the columns that `described` adds."""
    rows: Iterable[Row] = (each.raw for each in objects)
    if described and for_a_person(settings):
        rows = ({**each.raw, **described(each)} for each in objects)
    return with_names(oncall, settings, rows, noun)


def _filters(oncall: OnCall, noun: Noun, options: Mapping[str, Any]) -> dict[str, str]:
    from oncallctl.api import lookup

    filters = {}
    for each in noun.filters:
        value = options[each.option.replace("-", "_")]
        if value is None:
            continue
        if each.noun is None:
            filters[each.parameter] = "true" if value else "false"
        else:  # a list filtered by an object that does not exist would be empty
            filters[each.parameter] = lookup.find(oncall.collection(each.noun), value).id
    return filters


def _secrets(noun: Noun) -> Secrets:
    return Secrets.IN_JSON if noun.has_secrets else Secrets.HIDDEN


def _body(noun: Noun, file: str) -> dict[str, Any]:
    """Read the object of --file without its ID, so that the output of `get -o json` can be used."""
    body = {key: value for key, value in read_object(file, "--file").items() if key != noun.id_field}
    if not body:
        raise InvalidInput("--file: the object has no fields")
    return body


# Typer reads the parameters of a command from the signature of its function.


def _add(
    app: Commands,
    noun: Noun,
    verb: str,
    text: str,
    function: Callable[..., None],
    parameters: Sequence[inspect.Parameter],
) -> None:
    context = inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)
    function.__signature__ = inspect.Signature([context, *parameters])  # type: ignore[attr-defined]  # typeshed lacks it
    function.__annotations__ = {}
    app.command(verb, help=text, examples=generic_examples.of_verb(noun, verb))(function)


def _option(name: str, annotation: Any, *, default: Any = None) -> inspect.Parameter:  # noqa: ANN401  # what Typer inspects
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=default)


def _file() -> inspect.Parameter:
    return inspect.Parameter("file", inspect.Parameter.KEYWORD_ONLY, annotation=FileOption)


def _argument(noun: Noun, *, many: bool = False) -> inspect.Parameter:
    text = "ID." if noun.title is None else f"{'User name, email' if noun.more_names == ('email',) else 'Name'} or ID."
    if many:
        text = f"{text.removesuffix('.')}; - reads them from stdin."
        annotation: Any = Annotated[list[str], typer.Argument(metavar=f"{noun.metavar}...", help=text)]
        return inspect.Parameter("targets", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    if noun.own_only:
        annotation = Annotated[str | None, typer.Argument(metavar=f"[{noun.metavar}]", help=text, show_default=False)]
        return _option("target", annotation)
    annotation = Annotated[str, typer.Argument(metavar=noun.metavar, help=text)]
    return inspect.Parameter("target", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)


def _filter_option(noun: Noun, each: ListFilter) -> Any:  # noqa: ANN401  # what Typer inspects
    if each.noun is None:
        flag = f"--{each.option}/--not-{each.option}"
        text = f"Limit to {noun.plural} that are, or are not, {each.option}."
        return Annotated[bool | None, typer.Option(flag, help=text, show_default=False)]
    by = "ID" if each.noun.title is None else "name or ID"
    text = f"Limit to {noun.plural} of this {each.noun.singular} ({by})."
    return Annotated[str | None, typer.Option(f"--{each.option}", metavar=each.noun.metavar, help=text)]
