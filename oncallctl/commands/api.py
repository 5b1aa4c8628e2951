"""Whatever has no command yet."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oncallctl.config.connect import connect
from oncallctl.config.settings import Format
from oncallctl.errors import InvalidInput
from oncallctl.output.prompts import confirm
from oncallctl.output.render import REQUEST, Secrets, render, render_text
from oncallctl.parsing.options import (
    DryRunOption,
    ShowSecretsOption,
    YesOption,
    key_value,
    read_text,
)
from oncallctl.text import dump_json

if TYPE_CHECKING:
    from oncallctl.api.client import OnCall
    from oncallctl.api.raw import Request
    from oncallctl.config.settings import Settings


class HttpMethod(StrEnum):
    """What to do; GET alone changes nothing."""

    GET = "GET"
    POST = "POST"
    PUT = "PUT"
    PATCH = "PATCH"
    DELETE = "DELETE"


def api(
    ctx: typer.Context,
    method: Annotated[
        HttpMethod, typer.Argument(metavar="METHOD", case_sensitive=False, help="GET, POST, PUT, PATCH or DELETE.")
    ],
    path: Annotated[str, typer.Argument(metavar="PATH", help="Below /api/v1/, such as webhooks/?name=x.")],
    field: Annotated[
        list[str] | None,
        typer.Option(
            "--field", metavar="KEY=VALUE|@FILE", help="A field of the body, or of a GET's query; may be repeated."
        ),
    ] = None,
    paginate: Annotated[bool, typer.Option("--paginate", help="Read all pages, and join them.")] = False,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    show_secrets: ShowSecretsOption = False,
) -> None:
    """Send any request to the API, with the profile's authorization."""
    from oncallctl.api import raw

    asked = ctx.obj.output or Format.JSON
    request = raw.request(method.value, path, _fields(method, field or []))
    if paginate and (method is not HttpMethod.GET or "page" in request.query):
        raise InvalidInput("--paginate reads all pages of a GET", hint="leave it out, or leave out the page")
    with connect(ctx.obj) as oncall:
        settings = replace(ctx.obj, output=asked)
        if dry_run:
            render(settings, request.described(oncall), REQUEST)
        elif paginate:
            rows = request.rows(oncall)
            _show(settings, rows if show_secrets else (raw.without_secrets(row) for row in rows))
        else:
            answer = request.read(oncall) if method is HttpMethod.GET else _change(settings, oncall, request, yes=yes)
            _show(settings, answer if show_secrets else raw.without_secrets(answer), done=method is not HttpMethod.GET)


def _fields(method: HttpMethod, given: list[str]) -> list[tuple[str, Any]]:
    """What the options say; a file is text, and so is everything in a query."""
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


def _change(settings: Settings, oncall: OnCall, request: Request, *, yes: bool) -> Any:  # noqa: ANN401  # a JSON value
    from oncallctl.api.lost_responses import send_once

    if request.method == HttpMethod.DELETE:
        confirm(oncall.profile, f"DELETE {oncall.transport.url(request.path)}?", yes=yes)
    with request.refused():
        document = send_once(oncall, request.change, "the change", request.where_to_look()).document
    if oncall.profile.is_sandbox and request.is_page:
        settings.note("sandbox: nobody was paged")
    return document


def _show(settings: Settings, answer: Any, *, done: bool = False) -> None:  # noqa: ANN401  # a JSON value, or many
    """Write an answer; an empty one is nothing."""
    from oncallctl.api import raw

    if answer is None:
        return
    pages = not isinstance(answer, dict | list | str | int | float)
    if settings.format is Format.JSON:
        render_text(settings, f"{dump_json(list(answer) if pages else answer, indent=2, to=sys.stdout)}\n")
        return
    rows: Iterable[object] = answer if pages else raw.listed(answer)
    if isinstance(answer, Mapping) and (answer.get("next") or answer.get("previous")):
        settings.note(f"page {answer.get('current_page_number')} of {answer.get('total_pages')}; --paginate reads all")
    if settings.format is Format.JSONL:
        for row in rows:
            render_text(settings, f"{dump_json(row, to=sys.stdout)}\n")
        return
    objects = [row if isinstance(row, Mapping) else {"value": row} for row in rows]
    if objects or settings.columns:
        columns = {str(key): str(key) for each in objects for key in each}
        render(settings, objects, columns, secrets=Secrets.SHOWN, done=done)  # they are hidden already
