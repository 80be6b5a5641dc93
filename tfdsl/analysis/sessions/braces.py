"""Braces in texts that are not filled in: those within expressions, and those that a statement gives to the graph."""

import re

from ...diagnostics import TEMPLATE_INSIDE
from ...program import COUNTERS
from ...source import Span
from ...syntax import tree as t
from ..context import Analysis
from ..expressions.node_names import FIELD
from ..values import Env

NOW = "now"


def refuse_inside(ctx: Analysis, env: Env, expr: t.Expr) -> None:
    """Refuse a text within an expression that names a value in braces: only whole texts are filled in."""
    for part in () if isinstance(expr, t.Name | t.Constant) else t.trees(expr):
        if part is not expr:
            _refuse(ctx, env, part, "inside an expression")


def refuse_all(ctx: Analysis, env: Env, expr: t.Expr, where: str) -> None:
    """Refuse any text of an expression that names a value in braces. `where` says what is not filled in."""
    for part in () if isinstance(expr, t.Name) else t.trees(expr):
        _refuse(ctx, env, part, where)


def _refuse(ctx: Analysis, env: Env, part: t.Tree, where: str) -> None:
    if not isinstance(part, t.Constant) or not isinstance(part.value, str):
        return
    for match in FIELD.finditer(part.value):
        name = (match[1] or "").partition(".")[0]
        if name and (name in (NOW, *COUNTERS) or env.knows(name)):
            ctx.fail(TEMPLATE_INSIDE, place_of(part, match), field=match[0], where=where, text=part.span.text)


def place_of(expr: t.Expr, match: re.Match[str]) -> Span:
    """The place of a field in a text, or of the whole text if it has escapes."""
    span = expr.span
    if span.text[1:-1] != match.string:
        return span
    return Span(span.source, span.start + 1 + match.start(), span.start + 1 + match.end())
