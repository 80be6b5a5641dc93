"""Indexing: `x[0]`, `x[:, 1]`, `x[..., none]` on tensors and on data."""

from collections.abc import Sequence

from ...diagnostics import INDEX_KIND, INDEX_MANY, INDEX_RANGE
from ...program import INDEX, Arg, Field, Index, Literal, Ref, Refs, SessionValue, Static
from ...record import replace
from ...syntax import tree as t
from ...types import Dim, TensorType
from ..context import Analysis
from ..values import Array, ExprValue, IndexItem, RuntimeValue, Tensor, describe


def index_tensor(ctx: Analysis, value: Tensor, items: list[IndexItem], expr: t.Index, name: str | None) -> Tensor:
    """A strided slice, like `x[...]` in TensorFlow."""
    specs = [_spec(ctx, item, value, expr, made) for item, made in zip(items, expr.items, strict=True)]
    shape = _result_shape(ctx, value.type, items, expr)
    args = {"x": value.ref, "index": Refs(tuple(specs))}
    type = TensorType(value.type.dtype, shape)
    ctx.spend(100, expr.span)
    node = ctx.graph.add(INDEX, args, name, (type,), ctx.origin(expr.span))
    return Tensor(Ref(node), type, ctx.graph.name, expr.span)


def _spec(ctx: Analysis, item: IndexItem, value: ExprValue, expr: t.Index, made: t.Expr) -> Arg:
    """An index for the IR: a static integer, "...", "new", a tensor, or three of them for a slice."""
    if item is Ellipsis:
        return Static("...")
    if item is None:
        return Static("new")
    if isinstance(item, slice):
        texts = (made.start, made.stop, made.step) if isinstance(made, t.Slice) else (None, None, None)
        parts = zip((item.start, item.stop, item.step), texts, strict=True)
        return Refs(tuple(_bound(ctx, part, value, expr, text) for part, text in parts))
    return _bound(ctx, item, value, expr, made)


def _bound(ctx: Analysis, part: IndexItem, value: ExprValue, expr: t.Index, made: t.Expr | None) -> Arg:
    if part is None:
        return Static(None)
    if isinstance(part, int) and not isinstance(part, bool):
        return Literal(part, "int32")
    if isinstance(part, Tensor) and part.type.dtype.kind == "int" and part.type.rank in (0, None):
        return part.ref
    help = ""
    if isinstance(part, Tensor) and made is not None:
        x, index = expr.value.span.text, made.span.text
        help = f"boolean_mask({x}, {index})" if part.type.dtype.kind == "bool" else f"gather({x}, {index})"
        help = f"to take several elements, write: {help}"
        if part.type.dtype.kind == "float":
            help = f"an index is a whole number: start with one, as 0 for 0.0, or write cast({index}, int32)"
    elif isinstance(part, float):
        help = f"an index is a whole number, such as {int(part)}" if part == part and abs(part) < 2**31 else ""
    ctx.fail(INDEX_KIND, expr.span, help=help, value=describe(value), index=describe(part))


def gathered(value: Sequence[object], item: IndexItem, expr: t.Index) -> str:
    """What to write for elements of a list whose index is a tensor. Empty if there is no way."""
    is_integer = isinstance(item, Tensor) and item.type.dtype.kind == "int"
    if (
        not is_integer
        or isinstance(value, (str, bytes))
        or not all(isinstance(one, (int, float, str)) for one in value)
    ):
        return ""
    return f"the index is known when the graph runs: write gather({expr.value.span.text}, {expr.items[0].span.text})"


def _result_shape(ctx: Analysis, type: TensorType, items: list[IndexItem], expr: t.Index) -> tuple[Dim, ...] | None:
    taken = sum(1 for item in items if item is not None and item is not Ellipsis)
    if type.shape is None:
        return None
    rank = len(type.shape)
    if taken > rank:
        ctx.fail(INDEX_MANY, expr.span, count=taken, type=type, rank=rank)
    if items.count(Ellipsis) > 1:
        ctx.fail(INDEX_KIND, expr.span, value=str(type), index="more than one '...'")
    result: list[Dim] = []
    axis = 0
    for item in items:
        if item is None:
            result.append(1)
        elif item is Ellipsis:
            result += type.shape[axis : axis + rank - taken]
            axis += rank - taken
        else:
            dim = ctx.graph.sizes.resolve(type.shape[axis])
            if isinstance(item, slice):
                result.append(type.shape[axis] if item == slice(None) else _sliced(dim, item))
            elif isinstance(dim, int) and isinstance(item, int) and not -dim <= item < dim:
                ctx.fail(INDEX_RANGE, expr.span, index=item, of=f"axis {axis} of {type}", size=dim)
            axis += 1
    return (*result, *type.shape[axis:])


def _sliced(dim: Dim, item: slice) -> Dim:
    """The size of a slice, known if the size and the bounds are known."""
    parts = (item.start, item.stop, item.step)
    if any(isinstance(p, Tensor) for p in parts) or item.step == 0:
        return None
    if isinstance(dim, int):
        return len(range(*item.indices(dim)))
    return None


def _static(item: IndexItem) -> Index | None:
    """An index known at compile time."""
    if isinstance(item, slice) and all(p is None or isinstance(p, int) for p in (item.start, item.stop, item.step)):
        return item.start, item.stop, item.step
    return item if isinstance(item, int) and not isinstance(item, bool) else None


def index_kept(
    ctx: Analysis, value: SessionValue, type: TensorType, items: list[IndexItem], expr: t.Index
) -> RuntimeValue | None:
    """A part of the value of a name of the session, if its index is known at compile time."""
    index = [found for item in items if (found := _static(item)) is not None]
    if len(index) < len(items) or value.index or type.shape is None or len(index) > len(type.shape):
        return None
    shape = _result_shape(ctx, type, items, expr)
    return RuntimeValue(replace(value, index=tuple(index)), TensorType(type.dtype, shape))


def index_array(ctx: Analysis, value: Array, items: list[IndexItem], expr: t.Index) -> Array:
    """A part of data, by integers and slices known at compile time."""
    index: list[Index] = []
    for item in items:
        found = _static(item)
        if found is not None:
            index.append(found)
        else:
            help = ""
            name = (
                ".".join(filter(None, (value.field.data, value.field.part))) if isinstance(value.field, Field) else ""
            )
            if name and isinstance(item, str):
                help = f'a column is one of the data: {name}["{item}"]'
            elif name and not isinstance(item, float):
                help = (
                    f"a training goes through the rows: train ... on {name} in batches of 1 ordered as batch, and "
                    f"feed batch.{value.field.field}"
                )
            ctx.fail(INDEX_KIND, expr.span, help=help, value=describe(value), index=describe(item))
    if value.field.index:
        ctx.fail(INDEX_KIND, expr.span, value="a part of data", index="another index")
    shape = _result_shape(ctx, value.type, items, expr)
    return Array(replace(value.field, index=tuple(index)), TensorType(value.type.dtype, shape))
