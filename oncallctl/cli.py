"""The command tree, and the one place where errors become messages on stderr and an exit status."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Iterable
from itertools import zip_longest
from typing import Annotated, Any, NoReturn

import typer
from typer.main import get_command

from oncallctl import __version__
from oncallctl.commands import API_NOUNS, NOUNS, VERBS, app_of
from oncallctl.config.settings import Settings
from oncallctl.errors import Bug, Declined, ExitCode, Interrupted, InvalidInput, OncallError, OutcomeUnknown, Signal
from oncallctl.output import colors
from oncallctl.parsing import help_layout, shortcuts
from oncallctl.parsing.framework import Commands, Group, Lazy, Leaves
from oncallctl.parsing.global_options import Click, global_options, keep_for_leaf
from oncallctl.parsing.usage_errors import as_invalid_input
from oncallctl.process import interrupts, sent_changes
from oncallctl.text import dump_json, sentence

MAX_STDERR_WAIT = 2.0  # seconds that a message waits for stderr after a signal

EXAMPLES = (
    "oncallctl --profile sandbox who",
    "oncallctl help maintenance start",
    "oncallctl help times",
    "oncallctl help",
)
OBJECTS = "Objects"
OTHERS = "Other commands"
SECTIONS = {
    "On call": ("teams", "schedules", "shift-swaps", "cover", "users"),
    "Alerts and pages": ("alert-groups", "escalate", "maintenance"),
    OBJECTS: (),
    "Review": ("audit", "report", "backup", "diff"),
    "Set up": ("auth", "config", "doctor", "sandbox", "completion"),
    OTHERS: ("api", "commands", "help"),
}
"""Heading of the help -> the commands below it. All other nouns of the API are below `OBJECTS`."""

_NAME_WIDTH = max(map(len, (*NOUNS, *VERBS)))


class Tree(Lazy):
    """The commands below the root. The module of each is imported on first access."""

    def __init__(self) -> None:
        super().__init__((*NOUNS, *VERBS), _built)


def _built(name: str) -> Click:
    if name in NOUNS:
        group = Group(name=name, help=NOUNS[name], rich_markup_mode=None)
        group.commands = Leaves(app_of(name))
        return group
    return get_command(app_of(name))


class Root(Group):
    """The root command: takes the global options before the noun, and reports every exception."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # as Typer gives them
        super().__init__(**attributes)
        self.commands = Tree()

    def format_commands(self, ctx: Click, formatter: Click) -> None:  # noqa: ARG002  # the name in Click
        """Write the commands by purpose, without importing their modules, and the shortcuts."""
        rows = {**NOUNS, **VERBS}
        unplaced = [name for name in rows if not any(name in names for names in SECTIONS.values())]
        objects = [name for name in unplaced if name in API_NOUNS]
        others = sorted({*unplaced} - {*objects})
        for heading, names in {**SECTIONS, OBJECTS: objects, OTHERS: (*others, *SECTIONS[OTHERS])}.items():
            if listed := [(f"{name:<{_NAME_WIDTH}}", rows[name].removesuffix(".")) for name in names if name in rows]:
                with formatter.section(heading):
                    formatter.write_dl(listed)
        with formatter.section("Shortcuts"):
            shown = shortcuts.of_noun("").items()
            formatter.write_dl([(f"{name:<{_NAME_WIDTH}}", " ".join(words)) for name, words in shown])

    def format_epilog(self, ctx: Click, formatter: Click) -> None:  # noqa: ARG002  # the name in Click
        """Write examples, which lead to the help topics too."""
        help_layout.write_examples(EXAMPLES, formatter)

    def get_params(self, ctx: Click) -> list[Click]:
        """Add the global options, which may stand before the noun too; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *global_options(), *own[-1:]]

    def get_command(self, ctx: Click, cmd_name: str) -> Click:  # noqa: ARG002  # the name in Click
        """Return a command by its name or a shortcut; None if there is none."""
        noun, *verb = shortcuts.of_noun("").get(cmd_name, (cmd_name,))
        command: Any = self.commands.get(noun)
        return command.commands[verb[0]] if command and verb else command

    def resolve_command(self, ctx: Click, args: list[str]) -> Click:
        """Return the name, the command and its arguments.

        Raises:
            InvalidInput: there is no such command, or the alias of this name cannot be used.
        """
        if self.get_command(ctx, args[0]) is None:
            args = shortcuts.expand(args, lambda word: self.get_command(ctx, word) is not None)
        if self.get_command(ctx, args[0]) is None:
            raise shortcuts.unknown_noun(ctx.command_path, list(self.commands), args, self._verbs)
        return super().resolve_command(ctx, args)

    def _verbs(self, name: str) -> Iterable[str]:
        return getattr(self.commands[name], "commands", ())

    def invoke(self, ctx: Click) -> object:
        """Store the global options for the command, and invoke it."""
        keep_for_leaf(ctx)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # Typer would exit with 1
            raise Signal(signal.SIGPIPE) from None

    def list_commands(self, ctx: Click) -> list[str]:  # noqa: ARG002  # the name in Click
        """Return nouns and verbs sorted by name; Typer's implementation would import them."""
        return sorted(self.commands)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401  # as Typer gives them
        """Run the program and exit with its status; no other exception leaves this method."""
        settings = Settings()
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra["standalone_mode"] = False
        sent_changes.reset()
        try:
            interrupts.begin()
            status = super().main(words, prog_name or "oncallctl", obj=settings, **extra)
            sys.stdout.flush()
            interrupts.check()  # Python swallows exceptions in some callbacks
        except (Exception, Signal) as error:  # noqa: BLE001  # the error boundary
            status = _report_exception(error, settings, words)
        interrupts.end()
        sys.exit(status if isinstance(status, int) else 0)


def _report_exception(error: BaseException, settings: Settings, words: list[str]) -> int:
    """Report the exception that ended the program, with the changes sent before it; return the exit status."""
    if interrupts.arrived() is not None:
        interrupts.end()  # another signal must not interrupt the report
        if not isinstance(error, (OncallError, Signal)):
            error = Signal(interrupts.arrived() or signal.SIGINT)  # the error is a consequence of the signal
    try:
        return report(
            _with_changes(_to_oncall_error(error), sudden=not isinstance(error, OncallError)), settings, words
        )
    except MemoryError:
        sent = sent_changes.any_sent()
        os.write(2, b"error: out of memory" + (b"; a change may have been sent\n" if sent else b"\n"))
        return ExitCode.UNKNOWN if sent else ExitCode.FAILED


def _with_changes(error: OncallError, *, sudden: bool) -> OncallError:
    """Add to an error the changes sent before it, unless stdout or the error reports them already.

    Args:
        error: the error that ended the program.
        sudden: True if it was unexpected, so that the command could not report what it had sent.
    """
    unreported = [each for each in sent_changes.unreported() if each.request not in error.message]
    if not sudden:
        unreported = [each for each in unreported if each.response and not each.accounted]
    if not unreported:
        return error
    error.message = f"{error.message}; {sent_changes.format_changes(unreported)}"
    error.hint = next((f"check before you try again: {each.check}" for each in unreported if each.check), error.hint)
    if isinstance(error, Bug) and any(each.response is None for each in unreported):
        return OutcomeUnknown(error.message, hint=error.hint)
    return error


def _to_oncall_error(error: BaseException) -> OncallError:
    """Convert any exception to an `OncallError`."""
    if isinstance(error, OncallError):
        return error
    for kind, explain in _EXPLANATIONS:
        if isinstance(error, kind):
            return explain(error)
    return Bug.of(error)


def _interrupted(signum: int) -> Interrupted:
    if signum == signal.SIGPIPE:
        return Interrupted(signum, "the reader of stdout has exited")
    return Interrupted(signum, "interrupted" if sent_changes.any_sent() else sent_changes.NOTHING_SENT)


_EXPLANATIONS: tuple[tuple[type[BaseException], Callable[[Any], OncallError]], ...] = (
    (Signal, lambda error: _interrupted(error.signum)),
    (BrokenPipeError, lambda _: _interrupted(signal.SIGPIPE)),
    (typer.Abort, lambda _: Declined("declined; nothing was changed")),
    (typer.TyperException, as_invalid_input),
    (OSError, lambda error: OncallError(f"{error.filename or 'standard output'}: {error.strerror or error}")),
    (UnicodeEncodeError, lambda _: InvalidInput("text that is not UTF-8", hint="check the terminal's character set")),
)


def report(error: OncallError, settings: Settings, words: list[str]) -> int:
    """Write an error to stderr, as text or as one line of JSON.

    Returns:
        The exit status.
    """
    if error.exit_code == 128 + signal.SIGPIPE and not sent_changes.unreported():
        return int(error.exit_code)  # the reader of stdout has exited, as `head` does: no error
    as_json, quiet = (settings.has_json_messages, settings.quiet) if settings.parsed else _guess(words)
    if as_json:
        lines = [dump_json({"error": error.document()}, to=sys.stderr)]
    else:
        settings.color = settings.color and "--no-color" not in words  # they may not have been parsed
        lines = [f"{colors.prefix(settings, 'error')} {sentence(error.message)}"]
        if error.hint and not quiet:
            lines.append(f"{colors.prefix(settings, 'hint')} {sentence(error.hint)}")
    if interrupts.arrived() is None or _is_stderr_writable():
        with contextlib.suppress(OSError):  # stderr is closed; the exit status still reports the error
            print("\n".join(lines), file=sys.stderr, flush=True)
    return int(error.exit_code)


def _is_stderr_writable() -> bool:
    """True if stderr accepts a message within `MAX_STDERR_WAIT`: writing to a pipe that nobody reads would block."""
    try:
        return bool(select.select([], [sys.stderr], [], MAX_STDERR_WAIT)[1])
    except (OSError, ValueError):  # not a file, as in tests
        return True


def _guess(words: list[str]) -> tuple[bool, bool]:
    """Guess whether a command line that cannot be parsed asks for JSON, and for quiet."""
    output, quiet = os.environ.get("ONCALLCTL_OUTPUT", ""), False
    words = words[: words.index("--")] if "--" in words else words
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word in {"-o", "--output"}:
            output = following
        elif word.startswith(("--output=", "-o")):
            output = word.removeprefix("--output=").removeprefix("-o")
        quiet = quiet or word in {"-q", "--quiet"}
    return output in {"json", "jsonl"}, quiet


app = Commands(cls=Root, rich_markup_mode=None, add_completion=False)


def _version(wanted: bool) -> None:  # noqa: FBT001  # Typer calls it
    if wanted:
        print(f"oncallctl {__version__}")
        raise typer.Exit


@app.callback()
def root(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Find out who is on call, page them, and manage maintenance windows on Grafana OnCall and Grafana Cloud IRM."""
    del version
