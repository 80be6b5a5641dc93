"""Primitives: functions for the bundled libraries that the language cannot express, because they inspect shapes.

Input: the arguments of a call in a library's file. Output: its value. Nodes are added only if the value must
change.
"""

from ...diagnostics import DTYPES_DIFFER, NOT_LOGITS, OPTION, SHAPES_DIFFER
from ...ops.named import CAST, EXPAND_DIMS, RESHAPE, SHAPE, SQUEEZE
from ...record import replace
from ...source import Span
from ...types import FLOAT32, STRING, Shape, TensorType
from ..calls.arguments import ArgumentValue, literal_shape, operand_notes, text_help
from ..calls.calls import inlined
from ..calls.labels import activation, check_classes, note_binary, note_classes
from ..calls.op_calls import call_op
from ..calls.slips import share_help
from ..context import Analysis
from ..values import Env, ExprValue, Operation, Primitive, Tensor, has_tensor, is_host
from .layer_inputs import channels, elements, features, indices, pictures, series, share, sized_pictures, volumes


def _alike(ctx: Analysis, labels: ArgumentValue, predictions: ArgumentValue, span: Span) -> ExprValue:
    """Labels with the dtype of the predictions, paired by `_paired`."""
    a, b = _type(labels), _type(predictions)
    if a is not None and b is not None and a.dtype != b.dtype:
        _refuse_dtype(ctx, labels, predictions, a, b)
    return _paired(ctx, labels, predictions, span)


def _binary(ctx: Analysis, labels: ArgumentValue, logits: ArgumentValue, span: Span) -> ExprValue:
    """Labels of 0 and 1 as numbers that are compared with a probability, paired by `_paired`."""
    a, b = _type(labels), _type(logits)
    if a is not None and b is not None and a.dtype == STRING:
        _refuse_dtype(ctx, labels, logits, a, b)
    note_binary(ctx, labels, span)
    _check_columns(ctx, labels, logits, "nn.accuracy")
    if a is None or a.dtype.kind == "float":
        return _paired(ctx, labels, logits, span)
    numbers = call_op(ctx, CAST, [(None, labels), ("dtype", ArgumentValue(FLOAT32, span))], span)
    return _paired(ctx, replace(labels, value=numbers), logits, span)


def _type(given: ArgumentValue) -> TensorType | None:
    return given.value.type if isinstance(given.value, Tensor) else None


def _refuse_dtype(
    ctx: Analysis, labels: ArgumentValue, predictions: ArgumentValue, a: TensorType, b: TensorType
) -> None:
    help = text_help(ctx, labels, f"convert it first: string_to_number({labels.text})") if a.dtype == STRING else ""
    ctx.fail(DTYPES_DIFFER, labels.span, operand_notes([labels, predictions]), help, op=inlined(ctx), first=labels.text,
             second=predictions.text, a=a.dtype, b=b.dtype, name=labels.text, dtype=b.dtype)  # fmt: skip


def _paired(ctx: Analysis, labels: ArgumentValue, predictions: ArgumentValue, span: Span) -> ExprValue:
    """Labels with as many axes as the predictions, if one of the two is [rows] and the other [rows, 1]."""
    own, wanted = (_shape(ctx, given) for given in (labels, predictions))
    _check_columns(ctx, labels, predictions)
    if not own or not wanted or abs(len(own) - len(wanted)) != 1:
        return labels.value
    _check_repeated(ctx, labels, predictions, own, wanted)
    last = ctx.graph.sizes.resolve(max(own, wanted, key=len)[-1])
    if not isinstance(last, int):  # it must be 1 at run time, or TensorFlow refuses it
        like = call_op(ctx, SHAPE, [(None, predictions)], span)
        return call_op(ctx, RESHAPE, [(None, labels), (None, ArgumentValue(like, span))], span)
    if last != 1:
        return labels.value
    op = SQUEEZE if len(own) > len(wanted) else EXPAND_DIMS
    return call_op(ctx, op, [(None, labels), ("axis", ArgumentValue(-1, span))], span)


def _check_columns(
    ctx: Analysis,
    labels: ArgumentValue,
    predictions: ArgumentValue,
    of_classes: str = "nn.sparse_softmax_cross_entropy",
) -> None:
    """Refuse a single column for several, which TensorFlow would repeat. `of_classes` is what takes class numbers."""
    own, wanted = (_shape(ctx, given) for given in (labels, predictions))
    a, b = _type(labels), _type(predictions)
    if a is None or b is None or not own or not wanted or len(own) != len(wanted) or len(own) < 2:
        return
    few, many = ctx.graph.sizes.resolve(own[-1]), ctx.graph.sizes.resolve(wanted[-1])
    if not isinstance(few, int) or not isinstance(many, int) or few == many or 1 not in (few, many):
        return
    help = f"give {predictions.text} {'one column' if few == 1 else f'{few} columns'}, as {labels.text} has"
    if few == 1:
        help += f"; for class numbers use {of_classes}({labels.text}, {predictions.text})"
    ctx.fail(SHAPES_DIFFER, labels.span, operand_notes([labels, predictions]), help, op=inlined(ctx),
             first=labels.text, second=predictions.text, a=a, b=b)  # fmt: skip


def _check_repeated(
    ctx: Analysis, labels: ArgumentValue, predictions: ArgumentValue, own: Shape, wanted: Shape
) -> None:
    """Refuse one label per row for predictions of several steps, [rows, steps, 1], which TensorFlow would repeat."""
    a, b = _type(labels), _type(predictions)
    if a is None or b is None or not own or not wanted or len(own) >= len(wanted) or len(own) < 2:
        return
    for axis, (few, many) in enumerate(zip(map(ctx.graph.sizes.resolve, own), map(ctx.graph.sizes.resolve, wanted))):
        if axis and few == 1 and isinstance(many, int) and many != 1:
            help = (
                f"{labels.text} has one value for each row, and {predictions.text} has {many}: take one of them, such "
                f"as the last: {predictions.text}[{':, ' * axis}-1]; or in place of the outputs of an LSTM or a GRU, "
                "use its state"
            )
            ctx.fail(SHAPES_DIFFER, labels.span, operand_notes([labels, predictions]), help, op=inlined(ctx),
                     first=labels.text, second=predictions.text, a=a, b=b)  # fmt: skip


def _logits(ctx: Analysis, logits: ArgumentValue, span: Span) -> ExprValue:
    """Logits, which are compared with 0. Probabilities are refused: none is below 0."""
    first = activation(ctx, logits.value)
    if first:
        ctx.report(NOT_LOGITS, span, operand_notes([logits]), op=inlined(ctx), logits=logits.text, first=first)
    return logits.value


def _classes(ctx: Analysis, labels: ArgumentValue, logits: ArgumentValue, span: Span) -> ExprValue:
    """Labels that are class numbers, one per row of the logits."""
    check_classes(ctx, inlined(ctx), labels, logits, (_shape(ctx, labels), _shape(ctx, logits)))
    note_classes(ctx, labels, logits, span)
    return labels.value


def _rate(ctx: Analysis, rate: ArgumentValue, span: Span) -> ExprValue:
    """The rate of a dropout, which must be below 1."""
    value = rate.value
    if isinstance(value, (int, float)) and (isinstance(value, bool) or not 0 <= value < 1):
        ctx.fail(
            OPTION,
            rate.span,
            (),
            share_help("rate", value),
            op=inlined(ctx),
            param="rate",
            value=rate.text if isinstance(value, bool) else value,
            allowed="from 0 up to (not including) 1",
        )
    return value


def _shape(ctx: Analysis, given: ArgumentValue) -> Shape:
    value = given.value
    if isinstance(value, Operation) or not (has_tensor(value) or is_host(value)):
        return None
    return literal_shape(ctx, value, given.span)


def primitives(at: Span) -> Env:
    """The names visible to a library in addition to its own."""
    env = Env()
    functions = (
        _alike, _binary, _classes, _logits, _rate,
        features, channels, pictures, sized_pictures, series, volumes, elements, indices, share,
    )  # fmt: skip
    for function in functions:
        name = f"_{function.__name__.removeprefix('_')}"
        env.bind(name, Primitive(name, function), at)
    return env
