"""The command tree, and the one place where errors become stderr and an exit status."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from oncallctl import __version__
from oncallctl.commands import NOUNS
from oncallctl.commands.completion import completion
from oncallctl.commands.escalate import escalate
from oncallctl.errors import Declined, Defect, Interrupted, InvalidInput, OncallError, Signal
from oncallctl.options import Leaf, common_options, keep_for_leaf
from oncallctl.settings import Settings
from oncallctl.text import dump_json, visible


class Root(TyperGroup):
    """The root of the tree: the options before the noun, and the boundary that no exception passes."""

    def get_params(self, ctx: typer.Context) -> list[Any]:  # type: ignore[override]  # Typer's own Parameter is private
        """Add the common options, which may stand before the noun too; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *common_options(), *own[-1:]]

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # noqa: ANN401
        """Keep the common options for the command, and go on to it."""
        keep_for_leaf(ctx)
        return super().invoke(ctx)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """List nouns and verbs alike by name."""
        return sorted(super().list_commands(ctx))

    def main(self, args: Any = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]  # noqa: ANN401
        """Run the program and leave it with its exit status; nothing else leaves this method."""
        settings = Settings()
        words = list(sys.argv[1:] if args is None else args)
        extra["standalone_mode"] = False
        try:
            status = super().main(words, prog_name or "oncallctl", obj=settings, **extra)
            sys.stdout.flush()
        except BrokenPipeError:
            status = _reader_left()
        except (Exception, Signal) as error:  # noqa: BLE001  # the boundary
            status = report(_explained(error), settings, words)
        sys.exit(status if isinstance(status, int) else 0)


def _explained(error: BaseException) -> OncallError:
    """Name any exception as an error of this program's."""
    if isinstance(error, OncallError):
        return error
    if isinstance(error, Signal):
        return Interrupted(error.signum)
    if isinstance(error, typer.Abort | EOFError):
        return Declined("declined; nothing was changed")
    if isinstance(error, typer.TyperException):
        path = getattr(getattr(error, "ctx", None), "command_path", "oncallctl")
        return InvalidInput(error.format_message().rstrip(".") or "usage", hint=f"{path} --help")
    if isinstance(error, OSError) and error.filename is not None:
        return InvalidInput(f"{error.filename}: {error.strerror}")
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}" if trace else "?"  # noqa: PTH119
    return Defect(f"{type(error).__name__} at {where}: {error}", hint="this is a defect of oncallctl; please report it")


def report(error: OncallError, settings: Settings, words: list[str]) -> int:
    """Say an error on stderr: for a person in lines, for a program as one JSON line.

    Returns:
        The exit status.
    """
    if settings.as_json or (settings.output is None and _json_wanted(words)):
        print(dump_json({"error": error.document()}), file=sys.stderr)
    else:
        print(f"error: {visible(error.message)}", file=sys.stderr)
        if error.hint and not settings.quiet:
            print(f"hint: {visible(error.hint)}", file=sys.stderr)
    return int(error.exit_code)


def _json_wanted(words: list[str]) -> bool:
    """Whether the command line asks for json, when it could not be read as a whole."""
    wanted = os.environ.get("ONCALLCTL_OUTPUT", "")
    for index, word in enumerate(words):
        if word == "--":
            break
        if word in {"-o", "--output"}:
            wanted = words[index + 1] if index + 1 < len(words) else ""
        elif word.startswith(("--output=", "-o")):
            wanted = word.removeprefix("--output=").removeprefix("-o")
    return wanted in {"json", "jsonl"}


def _reader_left() -> int:
    """Whoever read stdout has gone, as `head` does: end as a program that SIGPIPE ends, and quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


app = typer.Typer(cls=Root, rich_markup_mode=None, no_args_is_help=True, add_completion=False)
for name, noun in NOUNS.items():
    app.add_typer(noun, name=name)
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


def _arrive(signum: int, _frame: FrameType | None) -> NoReturn:
    raise Signal(signum)


def main() -> NoReturn:
    """Run the program."""
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(signum) is not signal.SIG_IGN:  # nohup stays nohup
            signal.signal(signum, _arrive)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a locale that lacks a character
    app()
    raise AssertionError
