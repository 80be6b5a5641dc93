"""Messages about lists of tensors in places that need one value."""

import re
from collections.abc import Iterator
from itertools import islice

from ...diagnostics import LIST_ADDED, LIST_SHAPES
from ...source import Span
from ...syntax import tree as t
from ...types import FLOAT32, TensorType
from ..context import Analysis
from ..values import Array, ExprValue, RuntimeValue, Tensor

_SCALAR = TensorType(FLOAT32, ())


def one_shape(ctx: Analysis, values: list | tuple | range, span: Span, whole: list | tuple | range = ()) -> None:
    """Refuse a list of values whose shapes differ, because it is not an array. The list can be part of `whole`."""
    for inner in values:
        if isinstance(inner, (list, tuple)):
            one_shape(ctx, inner, span, whole or values)
    types = [v.type if isinstance(v, (Tensor, Array)) else _SCALAR for v in values if not isinstance(v, (list, tuple))]
    known = [one for one in types if one is not None and one.shape is not None]
    for one in known[1:]:
        shapes = [[ctx.graph.sizes.resolve(dim) for dim in type.shape or ()] for type in (known[0], one)]
        differ = any(isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(*shapes))
        if differ or len(shapes[0]) != len(shapes[1]):
            ctx.fail(LIST_SHAPES, span, first=known[0], second=one, help=_one_by_one(span.text, whole or values))


def is_array(ctx: Analysis, values: list | tuple) -> bool:
    """Whether values certainly have one shape, so that they form an array."""
    if any(isinstance(one, (list, tuple)) for one in values):
        return False
    types = [one.type or _SCALAR if isinstance(one, (Tensor, Array, RuntimeValue)) else _SCALAR for one in values]
    shapes = [None if one.shape is None else tuple(map(ctx.graph.sizes.resolve, one.shape)) for one in types]
    return all(one is not None and one == shapes[0] and None not in one for one in shapes)


def _one_by_one(text: str, values: list | tuple | range) -> str:
    """How to write the items of a list instead of the list. Empty if the list is written out."""
    if text[:1] == "[":
        return ""
    is_name = text.replace(".", "_").isidentifier()
    several = list(islice(_items(text if is_name else "it", values), 4))
    shown = ", ".join([*several[:3], *(["..."] if several[3:] else [])])
    return f"write its items one by one: {shown}" if is_name else f"name it above, and write its items: {shown}"


def _items(text: str, value: ExprValue) -> Iterator[str]:
    if isinstance(value, (list, tuple, range)):
        for at, item in enumerate(value):
            yield from _items(f"{text}[{at}]", item)
    else:
        yield text


def list_help(*operands: ExprValue) -> str:
    """A help line for an operand that is a list of tensors, such as the result of `gradients`."""
    one = next((v for v in operands if isinstance(v, list) and v and all(isinstance(i, Tensor) for i in v)), None)
    if one is None:
        return ""
    if len(one) == 1:
        return "the list has one tensor: take it out of the list with [0]"
    return f"the list has {len(one)} tensors: take one with [0], or name them: a, b = ..."


def doubt_appended(ctx: Analysis, expr: t.Binary, left: object, right: object) -> None:
    """Warn of a list added to a loop variable that was a list, unless both have as many items: then sums of vectors
    may be meant."""
    for grown, added, name in ((left, right, expr.left), (right, left, expr.right)):
        if isinstance(grown, Tensor) and grown.ref.node in ctx.graph.lists and isinstance(added, list):
            count = (grown.type.shape or (None,))[0]
            if count != len(added) or count == 1:
                text = name.span.text
                sum_of = f"or above the loop, if a sum is meant: {text} = constant(...)"
                help = f"write a 'for', in which a list grows; {sum_of}"
                ctx.report(LIST_ADDED, expr.span, help=help, name=f"'{text}'")


def list_needed(function: str, call: str, is_tensor: bool) -> str:
    """A help line for a call of a function of a library that takes a list."""
    argument = re.fullmatch(r"[\w.]+\(\s*([\w.]+)\s*(?:,[^()]*)?\)", call)
    if is_tensor and argument:
        return f"it takes a list: {function}([{argument[1]}])"
    return f'it takes a list of tensors, as in: {function}(variables(dense, "kernel"))'
