"""The route of a direct paging integration that a page takes.

The engine tries the routes in their order, the default one last, and the first match gets the page, whether or not it
has an escalation chain (`select_filter` and `check_filter` in the engine's channel_filter.py). The payload of a page
holds texts, a random ID and `important`. Conditions that are constant, or that look only at `payload.oncall.important`,
are evaluated here; the outcome of other conditions is unknown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from oncallctl.api.resources.routes import Route

_IMPORTANT = ("payload", "oncall", "important")
_TRUTHY = frozenset({"1", "true", "ok"})  # templated_value_is_truthy of the engine
_LONGEST = 1024  # characters; FILTERING_TERM_MAX_LENGTH of the engine
_EXPRESSION = re.compile(r"\{\{-?((?:(?!\{[{%#]|[}%#]\}).)*?)-?\}\}", re.DOTALL)
_IF = re.compile(
    r"\{%-?\s*if\s+((?:(?!%\}).)+?)-?%\}([^{}]*)(?:\{%-?\s*else\s*-?%\}([^{}]*))?\{%-?\s*endif\s*-?%\}", re.DOTALL
)
_ANY_TEXT = frozenset({"", ".", ".*", ".+", "^", "$", "(.*)", "^.*", ".*$", "^.*$"})
_IMPORTANT_IN_JSON = re.compile(r'"important": ?(?P<value>true|false)')


def choose(routes: Iterable[Route], *, important: bool) -> list[Route]:
    """Return the routes that a page to a team may take, in order; exactly one if that is known.

    Args:
        routes: all routes of the team's direct paging integration.
        important: the importance of the page.
    """
    in_order = sorted(routes, key=lambda each: (each.is_default, each.position or 0))
    candidates = []
    for route in in_order:
        matches = condition_holds(route, important=important)
        if matches is False:
            continue
        candidates.append(route)
        if matches:
            break
    return candidates


def name(route: Route) -> str:
    """Return the label of a route."""
    return "the default route" if route.is_default else f"route {route.routing_regex!r}"


def condition_holds(route: Route, *, important: bool) -> bool | None:
    """True if a page matches the condition of a route; None if the condition cannot be evaluated here."""
    if route.is_default:
        return True
    term = route.routing_regex
    if term is None:
        return False
    if route.routing_type == "jinja2":
        return _jinja_holds(term, important=important)
    return _regex_holds(term, important=important) if route.routing_type == "regex" else None


def _regex_holds(term: str, *, important: bool) -> bool | None:
    """Evaluate a regex; the engine searches the payload as JSON, in which quotes inside texts are escaped."""
    if term in _ANY_TEXT:
        return True
    if found := _IMPORTANT_IN_JSON.fullmatch(term):
        return " " in term and (found["value"] == "true") is important  # json.dumps writes a space there
    return None


def _jinja_holds(template: str, *, important: bool) -> bool | None:
    """Evaluate a template of plain text, one expression or one condition; the engine compares the text it renders."""
    if len(template) > _LONGEST:
        return None
    if not re.search(r"\{[{%#]", template):
        return _is_truthy(template)
    if "\\" in template:
        return None
    try:
        return _is_truthy(_rendered(template.strip(), important=important))
    except (_NotKnownError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _rendered(template: str, *, important: bool) -> str:
    """Render `{{ … }}`, or text in `{% if … %}`.

    Raises:
        _NotKnownError: the template is of another kind, or depends on more than the importance.
    """
    if found := _EXPRESSION.fullmatch(template):
        return str(_evaluated(found[1], important=important))
    if found := _IF.fullmatch(template):
        return found[2] if _evaluated(found[1], important=important) else found[3] or ""
    raise _NotKnownError


def _evaluated(expression: str, *, important: bool) -> object:
    return _value(ast.parse(expression.strip(), mode="eval").body, important=important)


class _NotKnownError(Exception):
    """An expression depends on more than the importance of a page."""


def _is_truthy(text: str) -> bool:
    return text.strip().lower() in _TRUTHY


def _value(node: ast.expr, *, important: bool) -> object:  # noqa: PLR0911  # one return per kind of expression
    """Evaluate a Jinja expression, as far as Python's grammar can parse it.

    Raises:
        _NotKnownError: the expression depends on more than the importance, or uses other syntax of Jinja.
    """
    match node:
        case ast.Constant(value=bool() | int() | str() | None as value):
            return value
        case ast.Name(id="true" | "false" | "none" as name):
            return {"true": True, "false": False, "none": None}[name]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, important=important)
        case ast.Compare(left=left, ops=[ast.Is()], comparators=[ast.Name(id="true" | "false" as name)]):
            return _value(left, important=important) is (name == "true")
        case ast.Compare(left=left, ops=[ast.Eq() | ast.NotEq() as operator], comparators=[right]):
            is_equal = _value(left, important=important) == _value(right, important=important)
            return is_equal is isinstance(operator, ast.Eq)
    if isinstance(node, ast.IfExp):
        chosen = node.body if _value(node.test, important=important) else node.orelse
        return _value(chosen, important=important)
    if isinstance(node, ast.BoolOp):
        return _both_or_either(node, important=important)
    if _path(node) == _IMPORTANT:
        return important
    raise _NotKnownError


def _both_or_either(node: ast.BoolOp, *, important: bool) -> object:
    """Evaluate `and` and `or`. A false operand decides an `and`, even if other operands are unknown."""
    is_and, not_known = isinstance(node.op, ast.And), False
    value: object = None
    for part in node.values:
        try:
            value = _value(part, important=important)
        except _NotKnownError:
            not_known = True
            if not is_and:
                raise
            continue
        if bool(value) is not is_and:
            return value
    if not_known:
        raise _NotKnownError
    return value


def _path(node: ast.expr) -> tuple[str, ...] | None:
    """Return ("a", "b") for `a.b` and `a["b"]`, None for anything else."""
    match node:
        case ast.Name(id=name):
            return (name,)
        case (
            ast.Attribute(value=inner, attr=name) | ast.Subscript(value=inner, slice=ast.Constant(value=str() as name))
        ):
            outer = _path(inner)
            return outer and (*outer, str(name))
    return None
