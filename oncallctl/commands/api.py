"""`api`: call any endpoint of the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.errors import InvalidInput
from oncallctl.output.dry_run import render_request
from oncallctl.output.prompts import Proposal, confirm
from oncallctl.output.render import render_values
from oncallctl.parsing.framework import verb
from oncallctl.parsing.options import (
    DryRunOption,
    ShowSecretsOption,
    YesOption,
    key_value,
    read_text,
)

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.raw import Request
    from oncallctl.config.settings import Settings


app = verb()


class HttpMethod(StrEnum):
    """The HTTP methods; only GET changes nothing."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


@app.command(
    examples=[
        "oncallctl api GET teams/",
        "oncallctl api GET integrations/ --paginate -o jsonl",
        "oncallctl api POST webhooks/ --field name=chat --field url=https://chat.example.com --dry-run",
    ]
)
def api(
    ctx: typer.Context,
    method: Annotated[
        HttpMethod, typer.Argument(metavar="METHOD", case_sensitive=False, help="GET, POST, PUT, PATCH or DELETE.")
    ],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Path below /api/v1/, for example webhooks/?name=x.")],
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field", metavar="KEY=VALUE|@FILE", help="Field of the body, or of the query for GET. Can be repeated."
        ),
    ] = None,
    paginate: Annotated[bool, typer.Option("--paginate", help="Fetch all result pages and join them.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    show_secrets: ShowSecretsOption = False,
) -> None:
    """Call any API endpoint with the profile's credentials."""
    from oncallctl.api import raw

    settings = replace(ctx.obj, command_output=Format.JSON)
    request = raw.request(method.value, path, _fields(method, field or []))
    if paginate and (method is not HttpMethod.GET or "page" in request.query):
        raise InvalidInput("--paginate works only with GET, and without a page", hint="omit --paginate, or the page")
    with connect(settings) as oncall:
        if dry_run:
            render_request(ctx.obj, oncall.dry_run_document(request.change))
        elif paginate:
            rows = request.rows(oncall)
            render_values(settings, rows if show_secrets else map(raw.mask_secrets, rows))
        else:
            response = request.read(oncall) if method is HttpMethod.GET else _change(settings, oncall, request, yes=yes)
            response = response if show_secrets else raw.mask_secrets(response)
            _show(settings, response, done=method is not HttpMethod.GET)


def _fields(method: HttpMethod, given: list[str]) -> list[tuple[str, object]]:
    """Parse --field options; files and query values are text, other values are JSON if they parse as JSON."""
    from oncallctl.api import raw

    pairs = [key_value(each, "--field") for each in given]
    if sum(text == "@-" for _, text in pairs) > 1:
        raise InvalidInput("two fields cannot both be read from stdin")
    return [
        (
            key,
            read_text(text[1:], "--field")
            if text[:1] == "@"
            else text
            if method is HttpMethod.GET
            else raw.value(text),
        )
        for key, text in pairs
    ]


def _change(settings: Settings, oncall: OnCall, request: Request, *, yes: bool) -> object:
    from oncallctl.api.lost_responses import send_once

    if request.method == HttpMethod.DELETE:
        proposal = Proposal(f"DELETE {oncall.transport.url(request.path)}", is_destructive=True)
        confirm(settings, oncall.profile, proposal, yes=yes)
    with request.naming_path():
        document = send_once(oncall, request.change, "the change", request.check_arguments()).document
    if oncall.profile.is_sandbox and request.pages_people:
        settings.note("sandbox: nobody was paged")
    return document


def _show(settings: Settings, response: object, *, done: bool = False) -> None:
    """Write a response; an empty one prints nothing."""
    from oncallctl.api import raw

    if response is None:
        return
    if isinstance(response, Mapping) and (response.get("next") or response.get("previous")):
        number, count = response.get("current_page_number"), response.get("total_pages")
        if settings.format is not Format.JSON:  # json shows it
            settings.note(f"result page {number} of {count}; --paginate fetches all")
    render_values(settings, raw.rows_of(response), document=response, done=done)
