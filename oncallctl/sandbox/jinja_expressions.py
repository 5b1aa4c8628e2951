"""The expressions of Jinja2 that routing conditions use.

Covered are comparisons, `in`, `and`, `or`, `not`, `if … else`, `+` and `-`, tests such as `is defined`, and a few
filters and methods. All others are template errors, which is what the engine takes them for if they are mistakes.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable
from typing import Any, Final

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
ARITHMETIC: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {ast.Add: operator.add, ast.Sub: operator.sub}
METHODS: Final[dict[type, frozenset[str]]] = {
    str: frozenset(["lower", "upper", "strip", "startswith", "endswith", "count"]),
    dict: frozenset(["get"]),
}
FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "lower": lambda value: str(value).lower(),
    "upper": lambda value: str(value).upper(),
    "trim": lambda value: str(value).strip(),
    "string": str,
    "length": len,
    "int": int,
    "tojson": json.dumps,
    "default": lambda value, other="": other if isinstance(value, Undefined) else value,
    # These two are the engine's own.
    "regex_match": lambda value, pattern: bool(re.match(pattern, value)),
    "regex_search": lambda value, pattern: bool(re.search(pattern, value)),
}
TESTS: Final[dict[str, Callable[[Any], bool]]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float),
    "string": lambda value: isinstance(value, str),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
}
LITERAL: Final = re.compile(r"""('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")""", re.DOTALL)
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


def evaluate(expression: str, names: Names) -> object:
    """Return the value of an expression.

    Raises:
        TemplateError: it is not Jinja2, it fails, or it holds a part of Jinja2 that is not covered.
    """
    try:
        return _value(_parsed(expression), names)
    except (SyntaxError, TypeError, KeyError, ValueError, RecursionError, re.error) as error:
        raise TemplateError(expression) from error


def _parsed(expression: str) -> ast.expr:
    """Read an expression, which Jinja2 and Python write alike but for filters."""
    if not expression.strip():
        raise TemplateError(expression)
    # In parentheses, an expression may go over several lines.
    python = f"({_with_filters(expression)}\n"
    try:
        return ast.parse(f"{python})", mode="eval").body
    except SyntaxError:
        # Python has no `if` without `else`.
        return ast.parse(f"{python} else undefined)", mode="eval").body


def _with_filters(expression: str) -> str:
    """Write the sign of filters as `@`, which binds in Python as `|` does in Jinja2: more tightly than `+`."""
    parts = LITERAL.split(expression)
    if any("@" in part for part in parts[::2]):
        raise TemplateError(expression)
    return "".join(part if number % 2 else part.replace("|", "@") for number, part in enumerate(parts))


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
    return TESTS[name](value)


def _binary(node: ast.BinOp, names: Names) -> object:
    """Apply `+`, `-` or a filter."""
    left = _value(node.left, names)
    if type(node.op) in ARITHMETIC:
        return ARITHMETIC[type(node.op)](left, _value(node.right, names))
    call = node.right if isinstance(node.right, ast.Call) else ast.Call(node.right, [], [])
    if not isinstance(node.op, ast.MatMult) or not isinstance(call.func, ast.Name) or call.keywords:
        raise TemplateError(ast.dump(node))
    return FILTERS[call.func.id](left, *(_value(arg, names) for arg in call.args))


def _called(node: ast.Call, names: Names) -> object:
    """Call a method of a string or of a dictionary."""
    if not isinstance(node.func, ast.Attribute) or node.keywords:
        raise TemplateError(ast.dump(node))
    owner = _value(node.func.value, names)
    if node.func.attr not in METHODS.get(type(owner), ()):
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
    ast.BinOp: _binary,
    ast.Call: _called,
}
