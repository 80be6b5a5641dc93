"""Conditions on the columns of data, as `where` takes them: names are columns first, then values of the program."""

from collections.abc import Iterator
from typing import NoReturn, assert_never

from ...data.condition import ARITHMETIC, UNKNOWN, Condition
from ...data.schema import composed
from ...diagnostics import CONDITION_FORM, NOT_STATIC
from ...syntax import tree as t
from ...syntax.hints import gap_help
from ..context import Analysis, StatementFailed
from ..values import Env, describe, freeze, is_host
from .expressions import find, value_of


def condition(ctx: Analysis, env: Env, expr: t.Expr) -> Condition:
    """A condition as `data.condition` describes it."""

    def inner(expr: t.Expr) -> Condition:
        match expr:
            case t.Constant():
                return ("value", freeze(expr.value))
            case t.Name():
                binding = env.single(expr.id)
                value = None if binding is None else binding.value
                return ("name", expr.id, freeze(value) if value is not None and is_host(value) else UNKNOWN)
            case t.Call(
                function=t.Name(id="column"), arguments=(t.Argument(name=None, value=t.Constant(value=str(name))),)
            ):
                return ("column", composed(name))
            case t.List() | t.Tuple():
                return ("list", *map(inner, expr.items))
            case t.Unary(op="not", operand=operand) if _gap_test(operand):
                ctx.fail(CONDITION_FORM, expr.span, part=expr.span.one_line[:40], way=_gap_test(operand, negated=True))
            case t.Compare(ops=("==" | "!=" as op,), operands=(test, t.Constant(value=bool(truth)))) if _gap_test(test):
                way = _gap_test(test, negated=truth != (op == "=="))
                ctx.fail(CONDITION_FORM, expr.span, part=expr.span.one_line[:40], way=way)
            case t.Unary(op="not" | "-" as word):
                return (word, inner(expr.operand))
            case t.Boolean():
                return (expr.op, inner(expr.left), inner(expr.right))
            case t.Binary(op=word) if word in ARITHMETIC:
                return (word, inner(expr.left), inner(expr.right))
            case t.Compare():
                sides = [inner(one) for one in expr.operands]
                parts = [("compare", word, a, b) for word, a, b in zip(expr.ops, sides, sides[1:])]
                first, *rest = parts
                for one in rest:
                    first = ("and", first, one)
                return first
            case t.Attribute() | t.Index() | t.Call() if all(is_known(ctx, env, name) for name in names_in(expr)):
                value = value_of(ctx, env, expr)
                if not is_host(value):
                    ctx.fail(NOT_STATIC, expr.span, what="a value in a condition", value=describe(value))
                return ("value", freeze(value))
        _refuse(ctx, expr)

    return inner(expr)


def in_and(expr: t.Expr) -> str:
    """The text of a condition as an operand of `and`."""
    text = expr.span.one_line
    return f"({text})" if isinstance(expr, t.Boolean) and expr.op == "or" else text


def is_known(ctx: Analysis, env: Env, name: t.Name) -> bool:
    """Whether a name is one of the program or of the language."""
    try:
        find(ctx, env, name)
    except StatementFailed as failed:
        if failed.diagnostic is None:  # it follows from another error
            raise
        return False
    return True


def names_in(expr: t.Expr) -> Iterator[t.Name]:
    """The names that an expression begins with, and those of its arguments."""
    match expr:
        case t.Name():
            yield expr
        case t.Attribute(value=value):
            yield from names_in(value)
        case t.Index(value=value):
            yield from names_in(value)
        case t.Call(function=function, arguments=arguments):
            for one in (function, *(argument.value for argument in arguments)):
                yield from names_in(one)
        case (
            t.Constant() | t.Binary() | t.Unary() | t.Boolean() | t.Compare() | t.Conditional() | t.List() | t.Tuple()
            | t.Comprehension() | t.Dictionary() | t.Slice() | t.Dots() | t.Later()
        ):  # fmt: skip
            pass  # it begins with no name
        case _:
            assert_never(expr)


def _refuse(ctx: Analysis, expr: t.Expr) -> NoReturn:
    has = "columns, numbers, texts and lists, with + - * / // % **, comparisons, in, and, or and not"
    ctx.fail(CONDITION_FORM, expr.span, part=expr.span.one_line[:40], way=_gap_test(expr) or f"it has {has}")


_FOR_GAPS = {"isna": False, "isnull": False, "isnan": False, "notna": True, "notnull": True}


def _gap_test(expr: t.Expr, negated: bool = False) -> str:
    """What to write for a test for missing values in the style of other libraries. "" for other expressions."""
    match expr:
        case t.Call(function=t.Name(id=test) | t.Attribute(name=test), arguments=(t.Argument(value=column),)):
            pass
        case t.Call(function=t.Attribute(value=column, name=test), arguments=()):
            pass
        case _:
            return ""
    is_present = _FOR_GAPS.get(test.replace("_", ""))
    return "" if is_present is None else gap_help(column.span.one_line, is_present != negated)
