"""Declared types: the meaning of `float32[batch, 9]`, and whether a value fits it."""

from ...diagnostics import AXES_MANY, BOUND_TO_PARAM, DIM_VALUE, DTYPE_UNKNOWN, NOT_STATIC
from ...limits import MAX_AXES
from ...source import Span
from ...syntax import tree as t
from ...types import DTYPE_NAMES, DTYPES, Dim, DType, Shape, Size, SizeClash, TensorType
from ..context import Analysis
from ..values import Array, Env, Tensor, describe
from . import outside
from .expressions import value_of

_DTYPE_ALIASES = {"float": "float32", "double": "float64", "int": "int32", "long": "int64", "str": "string"}


def declared_dtype(ctx: Analysis, type: t.Type) -> DType:
    """The dtype of a declared type."""
    dtype = DTYPE_NAMES.get(type.dtype)
    if dtype is None or dtype.kind == "opaque":
        alias = _DTYPE_ALIASES.get(type.dtype)
        help = f"did you mean '{alias}'?" if alias else ctx.did_you_mean(type.dtype, DTYPES)
        if dtype is not None:
            help = f"ops make a {dtype}; to feed one, use raw.Placeholder(dtype={dtype})"
        place = Span(type.span.source, type.span.start, type.span.start + len(type.dtype))
        ctx.fail(DTYPE_UNKNOWN, place, help=help, name=type.dtype, known=", ".join(DTYPES))
    return dtype


def tensor_type(ctx: Analysis, env: Env, type: t.Type) -> TensorType:
    """The tensor type of a declaration. An unbound name is a named size."""
    return TensorType(declared_dtype(ctx, type), shape_of(ctx, env, type))


def shape_of(ctx: Analysis, env: Env, type: t.Type) -> Shape:
    """The shape of a declared type."""
    if type.dims and any(isinstance(d, t.Dots) for d in type.dims):
        if len(type.dims) > 1:
            ctx.fail(DIM_VALUE, type.span, value="... beside other sizes")
        return None
    if type.dims and len(type.dims) > MAX_AXES:
        ctx.fail(AXES_MANY, type.span, what="this type", rank=len(type.dims), limit=MAX_AXES)
    return tuple(_dim(ctx, env, dim) for dim in type.dims or ())


def _dim(ctx: Analysis, env: Env, dim: t.Expr | t.UnknownDim) -> Dim:
    if isinstance(dim, t.UnknownDim):
        return None
    if isinstance(dim, t.Name) and dim.id == "None":
        ctx.fail(DIM_VALUE, dim.span, help="an unknown size is written ?", value="'None'")
    if isinstance(dim, t.Name) and not env.knows(dim.id) and not outside.has(ctx, dim.id, above=True):
        ctx.graph.sizes.declared.setdefault(dim.id, dim.span)
        return Size(dim.id)
    value = value_of(ctx, env, dim)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        if isinstance(value, (Tensor, Array)):
            what = f"the size '{dim.id}'" if isinstance(dim, t.Name) else "a size"
            ctx.fail(NOT_STATIC, dim.span, what=what, value=describe(value))
        if isinstance(dim, t.Name):
            ctx.fail(BOUND_TO_PARAM, dim.span, name=dim.id, value=describe(value))
        help = "an unknown size is written ?" if value is None else ""
        ctx.fail(DIM_VALUE, dim.span, help=help, value=describe(value))
    return value


def fits(ctx: Analysis, declared: TensorType, type: TensorType) -> bool:
    """Whether a value of a type fits a declared type."""
    if declared.dtype != type.dtype:
        return False
    if declared.shape is None or type.shape is None:
        return True
    if len(declared.shape) != len(type.shape):
        return False
    try:
        for a, b in zip(declared.shape, type.shape, strict=True):
            ctx.graph.sizes.same(a, b)
    except SizeClash:
        return False
    return True
