"""A part of Jinja2: templates of text and expressions over the payload of an alert.

It covers what routing conditions use: comparisons, `in`, `and`, `or`, `not`, `is defined`, `if … else`, and a few
string methods and filters. Statements such as `{% if %}` and other filters are template errors here.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any, Final

EXPRESSION: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
COMMENT: Final = re.compile(r"\{#.*?#\}", re.DOTALL)
STATEMENT: Final = "{%"
CONSTANTS: Final = {"true": True, "false": False, "none": None}
# Values that have no order raise TypeError, as in Jinja2.
COMPARISONS: Final[dict[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, container: item in container,
    ast.NotIn: lambda item, container: item not in container,
}
METHODS: Final = frozenset(["lower", "upper", "strip", "startswith", "endswith"])
FILTERS: Final[dict[str, Callable[[Any], Any]]] = {
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "trim": lambda value: str(value).strip(),
    "string": str,
    "length": len,
}
Names = dict[str, Any]


class TemplateError(Exception):
    """A template that cannot be rendered."""


class Undefined:
    """A name or field that the payload lacks: renders as nothing, is false, holds nothing, and has no fields."""

    def __bool__(self) -> bool:
        return False

    def __str__(self) -> str:
        return ""

    def __len__(self) -> int:
        return 0

    def __contains__(self, item: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return hash(Undefined)


def render(template: str, **names: object) -> str:
    """Fill in a template.

    Raises:
        TemplateError: it is not Jinja2, or holds a part of Jinja2 that is not covered.
    """
    text = COMMENT.sub("", template)
    if STATEMENT in text:
        raise TemplateError(template)
    try:
        return EXPRESSION.sub(lambda found: str(_value(_parsed(found[1]), names)), text)
    except (SyntaxError, TypeError, KeyError, ValueError, RecursionError) as error:
        raise TemplateError(template) from error


def _parsed(expression: str) -> ast.expr:
    """Read an expression, which Jinja2 and Python write alike."""
    if not expression.strip():
        raise TemplateError(expression)
    # In parentheses, an expression may go over several lines.
    return ast.parse(f"({expression}\n)", mode="eval").body


def _value(node: ast.AST, names: Names) -> object:
    """Evaluate one expression."""
    evaluate = EVALUATED.get(type(node))
    if evaluate is None:
        raise TemplateError(ast.dump(node))
    return evaluate(node, names)


def _name(node: ast.Name, names: Names) -> object:
    return names.get(node.id, CONSTANTS.get(node.id, Undefined()))


def _field(owner: object, key: object) -> object:
    """Look up a field of a dictionary, or an element of a list."""
    if isinstance(owner, Undefined):
        raise TemplateError(key)
    if isinstance(owner, dict):
        return owner.get(key, Undefined())
    if isinstance(owner, list | str) and isinstance(key, int) and -len(owner) <= key < len(owner):
        return owner[key]
    return Undefined()


def _not(node: ast.UnaryOp, names: Names) -> bool:
    if not isinstance(node.op, ast.Not):
        raise TemplateError(ast.dump(node))
    return not _value(node.operand, names)


def _choice(node: ast.IfExp, names: Names) -> object:
    return _value(node.body if _value(node.test, names) else node.orelse, names)


def _either(node: ast.BoolOp, names: Names) -> object:
    """Evaluate `and` or `or`: the first value that decides, else the last one."""
    value: object = Undefined()
    for each in node.values:
        value = _value(each, names)
        if bool(value) is isinstance(node.op, ast.Or):
            break
    return value


def _comparison(node: ast.Compare, names: Names) -> bool:
    """Evaluate a chain of comparisons and of tests such as `is defined`."""
    left = _value(node.left, names)
    for op, right in zip(node.ops, node.comparators, strict=True):
        if isinstance(op, ast.Is | ast.IsNot):
            holds = _test(left, right) is isinstance(op, ast.Is)
        else:
            value = _value(right, names)
            holds = COMPARISONS[type(op)](left, value)
            left = value
        if not holds:
            return False
    return True


def _test(value: object, test: ast.expr) -> bool:
    name = test.id if isinstance(test, ast.Name) else str(getattr(test, "value", "")).lower()
    if name in {"defined", "undefined"}:
        return isinstance(value, Undefined) is (name == "undefined")
    if name in CONSTANTS:
        return value is CONSTANTS[name]
    raise TemplateError(name)


def _filtered(node: ast.BinOp, names: Names) -> object:
    if not isinstance(node.op, ast.BitOr) or not isinstance(node.right, ast.Name):
        raise TemplateError(ast.dump(node))
    return FILTERS[node.right.id](_value(node.left, names))


def _called(node: ast.Call, names: Names) -> object:
    """Call a method of a string."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS or node.keywords:
        raise TemplateError(ast.dump(node))
    owner = _value(node.func.value, names)
    if not isinstance(owner, str):
        raise TemplateError(node.func.attr)
    return getattr(owner, node.func.attr)(*(_value(arg, names) for arg in node.args))


EVALUATED: Final[dict[type[ast.AST], Callable[[Any, Names], Any]]] = {
    ast.Constant: lambda node, _: node.value,
    ast.Name: _name,
    ast.Attribute: lambda node, names: _field(_value(node.value, names), node.attr),
    ast.Subscript: lambda node, names: _field(_value(node.value, names), _value(node.slice, names)),
    ast.List: lambda node, names: [_value(element, names) for element in node.elts],
    ast.Tuple: lambda node, names: tuple(_value(element, names) for element in node.elts),
    ast.UnaryOp: _not,
    ast.IfExp: _choice,
    ast.BoolOp: _either,
    ast.Compare: _comparison,
    ast.BinOp: _filtered,
    ast.Call: _called,
}
