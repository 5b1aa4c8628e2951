"""`help`: the help of a command, or a text about a topic."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from oncallctl.errors import EXIT_CODES, InvalidInput
from oncallctl.output.render import render_text
from oncallctl.parsing.framework import verb
from oncallctl.parsing.global_options import Click

app = verb()


_FILES = {
    "agents": "AGENTS.md",
    "credentials": "credentials.txt",
    "environment": "environment.txt",
    "names": "names.txt",
    "output": "output.txt",
    "times": "times.txt",
    "windows-file": "windows-file.txt",
}
TOPICS = {
    "times": "Durations, times and time zones",
    "names": "Names, IDs and patterns",
    "output": "Output formats, columns and colors",
    "exit-codes": "Exit codes, and when to retry",
    "windows-file": "Files of maintenance windows",
    "environment": "Environment variables",
    "credentials": "Profiles and tokens",
    "agents": "Rules for AI agents that run oncallctl",
}
"""Topic -> its title."""


@app.command(
    "help",
    examples=[
        "oncallctl help maintenance start",
        "oncallctl help exit-codes",
        "oncallctl help agents > AGENTS.md",
    ],
)
def help_(
    ctx: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[COMMAND]...", help="A command, or a topic.", show_default=False)
    ] = None,
) -> None:
    """Show the help of a command, or about a topic."""
    if not words:
        text = _overview()
    elif len(words) == 1 and words[0] in TOPICS:
        text = topic(words[0])
    else:
        text = _of_command(ctx.find_root(), words)
    render_text(ctx.obj, f"{text}\n")


def topic(name: str) -> str:
    """Return the text about a topic."""
    if name == "exit-codes":
        return _exit_codes()
    return (Path(__file__).parent / _FILES[name]).read_text(encoding="utf-8").rstrip("\n")


def _overview() -> str:
    width = max(map(len, TOPICS))
    topics = "\n".join(f"  {name:<{width}}  {title}" for name, title in TOPICS.items())
    return f"""Help topics:

{topics}

Commands:

  oncallctl help TOPIC        text about a topic
  oncallctl help COMMAND...   the same as oncallctl COMMAND... --help
  oncallctl commands          list all commands
  oncallctl --help            commands by purpose, and the global options"""


def _exit_codes() -> str:
    import textwrap

    lines = ["Exit codes", "", "  code           retry?           meaning"]
    for code, meaning, retry in EXIT_CODES:
        first, *rest = textwrap.wrap(meaning, width=44)
        lines += [f"  {code:<14} {retry or '-':<16} {first}", *(f"{'':<34}{line}" for line in rest)]
    lines += [
        "",
        "If all of several targets fail in the same way, the exit code is that of the",
        "failure, else 4. With -o json, errors have the keys exit_code and retryable.",
    ]
    return "\n".join(lines)


def _of_command(root: Click, words: list[str]) -> str:
    """Return the help of a command.

    Raises:
        InvalidInput: there is no such command or topic.
    """
    context = root
    for word in words:
        command = context.command.get_command(context, word) if hasattr(context.command, "get_command") else None
        if command is None:
            raise InvalidInput(f"no command or topic {' '.join(words)!r}", hint="oncallctl help")
        context = typer.Context(command, info_name=word, parent=context)
    text: str = context.get_help()
    return text
