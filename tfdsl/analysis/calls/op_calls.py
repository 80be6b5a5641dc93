"""Turns op calls into nodes."""

import re
from collections.abc import Iterator
from itertools import takewhile
from math import prod

from ...diagnostics import AXES_MANY, BROADCAST, MATMUL_SIZES, OPTION, RANK, SHAPES_DIFFER, TENSOR_LARGE, Diagnostic
from ...limits import MAX_AXES
from ...ops.named import MULTIPLY
from ...ops.op import Op, OpCall, Result, RuleRefused
from ...program import Ref, refs_of
from ...source import Span
from ...types import TensorType
from ..context import Analysis, StatementFailed
from ..executed import Kind
from ..values import ExprValue, Operation, Outputs, Tensor
from .arguments import Arguments, BoundArguments, bind, operand_notes, size_notes
from .labels import column_help, doubt_logits, is_never_logits, is_swapped, refuse_swapped
from .session_values import as_arguments
from .set_values import keeps_shape
from .slips import doubt_rate, doubted, share_help


def call_op(
    ctx: Analysis, op: Op, given: Arguments, span: Span, name: str | None = None, default: str = "", shown: str = ""
) -> ExprValue:
    """Add the node of an op; return its output or the list of its outputs. `shown` is its name in messages."""
    given = as_arguments(ctx, given)
    named = {name: argument for name, argument in given if name is not None}
    if op.applies and is_swapped(ctx, named) and is_never_logits(named["logits"]):
        refuse_swapped(ctx, shown or op.name, named, span)
    bound = _bind(ctx, op, given, span, shown)
    ctx.graph.sizes.here, ctx.graph.sizes.met = span, []
    by_position = frozenset([param.name for (n, _), param in zip(given, op.params, strict=False) if n is None])
    rule_call = OpCall(op, bound.types, bound.values, bound.groups, ctx.graph.sizes, by_position, shapes=bound.sizes)
    try:
        result = op.typed(rule_call)
    except RuleRefused as refused:
        blamed = [bound.given[p] for p in refused.params if p in bound.given] or list(bound.given.values())
        dims = [v for v in (refused.details.get("left"), refused.details.get("right")) if v is not None]
        details = {"op": shown or op.name, **refused.details}
        shapes = [v.shape for v in details.values() if isinstance(v, TensorType) and v.shape]
        dims += [d for shape in shapes for d in shape if ctx.graph.sizes.resolve(d) != d and d not in dims]
        notes = operand_notes(blamed) + size_notes(ctx, *dict.fromkeys(dims))
        if refused.message is MATMUL_SIZES:
            help = _bias_help(ctx, *dims[:2]) or _transposed(op, bound, span)
        elif refused.message is BROADCAST and op is MULTIPLY and (help := _matrices(op, bound)):
            pass
        else:
            help = _listed_sizes(op, refused, given) or column_help(ctx, op, refused, bound)
        if refused.message is SHAPES_DIFFER and op.writes and {"ref", "value"} <= set(bound.given):
            ref, value = bound.given["ref"], bound.given["value"]
            declared, actual = (bound.types[name] for name in ("ref", "value"))
            if isinstance(declared, TensorType) and isinstance(actual, TensorType):
                form = f"{op.name}({ref.text}, {{}})"
                help = keeps_shape(ctx, declared, value.value, actual, value.text, form, ref.text)
        if refused.message is OPTION:
            allowed = [word.strip('"') for word in str(details["allowed"]).split(" or ")]
            help = ctx.did_you_mean(str(details["value"]).strip('"'), allowed)
            if op.modes and details["param"] in op.modes.split():
                help = share_help(str(details["param"]), refused.details["value"])
        ctx.fail(refused.message, span, notes, help, **details)
    for doubt in rule_call.warnings:
        doubted(ctx, op, doubt, bound, shown or op.name, span)
    if op.applies:
        doubt_logits(ctx, op, bound, span)
    if op.modes and "rate" in op.modes.split():
        doubt_rate(ctx, bound.given.get("rate"), by_position=False)
    outputs = (result,) if isinstance(result, TensorType) else tuple(_flat(result))
    sizeable(ctx, shown or op.name, outputs, span)
    ctx.spend(100, span)
    node = ctx.graph.add(op.name, bound.args, name, outputs, ctx.origin(span), default)
    if rule_call.sizes.met:
        ctx.graph.met[node] = tuple(rule_call.sizes.met)
        if not ctx.graph.regions:
            ctx.graph.executions.mark(node, Kind.MET)
    for param in op.modes.split():
        ctx.graph.add_modes(refs_of(bound.args[param]) if param in bound.args else ())
    if result == ():
        return Operation(Ref(node), ctx.graph.name, span)
    if isinstance(result, TensorType):
        return Tensor(Ref(node), result, ctx.graph.name, span)
    made = iter([Tensor(Ref(node, i), type, ctx.graph.name, span) for i, type in enumerate(outputs)])
    shaped = _shaped(result, made)
    return Outputs(shaped, op.outputs.split(), span) if op.outputs and isinstance(shaped, list) else shaped


def _flat(result: Result) -> Iterator[TensorType]:
    """The types of all outputs of an op, in order."""
    if isinstance(result, TensorType):
        yield result
    elif isinstance(result, tuple):
        for one in result:
            yield from _flat(one)


def _shaped(result: Result, made: Iterator[Tensor]) -> ExprValue:
    """The outputs of an op, in lists as its shape rule returns them."""
    return [_shaped(one, made) for one in result] if isinstance(result, tuple) else next(made)


def sizeable(ctx: Analysis, op: str, outputs: tuple[TensorType, ...], span: Span) -> None:
    """Refuse tensors that fit in no machine's memory. TensorFlow would try for a minute."""
    for type in outputs:
        if type is None or not type.shape:
            continue
        if prod([d for d in type.shape if isinstance(d, int)]) > ctx.limits.elements:
            ctx.fail(TENSOR_LARGE, span, op=op, type=type, limit=ctx.limits.elements)
        if len(type.shape) > MAX_AXES:
            ctx.fail(AXES_MANY, span, what=f"what {op} makes", rank=len(type.shape), limit=MAX_AXES)


def _bind(ctx: Analysis, op: Op, given: Arguments, span: Span, shown: str):
    """Like `bind`, with a name of the op for messages."""
    try:
        return bind(ctx, op, given, span)
    except StatementFailed as abandoned:
        found = abandoned.diagnostic
        if shown and found is not None and found.details is not None and found.details.get("op") == op.name:
            details = {**found.details, "op": shown}
            abandoned.diagnostic = Diagnostic(found.message, found.span, details, found.notes, found.help, found.chain)
        raise


def _listed_sizes(op: Op, refused: RuleRefused, given: Arguments) -> str:
    """A help line for a shape whose sizes are given one by one: `random_normal(4, 3)`. "" for other errors."""
    of_shape = op.params[0].kind == "shape" and refused.message is RANK and refused.params == (op.params[0].name,)
    if not of_shape or not given or given[0][0] is not None or not _is_size(given[0][1].value):
        return ""
    follow = (name is None and op.draws and _is_size(one.value) for name, one in given[1:])
    count = 1 + sum(1 for _ in takewhile(bool, follow))
    sizes = ", ".join(one.text for _, one in given[:count])
    others = [one.text if name is None or one.whole is None else one.whole.text for name, one in given[count:]]
    return f"a shape is a list: write {op.name}({', '.join([f'[{sizes}]', *others])})"


def _is_size(value: ExprValue) -> bool:
    if isinstance(value, Tensor):
        return value.type.dtype.kind == "int" and value.type.shape == ()
    return type(value) is int and value > 0


def _transposed(op: Op, bound: BoundArguments, span: Span) -> str:
    """A help line for two matrices that can be multiplied once one of them is transposed."""
    if set(bound.given) != {op.params[0].name, op.params[1].name}:
        return ""
    left, right = (bound.given[param.name] for param in op.params[:2])
    a, b = (bound.types[param.name] for param in op.params[:2])
    if not (isinstance(a, TensorType) and isinstance(b, TensorType) and a.rank == b.rank == 2 and a.shape and b.shape):
        return ""
    if a.shape[1] == b.shape[1]:
        sides = left.text, f"transpose({right.text})"
    elif a.shape[0] == b.shape[0]:
        sides = f"transpose({left.text})", right.text
    else:
        return ""
    if not all(re.fullmatch(r"[\w.]+", one.text) for one in (left, right)):
        return "transpose one of them: transpose(x)"
    way = f"{op.name}({', '.join(sides)})" if span.text.startswith(f"{op.name}(") else " @ ".join(sides)
    return f"one of them fits if it is transposed: {way}"


def _matrices(op: Op, bound: BoundArguments) -> str:
    """A help line for a product of elements that was meant as one of matrices."""
    left, right = (bound.given[param.name].text for param in op.params[:2])
    a, b = (bound.types[param.name] for param in op.params[:2])
    if not (isinstance(a, TensorType) and isinstance(b, TensorType) and a.rank == b.rank == 2 and a.shape and b.shape):
        return ""
    if a.shape[1] != b.shape[0]:
        return ""
    return f"* multiplies element by element; for a product of matrices, write: {left} @ {right}"


_ORDINALS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth".split()


def _bias_help(ctx: Analysis, left: object = None, right: object = None) -> str:
    """A help line for data that has one column less than the weights: the bias column is usually missing."""
    if not (isinstance(left, int) and isinstance(right, int) and right == left + 1):
        return ""
    for data in ctx.data:
        if data.columns == left and not ctx.datasets[data.name].schema.biases:
            ordinal = _ORDINALS[right] if right < len(_ORDINALS) else f"{right}th"
            return f"add_bias makes the {ordinal} column; is it missing on line {data.origin.span.line}?"
    return ""
