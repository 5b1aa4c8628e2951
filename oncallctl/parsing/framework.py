"""Command classes: a leaf with the global options, and a noun with its verbs and their shortcuts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Literal, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.main import get_command_from_info, get_command_name

from oncallctl.errors import InvalidInput
from oncallctl.parsing import help_layout, shortcuts
from oncallctl.parsing.global_options import Click, global_options, resolve_for_leaf

Changes = Literal["server", "machine"] | None
Function = TypeVar("Function", bound=Callable[..., Any])

MAY_BE_EMPTY = frozenset({"title", "message"})  # omitted with a warning: the page must not fail because of them


class Leaf(TyperCommand):
    """A command without subcommands: it has the global options besides its own.

    Attributes:
        examples: complete command lines that work on the sandbox, in this order.
        changes: ``server``, ``machine`` (files and the keyring of this machine), or None if it only reads.
    """

    def __init__(
        self,
        *arguments: Any,  # noqa: ANN401  # as Typer gives them
        examples: Sequence[str] = (),
        changes: Changes = None,
        **attributes: Any,  # noqa: ANN401  # as Typer gives them
    ) -> None:
        super().__init__(*arguments, **attributes)
        self.examples = tuple(examples)
        previews = any("--dry-run" in param.opts for param in self.params)
        self.changes = changes or ("server" if previews else None)

    def get_params(self, ctx: Click) -> list[Click]:
        """Add the global options; --help stays last."""
        own = super().get_params(ctx)
        return [*own[:-1], *global_options(), *own[-1:]]

    def get_help_option_names(self, ctx: Click) -> list[str]:  # noqa: ARG002  # the name in Click
        """Return the names of the help option."""
        return list(help_layout.HELP_OPTION)

    def get_short_help_str(self, limit: int = 0) -> str:  # noqa: ARG002  # Click's name; nothing is cut
        """Return the first sentence of the help."""
        return help_layout.first_sentence(self.help)

    def collect_usage_pieces(self, ctx: Click) -> list[str]:
        """Return the words of the usage line; Typer puts required arguments in braces."""
        return [piece.strip("{}") for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: Click, formatter: Click) -> None:
        """Write arguments, own options, global options and examples."""
        help_layout.write_own(self.get_params(ctx), ctx, formatter)
        help_layout.write_global(self.get_params(ctx), ctx, formatter, "Global options")
        help_layout.write_examples(shortcuts.in_examples(ctx.info_name, self.examples), formatter)

    def parse_args(self, ctx: Click, args: list[str]) -> list[str]:
        """Refuse an option that takes one value and is given twice: Click would silently use the last one."""
        with _errors_of(ctx):
            _, _, order = self.make_parser(ctx).parse_args(list(args))
            for option, times in Counter(map(id, order)).items():
                repeated = next(each for each in order if id(each) == option)
                if times > 1 and isinstance(repeated, TyperOption) and not _repeats(repeated):
                    raise InvalidInput(f"{repeated.opts[0]} is given {times} times", hint="give it once")
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Click) -> object:
        """Resolve the global options into settings, and run the command with its own options."""
        self._refuse_empty(ctx)
        resolve_for_leaf(ctx)
        shortcuts.warn_if_shadowed(ctx.obj, ctx.find_root().invoked_subcommand or "")
        return super().invoke(ctx)

    def _refuse_empty(self, ctx: typer.Context) -> None:
        """Refuse options with empty values, such as ``--team "$UNSET"``: they would select everything."""
        for param in self.get_params(ctx):
            if (
                isinstance(param, TyperOption)
                and ctx.params.get(str(param.name)) == ""
                and param.name not in MAY_BE_EMPTY
            ):
                raise InvalidInput(f"{param.opts[0]} is empty", hint="give it a value, or omit it")


class Group(TyperGroup):
    """A command with subcommands: it takes their shortcuts, and answers other words with the command to type."""

    def get_help_option_names(self, ctx: Click) -> list[str]:  # noqa: ARG002  # the name in Click
        """Return the names of the help option."""
        return list(help_layout.HELP_OPTION)

    def format_options(self, ctx: Click, formatter: Click) -> None:
        """Write own options, commands and global options."""
        *own, help_option = self.get_params(ctx)
        help_layout.write_own(own, ctx, formatter)
        self.format_commands(ctx, formatter)
        heading = "Global options (before the noun or after the verb)"
        help_layout.write_global([*global_options(), help_option], ctx, formatter, heading)

    def parse_args(self, ctx: Click, args: list[str]) -> list[str]:
        """Parse the options before the subcommand."""
        with _errors_of(ctx):
            return super().parse_args(ctx, args)

    def get_command(self, ctx: Click, cmd_name: str) -> Click:
        """Return a command by its name or a shortcut; None if there is none."""
        words = shortcuts.of_noun(self.name or "").get(cmd_name)
        return super().get_command(ctx, words[-1] if words else cmd_name)

    @property
    def shortcuts(self) -> list[str]:
        """The words besides the names of its commands that `get_command` takes."""
        return list(shortcuts.of_noun(self.name or ""))

    def resolve_command(self, ctx: Click, args: list[str]) -> Click:
        """Return the name, the command and its arguments.

        Raises:
            InvalidInput: there is no such command.
        """
        if self.get_command(ctx, args[0]) is None:
            raise shortcuts.unknown_verb(ctx.command_path, list(self.commands), args)
        return super().resolve_command(ctx, args)


class Lazy(MutableMapping[str, Any]):
    """Commands by name, each built on first access: Typer needs most of the start of the program for that.

    Args:
        names: their names, in order.
        build: returns the command of a name.
    """

    def __init__(self, names: Iterable[str], build: Callable[[str], Click]) -> None:
        self._built: dict[str, Click] = dict.fromkeys(names)
        self._build = build

    def __getitem__(self, name: str) -> Click:
        if self._built[name] is None:
            self._built[name] = self._build(name)
        return self._built[name]

    def __setitem__(self, name: str, command: Click) -> None:
        self._built[name] = command

    def __delitem__(self, name: str) -> None:
        del self._built[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._built)

    def __len__(self) -> int:
        return len(self._built)


class Leaves(Lazy):
    """The commands of a noun."""

    def __init__(self, app: typer.Typer) -> None:
        infos = {
            info.name or get_command_name(info.callback.__name__): info
            for info in app.registered_commands
            if info.callback
        }

        def build(name: str) -> Click:
            return get_command_from_info(infos[name], pretty_exceptions_short=True, rich_markup_mode=None)

        super().__init__(infos, build)


@contextmanager
def _errors_of(ctx: typer.Context) -> Iterator[None]:
    """Give usage errors the command whose help explains them; Click's parser leaves it out of some."""
    try:
        yield
    except typer.TyperException as error:
        if getattr(error, "ctx", ctx) is None:
            error.ctx = ctx  # type: ignore[attr-defined]  # Click's usage errors have it
        raise


def _repeats(option: TyperOption) -> bool:
    return bool(option.multiple or option.count or option.is_flag)


def noun() -> Commands:
    """Return the command group of a noun; all its commands are leaves."""
    return Commands(cls=Group, rich_markup_mode=None)


def verb() -> Commands:
    """Return the application of a command without a noun; it holds one leaf."""
    return Commands(rich_markup_mode=None, add_completion=False)


class Commands(typer.Typer):
    """Typer's application, whose commands are leaves with examples."""

    def command(  # type: ignore[override]  # it has more arguments
        self,
        name: str | None = None,
        *,
        cls: type[Leaf] = Leaf,
        examples: Sequence[str] = (),
        changes: Changes = None,
        **extra: Any,  # noqa: ANN401  # as Typer gives them
    ) -> Callable[[Function], Function]:
        """Add a command.

        Args:
            name: its name; derived from the function unless given.
            cls: its class.
            examples: two to four command lines that work on the sandbox in this order; they end the help.
            changes: what it changes; commands with --dry-run change the server.
            extra: Typer's own arguments.
        """
        return super().command(name, cls=partial(cls, examples=examples, changes=changes), **extra)  # type: ignore[arg-type]  # Typer only calls it
