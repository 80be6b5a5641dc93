"""Conditions on the columns of data, as `where` takes them: names are columns first, then values of the program."""

from typing import NoReturn

from ..data.condition import ARITHMETIC, UNKNOWN, Condition
from ..diagnostics import CONDITION_FORM, NOT_STATIC
from ..syntax import tree as t
from .context import Analysis
from .expressions import value_of
from .values import Env, describe, freeze, is_host


def condition(ctx: Analysis, env: Env, expr: t.Expr) -> Condition:
    """A condition as `data.condition` describes it."""

    def inner(expr: t.Expr) -> Condition:
        match expr:
            case t.Constant():
                return ("value", freeze(expr.value))
            case t.Name():
                binding = env.find(expr.id)
                value = None if binding is None else binding.value
                return ("name", expr.id, freeze(value) if value is not None and is_host(value) else UNKNOWN)
            case t.Call(
                function=t.Name(id="column"), arguments=(t.Argument(name=None, value=t.Constant(value=str(name))),)
            ):
                return ("column", name)
            case t.List() | t.Tuple():
                return ("list", *map(inner, expr.items))
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
            case t.Attribute() | t.Index() | t.Call():
                value = value_of(ctx, env, expr)
                if not is_host(value):
                    ctx.fail(NOT_STATIC, expr.span, what="a value in a condition", value=describe(value))
                return ("value", freeze(value))
        _refuse(ctx, expr)

    return inner(expr)


def _refuse(ctx: Analysis, expr: t.Expr) -> NoReturn:
    ctx.fail(CONDITION_FORM, expr.span, part=" ".join(expr.span.text.split())[:40])
