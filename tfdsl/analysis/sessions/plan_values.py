"""Session values in the plan: texts, paths, conditions and counts.

An expression on tensors becomes nodes, as in `sess.run(mse * 2)`. Comparisons in `expect` and `stop when`, and
expressions with `epoch`, `step` or the batch, are computed on fetched values.
"""

import builtins
import math
import re
from collections.abc import Sequence

from ...diagnostics import (
    BROADCAST,
    COUNT_VALUE,
    DTYPE_MISMATCH,
    NOT_CONDITION,
    NOT_STATIC,
    NOT_TEXT,
    OPERATOR,
    SEARCHED,
    TEMPLATE_BRACE,
    TEMPLATE_FORMAT,
    TEMPLATE_TENSOR,
    TOO_DEEP,
    UNKNOWN_FIELD,
)
from ...diagnostics.spelling import counted, listed
from ...limits import MAX_MOVING
from ...program import COUNTERS, Apply, Counter, Fetch, PlanExpr, Shown, Template, Value, thaw
from ...source import Span
from ...syntax import tree as t
from ...syntax.hints import PART_OF_EPOCH
from ...types import SizeClash, shape_text
from ..calls.arguments import ArgumentValue, check_rounded, scalar_class
from ..calls.session_values import FEWER_OPERATORS, plan_value
from ..calls.slips import compared
from ..calls.wrong_kind import ORDERS, hidden_counter, not_tensor, one_each
from ..context import Analysis, StatementFailed
from ..expressions import global_step, outside
from ..expressions.expressions import dotted, evaluate, value_of
from ..expressions.node_names import FIELD
from ..values import Array, DataValue, ExprValue, Operation, RuntimeValue, Tensor, describe, has_tensor, is_host
from .braces import NOW, place_of, refuse_inside
from .feeds import Plan, known_shape


def session_value(ctx: Analysis, plan: Plan, expr: t.Expr) -> PlanExpr:
    """The value of an expression. The values in a string are filled in when it is used."""
    if isinstance(expr, t.Constant) and isinstance(expr.value, str):
        return _template(ctx, plan, expr.value, expr, is_path=False)
    refuse_inside(ctx, plan.env, expr)
    value = evaluate(ctx, plan.env, expr)
    if isinstance(value, DataValue):
        text = expr.span.one_line
        target = f" or {text}.target" if value.schema.targets else ""
        not_tensor(ctx, value, expr.span, f"use {text}.features{target}")
    _refuse_step(ctx, plan, value, expr.span, expr.span.one_line)
    return plan_value(ctx, value, expr.span)


def _refuse_step(ctx: Analysis, plan: Plan, value: ExprValue, span: Span, text: str) -> None:
    """Refuse an operation without output, such as the step of an optimizer, as a value."""
    if isinstance(value, Operation):
        ran = plan.loop.ran.get(value.ref) if plan.loop else None
        way = f"write: run {text}" if ran is None else f"take it out: line {ran.line} runs it already"
        not_tensor(ctx, value, span, hidden_counter(ctx, value, text) or f"it has no value; {way}")


def path_of(ctx: Analysis, plan: Plan, expr: t.Expr) -> PlanExpr:
    """A path in the plan."""
    value = value_of(ctx, plan.env, expr)
    if not isinstance(value, str):
        ctx.fail(NOT_TEXT, expr.span, what="a path", value=describe(value))
    return _template(ctx, plan, value, expr, is_path=True)


def _template(ctx: Analysis, plan: Plan, text: str, expr: t.Expr, is_path: bool) -> PlanExpr:
    """A string with `{name}` and `{name:format}` in it. Names are now, epoch and step, params, names of the session,
    and, apart from paths, tensors."""
    if "{" not in text and "}" not in text:
        return Value(text)
    parts: list[str | PlanExpr] = []
    at = 0
    for match in FIELD.finditer(text):
        parts.append(text[at : match.start()])
        at = match.end()
        name, format = match.groups()
        if match[0] in ("{{", "}}"):
            parts.append(match[0][0])
        elif name is None:
            ctx.fail(TEMPLATE_BRACE, place_of(expr, match), help=_without(text[match.start() :]), brace=match[0])
        else:
            parts.append(_filled(ctx, plan, name, format or "", place_of(expr, match), is_path))
    parts.append(text[at:])
    return Template(tuple(p for p in parts if p != ""))


_EXPRESSION = re.compile(r"\{([^{}\n]*?[^{}\s:!][^{}\n]*?)\s*(=)?(![rsa])?\s*(:[^\[\](){}\n]*)?\}")


def _without(text: str) -> str:
    """A help line for what begins with a brace that begins no field, such as `{w[0]!r:>10}`, if it looks like one."""
    moving = re.match(r"\{\s*([\w.]+)\s*:[^{}\n]*\{", text)
    if moving:
        return f"a format is written out, as in {{{moving[1]}:.3f}}; a plain brace is written {{{{"
    found = _EXPRESSION.match(text)
    if found is None:
        return ""
    value, equals, conversion, format = found[1].strip(), found[2] or "", found[3] or "", found[4] or ""
    if FIELD.fullmatch(f"{{{value}{format}}}"):
        other, text = equals + conversion, f"{value}=" if equals else ""
        left = f"'{other}'" if other else "the spaces"
        return f"leave out {left}: write {text}{{{value}{format}}}"
    return f"braces contain names: write value = {value} before, and then {{value{format}}}"


def _filled(ctx: Analysis, plan: Plan, name: str, format: str, span: Span, is_path: bool) -> str | PlanExpr:
    """What stands for `{name:format}`."""
    params = {p.name: p.value for p in ctx.params}
    counters = (NOW, *COUNTERS) if plan.loop else (NOW,)
    if name in counters and not _is_own_value(plan, name):
        _check_format(ctx, format, name, "string" if name == NOW else "int", span)
        return _formatted(Counter(name), format)
    if name in params:
        return _known(ctx, thaw(params[name]), name, format, span)
    first = name.partition(".")[0]
    is_known = plan.env.knows(first) or any(outside.has(ctx, first, above) for above in (True, False))
    if not is_known and first != global_step.NAME:
        if ctx.is_doubtful(first):
            raise StatementFailed(None)
        known = (*counters, *params, *plan.names.names)
        help = ctx.did_you_mean(first, (*known, *plan.env.visible()))
        ctx.fail(UNKNOWN_FIELD, span, help=help, name=name, known=listed(known))
    value = dotted(ctx, plan.env, t.Identifier(span, name))
    _refuse_step(ctx, plan, value, span, name)
    if is_path and has_tensor(value):
        ctx.fail(TEMPLATE_TENSOR, span, name=name)
    found = plan_value(ctx, value, span)
    type = value.type if isinstance(value, (Tensor, Array, RuntimeValue)) else None
    if format and type is not None and type.shape:
        ctx.fail(TEMPLATE_FORMAT, span, spec=format, value=f"{name}, which is {type}")
    if isinstance(found, Value) and isinstance(found.value, (str, bool, int, float)):
        return _known(ctx, found.value, name, format, span)
    _check_format(ctx, format, name, type.dtype.kind if type is not None else "", span)
    return _formatted(found, format)


def _is_own_value(plan: Plan, name: str) -> bool:
    """Whether the program has a value of this name, which then hides the language's, as it does in an expression.
    What has no value, such as the step of an optimizer, hides nothing."""
    own = next((env.names[name][0].value for env in plan.env.around() if env.names.get(name)), None)
    is_counter = isinstance(own, RuntimeValue) and isinstance(own.expr, Counter)
    return not is_counter and (isinstance(own, Tensor | Array | RuntimeValue) or (own is not None and is_host(own)))


def _known(ctx: Analysis, value: ExprValue, name: str, format: str, span: Span) -> str:
    """What stands for a value that is known while compiling."""
    is_one = value is not None and not isinstance(value, list | tuple)
    _check_format(ctx, format, name, scalar_class(ctx, value, span) if is_one else "", span)
    return builtins.format(value, format) if format else str(value)


def _formatted(value: PlanExpr, format: str) -> PlanExpr:
    return Apply("format", (value, Value(format))) if format else value


_MOST_DIGITS = 3  # of a width or a precision
_EXAMPLES: dict[str, object] = {"int": 1, "uint": 1, "float": 0.5, "complex": 1j, "bool": True, "string": "text"}


def _check_format(ctx: Analysis, format: str, name: str, kind: str | None, span: Span) -> None:
    """Refuse a format that Python refuses for values of a kind, or, if the kind is not known, for all."""
    if any(len(digits) > _MOST_DIGITS for digits in re.findall(r"\d+", format)):
        ctx.fail(TEMPLATE_FORMAT, span, spec=format, value=f"{name}: its width is at most {'9' * _MOST_DIGITS}")
    examples = [_EXAMPLES[kind]] if kind in _EXAMPLES else list(_EXAMPLES.values())
    for example in examples if format else ():
        try:
            builtins.format(example, format)
            return
        except (ValueError, TypeError, OverflowError, MemoryError):
            pass
    if format:
        ctx.fail(TEMPLATE_FORMAT, span, spec=format, value=name)


def session_condition(
    ctx: Analysis, plan: Plan, expr: t.Expr, sides: list[Shown] | None = None, depth: int = 0
) -> PlanExpr:
    """A condition on fetched values. Its comparisons are not nodes. The compared values are added to `sides`."""
    sides = [] if sides is None else sides
    if depth + (len(expr.ops) if isinstance(expr, t.Compare) else 0) > MAX_MOVING:
        ctx.fail(TOO_DEEP, expr.span, help=FEWER_OPERATORS, limit=MAX_MOVING)
    match expr:
        case t.Compare():
            operands = ctx.each(lambda operand: session_value(ctx, plan, operand), expr.operands)
            sides += [
                Shown(operand.span.one_line, value)
                for operand, value in zip(expr.operands, operands, strict=True)
                if not isinstance(operand, t.Constant)
            ]
            for at, op in enumerate(expr.ops):
                _check_compared(ctx, plan, expr, op, at, operands)
            parts = [Apply(op, (operands[i], operands[i + 1])) for i, op in enumerate(expr.ops)]
            result: PlanExpr = parts[0]
            for part in parts[1:]:
                result = Apply("and", (result, part))
            return result
        case t.Boolean():
            inner = (expr.left, expr.right)
            left, right = ctx.each(lambda side: session_condition(ctx, plan, side, sides, depth + 1), inner)
            return Apply(expr.op, (left, right))
        case t.Unary(op="not"):
            return Apply("not", (session_condition(ctx, plan, expr.operand, sides, depth + 1),))
    refuse_inside(ctx, plan.env, expr)
    value = evaluate(ctx, plan.env, expr)
    _refuse_step(ctx, plan, value, expr.span, expr.span.one_line)
    if isinstance(value, Tensor) and value.type.dtype.kind != "bool":
        ctx.fail(NOT_CONDITION, expr.span, value=describe(value))
    if not isinstance(value, (bool, Tensor, RuntimeValue)):
        one_each(ctx, (value, expr.span))
        ctx.fail(NOT_CONDITION, expr.span, value=describe(value))
    result = plan_value(ctx, value, expr.span)
    sides.append(Shown(expr.span.one_line, result))
    return result


def _check_compared(ctx: Analysis, plan: Plan, expr: t.Compare, op: str, at: int, operands: list[PlanExpr]) -> None:
    """Check that compared values broadcast, as far as their shapes are known."""
    left, right = operands[at : at + 2]
    for one, other, side in ((left, right, expr.operands[at]), (right, left, expr.operands[at + 1])):
        if isinstance(one, Value) and isinstance(other, Fetch) and (type := ctx.graph.nodes[other.ref.node].outputs):
            check_rounded(ctx, ArgumentValue(one.value, side.span), type[other.ref.output].dtype)
    if op not in ("in", "not in"):
        _check_kinds(ctx, op, (left, right), expr.operands[at : at + 2])
    a, b = (known_shape(ctx, plan, side) for side in (left, right))

    if op in ("in", "not in") and a:
        ctx.fail(SEARCHED, expr.span, op=op, value=expr.operands[at].span.text, shape=shape_text(a))
    if op in ("in", "not in") or a is None or b is None:
        return
    try:
        for x, y in zip(reversed(a), reversed(b)):
            ctx.graph.sizes.broadcast(x, y)
    except SizeClash as clash:
        ctx.fail(
            BROADCAST, expr.span, op=f"'{op}'", a=shape_text(a), b=shape_text(b), left=clash.left, right=clash.right
        )
    first, second = expr.operands[at : at + 2]
    compared(ctx, op, expr.span, ((left, first.span, a), (right, second.span, b)))


def _check_kinds(ctx: Analysis, op: str, sides: tuple[PlanExpr, PlanExpr], exprs: Sequence[t.Expr]) -> None:
    """Check that a text is not compared with a number, and that true and false have no order."""
    kinds = [_kind(ctx, side) for side in sides]
    if op in ORDERS and "bool" in kinds:
        left, right = (f"'{one.span.one_line}'" for one in exprs)
        span = Span(exprs[0].span.source, exprs[0].span.start, exprs[1].span.end)
        ctx.fail(OPERATOR, span, help="true and false have no order", op=op, left=left, right=right)
    for text, other, expr in ((0, 1, exprs[0]), (1, 0, exprs[1])):
        if kinds[text] == "string" and kinds[other] not in ("", "string"):
            if isinstance(sides[text], Fetch) and isinstance(sides[other], Value):
                shown, given = exprs[other].span.text, exprs[other]
                ctx.fail(DTYPE_MISMATCH, given.span, value=shown, dtype="string", hint=f'write a text: "{shown}"')
            shown = expr.span.one_line
            number = shown[1:-1]
            is_number = re.fullmatch(r"-?\d+(\.\d*)?(e-?\d+)?", number) is not None
            hint = f"write it without quotes: {number}" if is_number else "compare it with a text, or write a number"
            ctx.fail(DTYPE_MISMATCH, expr.span, value=shown, dtype=kinds[other], hint=hint)


def _kind(ctx: Analysis, value: PlanExpr) -> str:
    """The dtype of a value, or "string" for a text. "" if it is not known."""
    match value:
        case Template():
            return "string"
        case Value(value=str() | bytes()):
            return "string"
        case Value(value=bool()):
            return "bool"
        case Value(value=int() | float()):
            return "a number"
        case Counter(name="epoch" | "step"):
            return "a number"
        case Apply(op="+" | "-" | "*" | "/" | "//" | "**" | "unary -" | "unary +", args=args):
            kinds = [_kind(ctx, one) for one in args]
            return "" if "" in kinds or "string" in kinds else "a number"
        case Fetch(ref=ref) if outputs := ctx.graph.nodes[ref.node].outputs:
            return outputs[ref.output].dtype.name
    return ""


def count_of(ctx: Analysis, plan: Plan, expr: t.Expr, what: str) -> int:
    """A positive integer."""
    count = distance_of(ctx, plan, expr, what, fractions=False)
    assert isinstance(count, int)
    return count


def batch_size_of(ctx: Analysis, plan: Plan, expr: t.Expr, dataset: DataValue) -> int:
    """The rows of a batch of some data."""
    count = distance_of(ctx, plan, expr, "the size of a batch", fractions=False, rows=dataset.schema.rows)
    assert isinstance(count, int)
    return count


def distance_of(
    ctx: Analysis, plan: Plan, expr: t.Expr, what: str, fractions: bool, rows: int = 0
) -> int | float:  # fmt: skip
    """A positive number, an integer unless `fractions` are allowed. `rows` is the number of rows that it can be a share
    of."""
    value = value_of(ctx, plan.env, expr)
    if isinstance(value, (Tensor, Array, RuntimeValue)):
        ctx.fail(NOT_STATIC, expr.span, what=what, value=describe(value))
    kinds = (int, float) if fractions else int
    if not isinstance(value, kinds) or isinstance(value, bool) or value <= 0:
        one_each(ctx, (value, expr.span))
        help = ""
        if isinstance(value, float) and value > 0 and value.is_integer():
            help = f"write {int(value)}; for two whole numbers, / returns a fraction and // a whole number"
        elif isinstance(value, float) and 0 < value < 1 and rows:
            help = f"{value:g} of the {counted(rows, 'row')} is {max(1, round(value * rows))}"
        elif isinstance(value, float) and 1 < value < math.inf:
            help = f"write {math.floor(value)} or {math.ceil(value)}"
        elif "epoch" in expr.span.source.line_text(expr.span.line) and (
            expr.span.text == "half" or (isinstance(value, float) and 0 < value < 1)
        ):
            help = PART_OF_EPOCH
        elif isinstance(value, str) and value.isdecimal():
            help = f"write the number without quotes: {value}"
        ctx.fail(COUNT_VALUE, expr.span, help=help, what=what, value=describe(value))
    return value
