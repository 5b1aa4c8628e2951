"""Requests that `--dry-run` shows instead of sending."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from textwrap import indent

from oncallctl.config.settings import Format, Settings
from oncallctl.output import colors
from oncallctl.output.columns import Columns, Row
from oncallctl.output.render import render, render_text
from oncallctl.text import dump_json, sentence, visible

REQUEST: Columns = {"METHOD": "method", "URL": "url", "BODY": "body"}


def render_request(settings: Settings, request: Row) -> None:
    """Write one request: ``METHOD URL`` with the body below, or its fields in csv and json.

    Args:
        settings: the format.
        request: ``{"method", "url", "body"}``, see `OnCall.described`.
    """
    if _as_blocks(settings):
        render_text(settings, _block(settings, request))
    else:
        render(settings, request, REQUEST)


def render_requests(
    settings: Settings, documents: Iterable[Row], columns: Columns, *, rows: Iterable[Row] | None = None
) -> None:
    """Write the requests for several targets, each below a line that names its target.

    Args:
        settings: the format.
        documents: for each target, an outcome with ``requests``; see `Outcome.document`.
        columns: header -> dotted path, for csv.
        rows: the objects for csv. The default is `documents`.
    """
    if _as_blocks(settings):
        render_text(settings, "\n".join("".join(_blocks(settings, each)) for each in documents))
    else:
        render(settings, documents, {**columns, "REQUESTS": "requests"}, rows=rows)


def _as_blocks(settings: Settings) -> bool:
    return settings.format is Format.TABLE and settings.columns is None


def _blocks(settings: Settings, outcome: Row) -> Iterator[str]:
    """Yield the lines of one target."""
    name = sentence(str(outcome.get("name") or outcome["target"]))
    status = str(outcome["status"])
    error = outcome.get("error")
    reason = f": {sentence(error['message'])}" if isinstance(error, Mapping) else ""
    yield f"# {name}: {colors.on_stdout(settings, visible(status), colors.style_of(status))}{reason}\n"
    for request in outcome.get("requests") or ():
        yield _block(settings, request)


def _block(settings: Settings, request: Row) -> str:
    line = f"{colors.on_stdout(settings, request['method'], colors.HEADING)} {visible(request['url'])}\n"
    if request["body"] is None:
        return line
    body = dump_json(request["body"], indent=2, to=sys.stdout)
    return f"{line}{indent(colors.json_on_stdout(settings, body), '  ')}\n"
