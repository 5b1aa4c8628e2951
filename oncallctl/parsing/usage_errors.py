"""Usage errors of the parser in the style of this program's other errors: lower case, `what failed: why`."""

from __future__ import annotations

import re

from oncallctl.errors import InvalidInput
from oncallctl.parsing.global_options import Click, global_options
from oncallctl.text import closest

_MESSAGES = (
    (r"^No such option: (\S+).*$", r"unknown option: \1"),
    (r"^Got unexpected extra arguments?(?:\(s\))? \((.*)\)$", r"unexpected argument: \1"),
    (r"^Missing (argument|option) '(.*?)'", r"missing \1: \2"),
    (r"^Invalid value for '(.*?)': ", r"invalid value for \1: "),
    (r"is not in the range x>=(\d+)$", r"is less than \1"),
    (r"is not in the range (\d+)<=x<=(\d+)$", r"is not between \1 and \2"),
    (r"is not a valid float( range)?$", "is not a number"),
    (r"is not a valid int(eger)?( range)?$", "is not a whole number"),
    (r"^Option '(.*?)' requires an argument$", r"option \1 requires a value"),
    (r"^Option '(.*?)' requires (\d+) arguments$", r"option \1 requires \2 values"),
    (r"^Option '(.*?)' does not take a value$", r"option \1 takes no value"),
    (r"^Missing command$", "missing command"),
)

_SYNONYMS = {"--duration": ("--for", "--by"), "--for": ("--by",), "--by": ("--for",)}  # options with another name here

_NAMES = {"--team": "TEAM", "--user": "USER"}


def as_invalid_input(error: Click) -> InvalidInput:
    """Convert a usage error; the hint names the help of the innermost command that was recognized."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "oncallctl"
    message = error.format_message().rstrip(".").replace("\n\t", " ").replace("\n", " ")
    for pattern, replacement in _MESSAGES:
        message = re.sub(pattern, replacement, message)
    hint = f"{command} --help"
    if context and message == "missing command":
        message = f"missing command after {command}: {', '.join(context.command.list_commands(context))}"
    elif context and message.startswith("unknown option: "):
        message, hint = _unknown_option(message.removeprefix("unknown option: "), context, hint)
    elif context and message.startswith("unexpected argument"):
        hint = _as_option(context) or hint
    return InvalidInput(message, hint=hint)


def _unknown_option(option: str, context: Click, hint: str) -> tuple[str, str]:
    message = f"unknown option: {option}"
    is_global = any(option in each.opts for each in global_options())
    if is_global and context.parent and hasattr(context.command, "commands"):
        return message, f"{option} is a global option: give it before {context.info_name!r} or after the verb"
    known = [name for param in context.command.get_params(context) for name in (*param.opts, *param.secondary_opts)]
    if not option.startswith("--"):
        return message, f"{hint}; put names that begin with - after --"
    word = option[2:].upper()
    near = [name[2:] for name in _SYNONYMS.get(option, ()) if name in known]
    if not near and any(word in _argument_words(param) for param in context.command.params):
        return message, f"omit {option}: {context.command_path} {word}"
    near = near or closest(option[2:], [name[2:] for name in known if name.startswith("--")])
    return (f"{message} (did you mean {' or '.join(f'--{name}' for name in near)}?)" if near else message), hint


def _argument_words(param: Click) -> list[str]:
    return re.findall(r"[A-Z]+", param.metavar or "") if param.param_type_name == "argument" else []


def _as_option(context: Click) -> str:
    """Return command lines with the options that take the name of a team or user, for a name without its option."""
    options = {option for param in context.command.params for option in param.opts}
    lines = (f"{context.command_path} {option} {name}" for option, name in _NAMES.items() if option in options)
    return " or ".join(lines)
