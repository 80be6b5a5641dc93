"""Primitives: what the libraries that come along need beside the language, because it asks what is known of a shape.

Input: the arguments of a call in a library's file. Output: its value; nodes are added only where something must change.
"""

from ..ops import OPS
from ..source import Span
from ..types import Shape
from .arguments import Given, literal_shape
from .calls import call_op
from .context import Analysis
from .names import Env
from .values import Primitive, Tensor, has_tensor, is_host


def _alike(ctx: Analysis, labels: Given, predictions: Given, span: Span) -> object:
    """Labels with as many axes as the predictions, where one of the two is [rows] and the other [rows, 1]."""
    own, wanted = (_shape(ctx, given) for given in (labels, predictions))
    if not own or not wanted or abs(len(own) - len(wanted)) != 1:
        return labels.value
    last = ctx.graph.sizes.resolve(max(own, wanted, key=len)[-1])
    if not isinstance(last, int):  # it must turn out to be 1, or else TensorFlow refuses it
        like = call_op(ctx, OPS["shape"], [(None, predictions)], span)
        return call_op(ctx, OPS["reshape"], [(None, labels), (None, Given(like, span))], span)
    if last != 1:
        return labels.value
    op = OPS["squeeze"] if len(own) > len(wanted) else OPS["expand_dims"]
    return call_op(ctx, op, [(None, labels), ("axis", Given(-1, span))], span)


def _shape(ctx: Analysis, given: Given) -> Shape:
    value = given.value
    if (isinstance(value, Tensor) and value.type is None) or not (has_tensor(value) or is_host(value)):
        return None
    return literal_shape(ctx, value, given.span)


def primitives(at: Span) -> Env:
    """The names that a library sees around its own."""
    env = Env()
    for name, function in (("_alike", _alike),):
        env.bind(name, Primitive(name, function), at)
    return env
