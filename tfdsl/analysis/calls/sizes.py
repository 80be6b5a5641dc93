"""Sizes of tensors that a program takes as tensors, with `shape(X)[0]`."""

from ...ops.named import SHAPE
from ...program import INDEX, Literal, Ref, Refs, Static
from ...types import Dim, Shape
from ..context import Analysis


def sizes_in(ctx: Analysis, ref: Ref) -> Dim | Shape:
    """The sizes that a tensor holds: those that the analysis knows of another tensor, whose `shape` it is, or a part of
    that. None if it is not known to hold sizes."""
    node = ctx.graph.nodes[ref.node]
    if node.op == SHAPE.name:
        given = node.args["input"]
        return ctx.graph.nodes[given.node].outputs[given.output].shape if isinstance(given, Ref) else None
    match node.op, node.args:
        case op, {"x": Ref() as x, "index": Refs((index,))} if op == INDEX:
            sizes = sizes_in(ctx, x)
        case _:
            return None
    if not isinstance(sizes, tuple):
        return None
    match index:
        case Literal(int(at)) if -len(sizes) <= at < len(sizes):
            return sizes[at]
        case Refs(bounds):
            known = [one.value for one in bounds if isinstance(one, (Literal, Static))]
            numbers = [one for one in known if one is None or isinstance(one, int)]
            return sizes[slice(*numbers)] if len(numbers) == len(bounds) else None
        case _:
            return None
