"""Checks labels and logits: mistakes in the arguments of losses and measures.

Input: the arguments of a call, as the program gives them. Output: errors and warnings, each with the correct
code.
"""

import re
from collections.abc import Iterator, Mapping
from math import prod

from ...diagnostics import (
    CLASS_NUMBERS,
    LOGITS_COLUMNS,
    LOGITS_CUT,
    RANK,
    SHAPES_DIFFER,
    SWAPPED,
    SWAPPED_SURELY,
    THROUGH_TWICE,
    Message,
)
from ...ops.named import ARGMAX, ONE_HOT, OPERATORS
from ...ops.op import Op, RuleRefused
from ...program import Node, Ref
from ...source import Span
from ...types import STRING, Shape, TensorType
from ..context import Analysis, StatementFailed
from ..values import ExprValue, Tensor, describe
from .arguments import ArgumentValue, BoundArguments, operand_notes, text_help

# --- the wrong way round, or through an activation --------------------------------------------


def doubt_logits(ctx: Analysis, op: Op, bound: BoundArguments, span: Span) -> None:
    """Warn of logits that already went through the activation, and of labels in their place."""
    logits = bound.given.get("logits")
    if logits is None:
        return
    first = activation(ctx, logits.value)
    if first:
        ctx.report(THROUGH_TWICE, logits.span, operand_notes([logits]), op=op.name, applies=op.applies,
                   logits=logits.text, first=first)  # fmt: skip
    cut = next((node.op for node in _made(ctx, logits.value) if node.row is not None and node.row.cuts), "")
    if cut:
        ctx.report(LOGITS_CUT, logits.span, operand_notes([logits]), op=op.name, logits=logits.text, first=cut)
    if is_swapped(ctx, bound.given):
        doubt_swapped(ctx, op.name, bound.given, span)
    if op.binary:
        note_binary(ctx, bound.given[op.binary], span)
    if op.numbers:
        note_classes(ctx, bound.given[op.numbers], logits, span)


def note_binary(ctx: Analysis, labels: ArgumentValue, span: Span) -> None:
    """Record a placeholder whose elements are used as labels of 0 and 1."""
    for node in _made(ctx, labels.value):
        if node.is_placeholder:
            ctx.graph.binary.setdefault(Ref(node.id), ctx.origin(span).outside_libraries)


def note_classes(ctx: Analysis, labels: ArgumentValue, logits: ArgumentValue, span: Span) -> None:
    """Record a placeholder whose elements are used as class numbers, with the number of the classes."""
    shape = logits.value.type.shape if isinstance(logits.value, Tensor) else None
    count = ctx.graph.sizes.resolve(shape[-1]) if shape else None
    for node in _made(ctx, labels.value):
        if node.is_placeholder and isinstance(count, int) and count > 1:  # a single class has a warning of its own
            place = ctx.origin(span).outside_libraries
            ctx.graph.classes.setdefault(Ref(node.id), (place, count))


def is_swapped(ctx: Analysis, arguments: Mapping[str, ArgumentValue]) -> bool:
    """Whether the labels depend on variables and the logits do not."""
    labels, logits = arguments.get("labels"), arguments.get("logits")
    if labels is None or logits is None or not isinstance(logits.value, Tensor):
        return False
    return _learns(ctx, labels) and not _learns(ctx, logits)


def refuse_swapped(ctx: Analysis, function: str, arguments: Mapping[str, ArgumentValue], span: Span) -> None:
    """Refuse labels and logits in the wrong order, if the logits cannot be logits."""
    labels, logits = arguments["labels"], arguments["logits"]
    call = _in_order(ctx, labels, logits)
    ctx.fail(SWAPPED_SURELY, span, operand_notes([labels, logits]), function=function, call=call)


def is_never_logits(given: ArgumentValue) -> bool:
    value = given.value
    return isinstance(value, Tensor) and value.type.dtype.kind != "float"


def doubt_swapped(ctx: Analysis, function: str, arguments: Mapping[str, ArgumentValue], span: Span) -> None:
    labels, logits = arguments["labels"], arguments["logits"]
    call = _in_order(ctx, labels, logits)
    ctx.report(SWAPPED, span, operand_notes([labels, logits]), op=function, call=call)


def _in_order(ctx: Analysis, labels: ArgumentValue, logits: ArgumentValue) -> str:
    """The correct order of labels and logits that are swapped."""
    call, inner = f"labels={logits.text}, logits=", re.match(r"argmax\(([\w.]+)[,)]", labels.text)
    if _made_by(ctx, labels, ARGMAX) is None:
        return call + labels.text
    return call + (inner[1] if inner else f"{labels.text}, and leave argmax out: logits have a column for each class")


# --- axes too many, or missing ----------------------------------------------------------------


def check_classes(
    ctx: Analysis, function: str, labels: ArgumentValue, logits: ArgumentValue, shapes: tuple[Shape, Shape]
) -> None:
    """Refuse labels without one class number per row, and logits without one column per class."""
    own, wanted = shapes
    if wanted is not None and len(wanted) != 2:
        if _made_by(ctx, logits, ARGMAX) is not None:
            help = "leave argmax out: it finds the largest logit itself"
        elif len(wanted) < 2:
            help = "give it [batch, classes]; nn.binary_accuracy takes one logit for each row"
        else:
            last = ctx.graph.sizes.resolve(wanted[-1])
            shape = f"[-1, {last if isinstance(last, int) else 'classes'}]"
            help = f"combine the other axes: reshape({logits.text}, {shape})"
            inner = _before_layer(ctx, logits, len(wanted))
            if inner and own is not None and len(own) < len(wanted) and (len(own) < 2 or own[1:] == (1,)):
                if (LOGITS_COLUMNS, inner) in ctx.graph.told:  # one mistake of the layer, told once
                    raise StatementFailed(None)
                ctx.graph.told.add((LOGITS_COLUMNS, inner))
                help = f"combine the axes of {inner} before its layer: nn.dense(nn.flatten({inner}), {last})"
        _refuse(ctx, LOGITS_COLUMNS, logits, help, function)
    dtype = labels.value.type.dtype if isinstance(labels.value, Tensor) and labels.value.type is not None else None
    if dtype is not None and dtype.kind not in ("float", "int", "uint"):
        help = f"convert it first: cast({labels.text}, int32)"
        if dtype == STRING:
            help = text_help(ctx, labels, f"convert it first: string_to_number({labels.text}, int32)")
        _refuse(ctx, CLASS_NUMBERS, labels, help, function)
    if own is None or not wanted or len(own) < 2:
        return
    (rows, *others), of_logits = map(ctx.graph.sizes.resolve, own), ctx.graph.sizes.resolve(wanted[0])
    rest = [one for one in others if isinstance(one, int)]
    if rows is None or rows != of_logits or len(rest) < len(others) or prod(rest) == 1:
        return
    help = "pass the class numbers, [batch] or [batch, 1]"
    if _made_by(ctx, labels, ONE_HOT) is not None:
        help = "leave one_hot out: it takes class numbers, [batch] or [batch, 1]"
    elif len(own) == 2:
        help += f", such as argmax({labels.text}, axis=1)"
    loss = function.replace("sparse_", "")
    _refuse(ctx, CLASS_NUMBERS, labels, help if loss == function else f"{help}; or use {loss}", function)


def _before_layer(ctx: Analysis, logits: ArgumentValue, rank: int) -> str:
    """The latest name of a tensor with as many axes that the logits were computed from by the last layer."""
    if not isinstance(logits.value, Tensor):
        return ""
    below = ctx.graph.reach([logits.value.ref])
    for name, span, refs in reversed(ctx.graph.bound):
        if span.source.is_library or len(refs) != 1 or refs[0].node not in below or refs[0] == logits.value.ref:
            continue
        node = ctx.graph.nodes[refs[0].node]
        if not node.is_variable and node.outputs[refs[0].output].rank == rank:
            return name
    return ""


def _refuse(ctx: Analysis, message: Message, given: ArgumentValue, help: str, function: str) -> None:
    type = given.value.type if isinstance(given.value, Tensor) else describe(given.value)
    ctx.fail(message, given.span, operand_notes([given]), help, function=function, name=given.text, type=type)


def _made_by(ctx: Analysis, given: ArgumentValue, op: Op) -> Node | None:
    """The node of this op that made a value, even if the value has been rearranged since."""
    return next((node for node in _made(ctx, given.value) if node.row is op), None)


def _made(ctx: Analysis, value: ExprValue) -> Iterator[Node]:
    return makers(ctx.graph.nodes, value.ref) if isinstance(value, Tensor) else iter(())


def makers(nodes: Mapping[int, Node], ref: Ref | None) -> Iterator[Node]:
    """The node of a tensor. If it only rearranges elements, also the nodes that the elements come from."""
    while ref is not None:
        node = nodes[ref.node]
        yield node
        row = node.row
        inputs = list(node.inputs()) if node.is_index or (row is not None and row.arranges) else []
        ref = inputs[0] if inputs else None


def column_help(ctx: Analysis, op: Op, refused: RuleRefused, bound: BoundArguments) -> str:
    """The correct code for an argument with an extra axis of size 1."""
    if op is OPERATORS["if"] and refused.message is SHAPES_DIFFER and (help := _stretched(bound)):
        return help
    given = bound.given.get(refused.params[0]) if refused.params else None
    if given is None or not isinstance(given.value, Tensor):
        return ""
    shape, b = given.value.type.shape or (), refused.details.get("b")
    if refused.message is RANK and refused.details["wanted"] == len(shape) - 1 and shape[-1:] == (1,):
        at = len(shape) - 1
    elif refused.message is SHAPES_DIFFER and len(refused.params) == 2 and isinstance(b, TensorType):
        other = b.shape
        if op.for_whole and other and (len(shape) < len(other) or (len(shape) == len(other) and shape[-1:] == (1,))):
            return op.for_whole
        at = next((at for at, one in enumerate(shape) if one == 1 and shape[:at] + shape[at + 1 :] == other), None)
    else:
        return ""
    if at is None:
        return ""
    way = f"squeeze({given.text}, axis={at})"
    is_column = len(shape) == 2 and at == 1 and re.fullmatch(r"[\w.]+", given.text)
    if is_column:
        way = f"{given.text}[:, 0]"
    if given.span.source.is_library:
        way = f"squeeze(..., axis={at}) for the {given.text}"
    help = f"write {way}"
    if _made_by(ctx, given, ONE_HOT) is not None:
        help = f"give one_hot numbers without the axis of size 1, as in one_hot(y[:, 0], ...); or {help}"
    return f"{help}; or use {op.in_nn}, which takes it unchanged" if op.in_nn else help


def _stretched(bound: BoundArguments) -> str:
    """How to write the numbers of a choice, which does not broadcast, in the shape of the others."""
    sides = [bound.given[name] for name in ("x", "y") if name in bound.given]
    numbers = [one for one in sides if isinstance(one.value, (int, float))]
    tensors = [one.text for one in sides if one not in numbers]
    like = tensors[0] if tensors else bound.given["condition"].text
    if like.endswith("..."):
        like = "x"
    kind = ", and ".join(
        f"{'zeros' if one.value == 0 else 'ones'}_like({like}) for {one.text}"
        if tensors and one.value in (0, 1)
        else f"fill(shape({like}), {one.text}) for {one.text}"
        for one in numbers
    )
    return f"write {kind}" if kind else ""


# --- what was made through what ---------------------------------------------------------------


def activation(ctx: Analysis, value: ExprValue) -> str:
    """The op that turned logits into probabilities, even if they have been rearranged since. "" if there is none."""
    rows = (node.row for node in _made(ctx, value))
    return next((row.name for row in rows if row is not None and row.applies == row.name), "")


def _learns(ctx: Analysis, given: ArgumentValue) -> bool:
    """Whether a value depends on a variable."""
    if not isinstance(given.value, Tensor):
        return False
    reached = ctx.graph.reach([given.value.ref])
    ctx.spend(len(reached), given.span)
    return any(ctx.graph.nodes[id].is_variable for id in reached)
