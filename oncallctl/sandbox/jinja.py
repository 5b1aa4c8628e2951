"""Templates of Jinja2, as far as routing conditions use them: text, expressions, comments and `{% if %}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from oncallctl.sandbox.jinja_expressions import TemplateError, evaluate

COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
MARKUP: Final = re.compile(r"(\{\{.*?\}\}|\{%.*?%\})", re.DOTALL)
OPENING: Final = re.compile(r"\{[{%#]")


@dataclass
class Branch:
    """One `{% if %}`.

    Attributes:
        surrounded: True if what surrounds it is shown.
        shown: True if its current part is shown.
        taken: True if a part of it was shown.
    """

    surrounded: bool
    shown: bool
    taken: bool


def render(template: str, **names: object) -> str:
    """Fill in a template.

    Raises:
        TemplateError: it is not Jinja2, or holds a part of Jinja2 that is not covered.
    """
    shown: list[str] = []
    branches: list[Branch] = []
    for part in MARKUP.split(COMMENT.sub("", template)):
        is_shown = not branches or branches[-1].shown
        if part.startswith("{%"):
            _branch(branches, part[2:-2].strip("-+").strip(), names)
        elif part.startswith("{{") and part.endswith("}}"):
            value = evaluate(part[2:-2].strip("-+"), names) if is_shown else ""
            shown.append(str(value))
        elif OPENING.search(part):
            raise TemplateError(template)
        elif is_shown:
            shown.append(part)
    if branches:
        raise TemplateError(template)
    return "".join(shown)


def _branch(branches: list[Branch], statement: str, names: dict[str, object]) -> None:
    """Open, go on with or close an `{% if %}`."""
    word, _, condition = statement.partition(" ")
    if word == "if":
        surrounded = not branches or branches[-1].shown
        holds = surrounded and bool(evaluate(condition, names))
        branches.append(Branch(surrounded, shown=holds, taken=holds))
        return
    if word not in {"elif", "else", "endif"} or not branches:
        raise TemplateError(statement)
    if word == "endif":
        branches.pop()
        return
    branch = branches[-1]
    is_next = branch.surrounded and not branch.taken
    branch.shown = is_next and (word == "else" or bool(evaluate(condition, names)))
    branch.taken = branch.taken or branch.shown
