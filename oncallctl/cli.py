"""The command tree, and the one place where errors become messages on stderr and an exit status."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from itertools import zip_longest
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

from oncallctl import __version__
from oncallctl.commands import NOUNS, app_of
from oncallctl.commands.api import api
from oncallctl.commands.completion import completion
from oncallctl.commands.doctor import doctor
from oncallctl.commands.escalate import escalate
from oncallctl.config.settings import Settings
from oncallctl.errors import Bug, Declined, ExitCode, Interrupted, InvalidInput, OncallError, OutcomeUnknown, Signal
from oncallctl.output import colors
from oncallctl.parsing.framework import Leaf, common_options, keep_for_leaf
from oncallctl.process import interrupts, sent_changes
from oncallctl.text import dump_json, sentence

MAX_STDERR_WAIT = 2.0  # seconds that a message waits for stderr after a signal


class Tree(MutableMapping[str, Any]):
    """The commands below the root, by name. A noun's module is imported on first access."""

    def __init__(self, verbs: Mapping[str, Any]) -> None:
        self._made = dict(verbs)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # Typer's own Command is private
        if name in NOUNS and name not in self._made:
            group = get_group(app_of(name))
            group.name, group.help = name, NOUNS[name]
            self._made[name] = group
        return self._made[name]

    def __setitem__(self, name: str, command: Any) -> None:  # noqa: ANN401
        self._made[name] = command

    def __delitem__(self, name: str) -> None:
        del self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**NOUNS, **self._made})

    def __len__(self) -> int:
        return len({**NOUNS, **self._made})


class Root(TyperGroup):
    """The root command: takes the global options before the noun, and reports every exception."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # as Typer gives them
        super().__init__(**attributes)
        self.commands = Tree(self.commands)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        """Write the list of commands without importing their modules."""
        verbs = {name: self.commands[name] for name in self.commands if name not in NOUNS}
        rows = {**NOUNS, **{name: command.get_short_help_str(formatter.width) for name, command in verbs.items()}}
        with formatter.section("Commands"):
            formatter.write_dl([(name, rows[name].removesuffix(".")) for name in self.list_commands(ctx)])

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # Typer's own Parameter is private
        """Add the global options, which may stand before the noun too; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *common_options(), *own[-1:]]

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Store the global options for the command, and invoke it."""
        keep_for_leaf(ctx)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # Typer would exit with 1
            raise Signal(signal.SIGPIPE) from None

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """Return nouns and verbs sorted by name; Typer's implementation would import them."""
        return sorted(self.commands)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401
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
    told = [each for each in sent_changes.unreported() if each.request not in error.message]
    if not sudden:
        told = [each for each in told if each.response and not each.accounted]
    if not told:
        return error
    error.message = f"{error.message}; {sent_changes.listed(told)}"
    error.hint = next((f"look before you try again: {each.look}" for each in told if each.look), error.hint)
    if isinstance(error, Bug) and any(each.response is None for each in told):
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


def _unknown_command(found: re.Match[str]) -> str:
    near = f" (did you mean {found[2]}?)" if found[2] else ""
    return f"unknown command: {found[1]!r}{near}"


def _wrong_usage(error: Any) -> OncallError:  # noqa: ANN401  # Typer's usage errors are private
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "oncallctl"
    message = error.format_message().rstrip(".").replace("\n\t", " ").replace("\n", " ")
    for pattern, replacement in _CLICK_MESSAGES:
        message = re.sub(pattern, replacement, message)
    if context and message == "missing command":
        message = f"missing command after {command}: {', '.join(context.command.list_commands(context))}"
    dash = "; put names that begin with - after --" if re.match("unknown option: -[^-]", message) else ""
    return InvalidInput(message, hint=f"{command} --help{dash}")


# Click's messages in the style of this program's: lower case, `what failed: why`.
_CLICK_MESSAGES = (
    (r"^No such command '(.*?)'(?:\. Did you mean (.*)\?)?$", _unknown_command),
    (r"^No such option: (\S+)", r"unknown option: \1"),
    (r"\(Possible options: (.*)\)$", r"(did you mean \1?)"),
    (r"Did you mean (.*)\?$", r"(did you mean \1?)"),
    (r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)$", r"unexpected argument: \1"),
    (r"^Missing (argument|option) '(.*?)'", r"missing \1: \2"),
    (r"^Invalid value for '(.*?)': ", r"invalid value for \1: "),
    (r"is not in the range x>=(\d+)$", r"is less than \1"),
    (r"is not in the range (\d+)<=x<=(\d+)$", r"is not between \1 and \2"),
    (r"is not a valid float$", "is not a number"),
    (r"^Option '(.*?)' requires an argument$", r"option \1 requires a value"),
    (r"^Option '(.*?)' does not take a value$", r"option \1 takes no value"),
    (r"^Missing command$", "missing command"),
)


_EXPLANATIONS: tuple[tuple[type[BaseException], Callable[[Any], OncallError]], ...] = (
    (Signal, lambda error: _interrupted(error.signum)),
    (BrokenPipeError, lambda _: _interrupted(signal.SIGPIPE)),
    (typer.Abort, lambda _: Declined("declined; nothing was changed")),
    (typer.TyperException, _wrong_usage),
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


app = typer.Typer(cls=Root, rich_markup_mode=None, add_completion=False)
app.command(cls=Leaf)(api)
app.command(cls=Leaf)(doctor)
app.command(cls=Leaf)(escalate)
app.command(cls=Leaf)(completion)


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
