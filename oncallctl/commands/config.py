"""`config`: show and change config.toml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from oncallctl.config import keys
from oncallctl.config.config_file import config, config_path
from oncallctl.output.render import render, render_text
from oncallctl.parsing.framework import noun

if TYPE_CHECKING:
    from oncallctl.config.settings import Settings

COLUMNS = {"KEY": "key", "VALUE": "value"}

KeyArgument = Annotated[
    str,
    typer.Argument(metavar="KEY", help="default_profile, profiles.NAME.FIELD or aliases.NAME.", show_default=False),
]

app = noun()


@app.command(examples=["oncallctl config path", "oncallctl config path -o json"])
def path(ctx: typer.Context) -> None:
    """Print the path of config.toml."""
    _show(ctx.obj, "path", str(config_path()))


@app.command("list", examples=["oncallctl config list", "oncallctl config list -o json"])
def list_keys(ctx: typer.Context) -> None:
    """List the keys that are set, with their values."""
    file = config()
    file.check()
    rows = [{"key": key, "value": value} for key, value in file.entries().items()]
    if ctx.obj.has_structured_output:
        render(ctx.obj, rows, COLUMNS)
    else:
        render(ctx.obj, [{"id": row["key"], **row, "value": keys.show(row["value"])} for row in rows], COLUMNS)


@app.command(
    examples=[
        "oncallctl config set default_profile sandbox",
        "oncallctl config get default_profile",
        "oncallctl config get default_profile -o json",
    ]
)
def get(ctx: typer.Context, key: KeyArgument) -> None:
    """Print the value of a key."""
    parsed = keys.parse_key(key)
    file = config()
    file.check()
    _show(ctx.obj, str(parsed), keys.get(file, parsed))


@app.command(
    "set",
    examples=[
        "oncallctl config set default_profile sandbox",
        "oncallctl config set aliases.mine 'alert-groups list --mine'",
        "oncallctl config list",
    ],
    changes="machine",
)
def set_key(
    ctx: typer.Context,
    key: KeyArgument,
    value: Annotated[
        str,
        typer.Argument(
            metavar="VALUE",
            help="The new value; items of a list are separated by commas.",
            show_default=False,
        ),
    ],
) -> None:
    """Set a key. Comments in the file stay, and an invalid value is refused."""
    parsed = keys.parse_key(key)
    keys.set_text(config(), parsed, value)
    ctx.obj.note(f"set {parsed}")


@app.command(
    examples=[
        "oncallctl config set aliases.mine 'alert-groups list --mine'",
        "oncallctl config unset aliases.mine",
    ],
    changes="machine",
)
def unset(ctx: typer.Context, key: KeyArgument) -> None:
    """Remove a key, so that its default applies."""
    parsed = keys.parse_key(key)
    removed = keys.unset(config(), parsed)
    ctx.obj.note(f"removed {parsed}" if removed else f"{parsed} is not set; nothing to change")


def _show(settings: Settings, key: str, value: object) -> None:
    """Print a bare value, or in other formats than the table an object with key and value."""
    if settings.has_structured_output:
        render(settings, {"key": key, "value": value}, COLUMNS)
    else:
        render_text(settings, f"{keys.show(value)}\n")
