"""What the layers of the bundled libraries take: checks of their first argument.

Input: the argument of a layer, and the argument beside it. Output: the same value. Errors are at the program's own
argument, in its words, because the code of a layer says nothing to its users.
"""

from collections.abc import Callable
from math import isqrt

from ...diagnostics import ARGUMENT_KIND, DTYPE_NOT_ALLOWED, NOT_MULTIPLE, OPTION, RANK, SIZE_UNKNOWN, Note
from ...program import Ref
from ...source import Span
from ...types import FLOAT32, STRING, TensorType
from ..calls.arguments import ArgumentValue, operand_notes, scalar_class, text_help
from ..calls.calls import inlined
from ..calls.wrong_kind import one_each
from ..context import Analysis
from ..values import Array, ErrorValue, ExprValue, Tensor, describe, has_tensor, is_host

_AXES = "pictures are [batch, height, width, channels]"


def features(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor whose last size is known."""
    _check_tensor(ctx, x, rest[0])
    _check_numbers(ctx, x)
    type = _type(x)
    if type is not None and type.rank == 0:
        help = f"declare rows of numbers, as in: placeholder {x.text}: {type}[n, 28]" if _is_placeholder(ctx, x) else ""
        ctx.fail(RANK, x.span, operand_notes([x]), help, op=inlined(ctx), param=f"'{x.text}'", wanted="2 or more",
                 type=type)  # fmt: skip
    _check_known(ctx, x, -1)
    return x.value


def share(ctx: Analysis, x: ArgumentValue, count: ArgumentValue, span: Span) -> ExprValue:
    """How many features each of so many equal parts of a tensor has."""
    features(ctx, x, span)
    type, parts = _type(x), count.value
    if not isinstance(parts, int) or isinstance(parts, bool) or parts < 1:
        ctx.fail(OPTION, count.span, op=inlined(ctx), value=count.text, param="the number of parts",
                 allowed="a whole number above 0")  # fmt: skip
    shape = (type.shape if type is not None else None) or (None,)
    size = ctx.graph.sizes.resolve(shape[-1])
    if not isinstance(size, int):
        return ErrorValue()
    if size % parts:
        ctx.fail(NOT_MULTIPLE, x.span, operand_notes([x]), op=inlined(ctx), factor=parts, axis=len(shape) - 1,
                 type=type, size=size)  # fmt: skip
    return size // parts


def elements(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor whose sizes are known, apart from the first."""
    _check_tensor(ctx, x, rest[0])
    _check_known(ctx, x, 1)
    return x.value


def pictures(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor with the axes of pictures."""
    return _with_axes(ctx, x, rest[0], 4, lambda: _as_pictures(ctx, x))


def channels(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor with the axes of pictures and a known number of channels."""
    pictures(ctx, x, *rest)
    _check_known(ctx, x, -1)
    return x.value


def sized_pictures(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor with the axes of pictures, whose sizes are known apart from the first."""
    pictures(ctx, x, *rest)
    _check_known(ctx, x, 1)
    return x.value


def series(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor with the axes of series and a known number of features."""
    _with_axes(ctx, x, rest[0], 3, lambda: _as_series(ctx, x))
    _check_known(ctx, x, -1)
    return x.value


def volumes(ctx: Analysis, x: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """A tensor with the axes of volumes and a known number of channels."""
    _with_axes(ctx, x, rest[0], 5, lambda: "volumes are [batch, depth, height, width, channels]")
    _check_known(ctx, x, -1)
    return x.value


def _with_axes(
    ctx: Analysis, x: ArgumentValue, other: ArgumentValue | Span, rank: int, help: Callable[[], str]
) -> ExprValue:
    """A tensor of a rank. `help` says how to make one."""
    _check_tensor(ctx, x, other)
    type = _type(x)
    if type is not None and type.rank not in (rank, None):
        ctx.fail(RANK, x.span, operand_notes([x]), help(), op=inlined(ctx), param=f"'{x.text}'", wanted=rank,
                 type=type)  # fmt: skip
    return x.value


def indices(ctx: Analysis, ids: ArgumentValue, *rest: ArgumentValue | Span) -> ExprValue:
    """Whole numbers that choose rows."""
    type, written = _type(ids), None
    if is_host(ids.value):  # numbers or texts in the program
        written = scalar_class(ctx, ids.value, ids.span)
        type = TensorType(STRING if written == "string" else FLOAT32) if written in ("string", "float") else None
    if type is not None and type.dtype.kind not in ("int", "uint"):
        help = "" if written else f"if its numbers are whole, convert it first: cast({ids.text}, int32)"
        if type.dtype == STRING and not written:
            help = text_help(ctx, ids, f"convert it first: string_to_number({ids.text}, int32)")
        ctx.fail(DTYPE_NOT_ALLOWED, ids.span, operand_notes([ids]), help, op=inlined(ctx), dtype=type.dtype,
                 param="'ids'", allowed="whole numbers")  # fmt: skip
    return ids.value


def _type(x: ArgumentValue):
    return x.value.type if isinstance(x.value, (Tensor, Array)) else None


def _check_numbers(ctx: Analysis, x: ArgumentValue) -> None:
    """Refuse text."""
    type = _type(x)
    if type is not None and type.dtype == STRING:
        help = text_help(ctx, x, f"convert it first: string_to_number({x.text})", "one_hot", FLOAT32)
        ctx.fail(DTYPE_NOT_ALLOWED, x.span, operand_notes([x]), help, op=inlined(ctx), dtype=type.dtype,
                 param=x.text, allowed="floats")  # fmt: skip


def _check_tensor(ctx: Analysis, x: ArgumentValue, other: ArgumentValue | Span) -> None:
    """Refuse a value that is no tensor. `other` is the argument after it, if the layer has one."""
    one_each(ctx, (x.value, x.span))
    is_list = isinstance(x.value, (list, tuple))
    if isinstance(x.value, (Array, ErrorValue)) or (has_tensor(x.value) and not is_list):
        return
    function, help = inlined(ctx), ""
    if is_list and has_tensor(x.value):
        help = f"name one of its values, such as {x.text}[0]; or join them: concat({x.text}, axis=1)"
    if isinstance(other, ArgumentValue) and isinstance(other.value, Tensor):
        help = f"the tensor comes first: {function}({other.text}, {x.text})"
    ctx.fail(ARGUMENT_KIND, x.span, help=help, function=function, wanted="a tensor", name="X",
             value=describe(x.value))  # fmt: skip


def _check_known(ctx: Analysis, x: ArgumentValue, first: int) -> None:
    """Refuse a size that is not known while compiling, from an axis on."""
    type = _type(x)
    if type is None or type.shape is None:
        return
    for axis in range(first % max(len(type.shape), 1), len(type.shape)):
        if not isinstance(ctx.graph.sizes.resolve(type.shape[axis]), int):
            notes, help = _open_sizes(ctx, x)
            ctx.fail(SIZE_UNKNOWN, x.span, notes, help, axis=axis, text=f"{x.text}.shape", tensor=x.text)


def _is_placeholder(ctx: Analysis, x: ArgumentValue) -> bool:
    return isinstance(x.value, Tensor) and ctx.graph.nodes[x.value.ref.node].is_placeholder


def _open_sizes(ctx: Analysis, x: ArgumentValue) -> tuple[tuple[Note, ...], str]:
    """The placeholders whose sizes a layer needs, and what to declare."""
    if not isinstance(x.value, Tensor):
        return (), ""
    for id in sorted(ctx.graph.reach([Ref(x.value.ref.node, x.value.ref.output)])):
        node = ctx.graph.nodes[id]
        shape = (node.outputs[0].shape if node.is_placeholder else None) or ()
        inner = [str(size or "?") for size in shape[1:] if not isinstance(ctx.graph.sizes.resolve(size), int)]
        note = Note(f"{node.name}: {node.outputs[0]} is from line {{line}}", node.origin.span)
        if len(shape) == 1 and not isinstance(ctx.graph.sizes.resolve(shape[0]), int):
            type = TensorType(node.outputs[0].dtype, (shape[0], 28))
            return (
                note,
            ), f"{inlined(ctx)} takes rows of numbers: declare {node.name} with their size too, as in {type}"
        if inner:
            return (note,), (
                f"{inlined(ctx)} needs this size as a number: declare {node.name} with one, such as 28, in place of "
                f"{', '.join(dict.fromkeys(inner))}"
            )
    return (), ""


def _as_pictures(ctx: Analysis, x: ArgumentValue) -> str:
    """How to give a tensor the axes of pictures."""
    type = _type(x)
    dims = [ctx.graph.sizes.resolve(size) for size in type.shape] if type is not None and type.shape else []
    text = x.text if not x.text.endswith("...") else "x"
    if len(dims) == 3 and all(isinstance(size, int) for size in dims):
        return f"{_AXES}: give reshape the batch too: [-1, {', '.join(map(str, dims))}]"
    if len(dims) == 3:
        return f"{_AXES}: for one channel, write expand_dims({text}, -1)"
    if len(dims) == 2:
        width = isqrt(dims[1]) if isinstance(dims[1], int) else 0
        sides = f"{width}, {width}, 1" if width and width * width == dims[1] else "height, width, channels"
        return f"{_AXES}: write reshape({text}, [-1, {sides}])"
    return _AXES


def _as_series(ctx: Analysis, x: ArgumentValue) -> str:
    """How to give a tensor the axes of series."""
    type, axes = _type(x), "series are [batch, time, features]"
    text = x.text if not x.text.endswith("...") else "x"
    if type is not None and type.rank == 2:
        way = f"embedding(...) makes them of {text}" if type.dtype.kind in ("int", "uint") else ""
        return f"{axes}: {way or f'for one number a step, write expand_dims({text}, -1)'}"
    return axes
