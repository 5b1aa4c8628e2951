"""The command tree, and the one place where errors become stderr and an exit status."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_group

from oncallctl import __version__
from oncallctl.commands import NOUNS
from oncallctl.commands.api import api
from oncallctl.commands.completion import completion
from oncallctl.commands.doctor import doctor
from oncallctl.commands.escalate import escalate
from oncallctl.config.settings import Settings
from oncallctl.errors import Bug, Declined, ExitCode, Interrupted, InvalidInput, OncallError, OutcomeUnknown, Signal
from oncallctl.parsing.framework import Leaf, common_options, keep_for_leaf
from oncallctl.process import interrupts, sent_changes
from oncallctl.text import dump_json, sentence

LONGEST_GOODBYE = 2.0  # seconds that a message after a signal waits for stderr


class Tree(MutableMapping[str, Any]):
    """The commands below the root, by name; a noun is loaded when it is first looked at."""

    def __init__(self, verbs: Mapping[str, Any]) -> None:
        self._made = dict(verbs)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401  # Typer's own Command is private
        if name in NOUNS and name not in self._made:
            group = get_group(import_module(f"oncallctl.commands.{name.replace('-', '_')}").app)
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
    """The root of the tree: the options before the noun, and the boundary that no exception passes."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # as Typer gives them
        super().__init__(**attributes)
        self.commands = Tree(self.commands)

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:  # type: ignore[override]  # noqa: ANN401
        """Write what there is, without loading it."""
        verbs = {name: self.commands[name] for name in self.commands if name not in NOUNS}
        rows = {**NOUNS, **{name: command.get_short_help_str(formatter.width) for name, command in verbs.items()}}
        with formatter.section("Commands"):
            formatter.write_dl([(name, rows[name].removesuffix(".")) for name in self.list_commands(ctx)])

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # Typer's own Parameter is private
        """Add the common options, which may stand before the noun too; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *common_options(), *own[-1:]]

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Keep the common options for the command, and go on to it."""
        keep_for_leaf(ctx)
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # Typer would make an exit 1 of it
            raise Signal(signal.SIGPIPE) from None

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """List nouns and verbs alike by name; Typer's own way would load them."""
        return sorted(self.commands)

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401
        """Run the program and leave it with its exit status; nothing else leaves this method."""
        settings = Settings()
        words = list(sys.argv[1:] if args is None else args) or ["--help"]
        extra["standalone_mode"] = False
        sent_changes.reset()
        try:
            interrupts.begin()
            status = super().main(words, prog_name or "oncallctl", obj=settings, **extra)
            sys.stdout.flush()
            interrupts.check()  # Python may have swallowed it
        except (Exception, Signal) as error:  # noqa: BLE001  # the boundary
            status = _last_word(error, settings, words)
        interrupts.end()
        sys.exit(status if isinstance(status, int) else 0)


def _last_word(error: BaseException, settings: Settings, words: list[str]) -> int:
    """Report what ended the program, and the changes that it had sent; return the exit status."""
    if interrupts.arrived() is not None:
        interrupts.end()  # another signal must not cut this short
        if not isinstance(error, (OncallError, Signal)):
            error = Signal(interrupts.arrived() or signal.SIGINT)  # what a swallowed signal broke
    try:
        return report(_with_changes(_explained(error), sudden=not isinstance(error, OncallError)), settings, words)
    except MemoryError:
        sent = sent_changes.any_sent()
        os.write(2, b"error: out of memory" + (b"; a change may have been sent\n" if sent else b"\n"))
        return ExitCode.UNKNOWN if sent else ExitCode.FAILED


def _with_changes(error: OncallError, *, sudden: bool) -> OncallError:
    """Add to an error the changes that were sent before it, unless stdout or the error tells of them.

    Args:
        error: what ended the program.
        sudden: whether it could come at any time, so that the command itself did not say what it had sent.
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


def _explained(error: BaseException) -> OncallError:
    """Name any exception as an error of this program's."""
    if isinstance(error, OncallError):
        return error
    for kind, explain in _EXPLANATIONS:
        if isinstance(error, kind):
            return explain(error)
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else "?"
    return Bug(f"{type(error).__name__} at {where}: {error}", hint="this is a bug in oncallctl; please report it")


def _interrupted(signum: int) -> Interrupted:
    if signum == signal.SIGPIPE:
        return Interrupted(signum, "the reader of stdout has gone")
    return Interrupted(signum, "interrupted" if sent_changes.any_sent() else sent_changes.NOTHING_SENT)


def _wrong_usage(error: Any) -> OncallError:  # noqa: ANN401  # Typer's usage errors are private
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "oncallctl"
    message = error.format_message().rstrip(".").replace("\n\t", " ").replace("\n", " ")
    if context and message == "Missing command":
        message = f"{command}: which one? {', '.join(context.command.list_commands(context))}"
    dash = "; a name that begins with - comes after --" if re.match("No such option: -[^-]", message) else ""
    return InvalidInput(message, hint=f"{command} --help{dash}")


_EXPLANATIONS: tuple[tuple[type[BaseException], Callable[[Any], OncallError]], ...] = (
    (Signal, lambda error: _interrupted(error.signum)),
    (BrokenPipeError, lambda _: _interrupted(signal.SIGPIPE)),
    (typer.Abort, lambda _: Declined("declined; nothing was changed")),
    (typer.TyperException, _wrong_usage),
    (OSError, lambda error: OncallError(f"{error.filename or 'standard output'}: {error.strerror or error}")),
    (UnicodeEncodeError, lambda _: InvalidInput("text that is not UTF-8", hint="check the terminal's character set")),
)


def report(error: OncallError, settings: Settings, words: list[str]) -> int:
    """Say an error on stderr: for a person in lines, for a program as one JSON line.

    Returns:
        The exit status.
    """
    if error.exit_code == 128 + signal.SIGPIPE and not sent_changes.unreported():
        return int(error.exit_code)  # whoever read stdout has gone, as `head` does, and wants no more
    as_json, quiet = (settings.has_json_messages, settings.quiet) if settings.parsed else _guess(words)
    if as_json:
        lines = [dump_json({"error": error.document()}, to=sys.stderr)]
    else:
        lines = [f"error: {sentence(error.message)}"]
        if error.hint and not quiet:
            lines.append(f"hint: {sentence(error.hint)}")
    if interrupts.arrived() is None or _can_be_told():
        with contextlib.suppress(OSError):  # nobody can be told; the exit status still says it
            print("\n".join(lines), file=sys.stderr, flush=True)
    return int(error.exit_code)


def _can_be_told() -> bool:
    """True if stderr takes a message, perhaps after a moment: a pipe that nobody reads would take it never."""
    try:
        return bool(select.select([], [sys.stderr], [], LONGEST_GOODBYE)[1])
    except (OSError, ValueError):  # it is no file, as in a test
        return True


def _guess(words: list[str]) -> tuple[bool, bool]:
    """Whether a command line that could not be read as a whole asks for json, and for quiet."""
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
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version.")
    ] = False,
) -> None:
    """Who is on call, page them, put integrations into maintenance: on Grafana OnCall and Grafana Cloud IRM."""
    del version
