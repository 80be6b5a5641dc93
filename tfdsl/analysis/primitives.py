"""Primitives: what the libraries that come along need beside the language, because it asks what is known of a shape.

Input: the arguments of a call in a library's file. Output: its value; nodes are added only where something must change.
"""

from ..diagnostics import NOT_LOGITS, OPTION
from ..ops.named import EXPAND_DIMS, RESHAPE, SHAPE, SQUEEZE
from ..source import Span
from ..types import Shape
from .arguments import Given, literal_shape, operand_notes
from .calls import inlined
from .context import Analysis
from .labels import activation, check_classes
from .names import Env
from .op_calls import call_op
from .values import Primitive, Tensor, has_tensor, is_host


def _alike(ctx: Analysis, labels: Given, predictions: Given, span: Span) -> object:
    """Labels with as many axes as the predictions, where one of the two is [rows] and the other [rows, 1]."""
    own, wanted = (_shape(ctx, given) for given in (labels, predictions))
    if not own or not wanted or abs(len(own) - len(wanted)) != 1:
        return labels.value
    last = ctx.graph.sizes.resolve(max(own, wanted, key=len)[-1])
    if not isinstance(last, int):  # it must turn out to be 1, or else TensorFlow refuses it
        like = call_op(ctx, SHAPE, [(None, predictions)], span)
        return call_op(ctx, RESHAPE, [(None, labels), (None, Given(like, span))], span)
    if last != 1:
        return labels.value
    op = SQUEEZE if len(own) > len(wanted) else EXPAND_DIMS
    return call_op(ctx, op, [(None, labels), ("axis", Given(-1, span))], span)


def _logits(ctx: Analysis, logits: Given, span: Span) -> object:
    """Logits that are compared with 0 as they are; of shares, none is below."""
    first = activation(ctx, logits.value)
    if first:
        ctx.report(NOT_LOGITS, span, operand_notes([logits]), logits=logits.text, first=first)
    return logits.value


def _classes(ctx: Analysis, labels: Given, logits: Given, span: Span) -> object:
    """Labels that are class numbers, one for each row of the logits."""
    check_classes(ctx, inlined(ctx), labels, logits, (_shape(ctx, labels), _shape(ctx, logits)))
    return labels.value


def _rate(ctx: Analysis, rate: Given, span: Span) -> object:
    """The share that a dropout drops, which cannot be all."""
    value = rate.value
    if isinstance(value, (int, float)) and not 0 <= value < 1:
        help = "it is the share that is dropped: rate=0.0 drops nothing" if value >= 1 else ""
        ctx.fail(OPTION, rate.span, (), help, op=inlined(ctx), param="rate", value=value, allowed="0 up to, but not, 1")
    return value


def _shape(ctx: Analysis, given: Given) -> Shape:
    value = given.value
    if (isinstance(value, Tensor) and value.type is None) or not (has_tensor(value) or is_host(value)):
        return None
    return literal_shape(ctx, value, given.span)


def primitives(at: Span) -> Env:
    """The names that a library sees around its own."""
    env = Env()
    for name, function in (("_alike", _alike), ("_classes", _classes), ("_logits", _logits), ("_rate", _rate)):
        env.bind(name, Primitive(name, function), at)
    return env
