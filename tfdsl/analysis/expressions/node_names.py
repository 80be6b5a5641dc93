"""Whole names of nodes, as in `error = y - t as "loss/error"`, and what braces in a text of the graph half mean."""

import re

from ...diagnostics import NODE_NAME, NODE_TAKEN, NOT_STATIC, TEMPLATE_BRACE, TEMPLATE_FORMAT, Note
from ...source import Span
from ...syntax import tree as t
from ..calls.scopes import as_expression
from ..context import Analysis
from ..naming import NameTaken
from ..values import Env, describe

FIELD = re.compile(r"\{\{|\}\}|\{([\w.]*)(?::([^{}]*))?\}|[{}]")
_NODE = re.compile(r"[A-Za-z0-9.][\w.\\/>-]*", re.ASCII)  # what TensorFlow takes


def node_name(ctx: Analysis, env: Env, given: t.NodeName) -> str:
    """The name that a program gives a node, with values known while compiling in the place of braces."""
    text = given.text.value
    assert isinstance(text, str)
    filled = filled_in(ctx, env, text, given.span, "the name of a node")
    if _NODE.fullmatch(filled) is None or filled.endswith("/"):
        ctx.fail(NODE_NAME, given.span, name=filled)
    return filled


def filled_in(ctx: Analysis, env: Env, text: str, span: Span, what: str) -> str:
    """A text of the graph half, with values known while compiling in the place of braces."""
    return FIELD.sub(lambda match: _filled(ctx, env, match, span, what), text)


def _filled(ctx: Analysis, env: Env, match: re.Match[str], span: Span, what: str) -> str:
    name, spec = match.groups()
    if match[0] in ("{{", "}}"):
        return match[0][0]
    if not name:
        ctx.fail(TEMPLATE_BRACE, span, brace=match[0])
    value = ctx.evaluate(env, as_expression(t.Identifier(span, name)))
    if not isinstance(value, (bool, int, float, str)):
        ctx.fail(NOT_STATIC, span, what=what, value=describe(value))
    try:
        return format(value, spec or "")
    except (ValueError, OverflowError, MemoryError):
        ctx.fail(TEMPLATE_FORMAT, span, spec=spec, value=name)


def give_name(ctx: Analysis, node: int, name: str, span: Span) -> None:
    """Give the last node a whole name."""
    try:
        ctx.graph.rename(node, name, span)
    except NameTaken as error:
        note = Note("it is from line {line}", error.span)
        ctx.fail(NODE_TAKEN, span, (note,), name=name)
